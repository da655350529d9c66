import { createRandom as createNumbers } from '../../kernel/index.ts';

/** Chance from a seed: the same seed and purpose give the same numbers, whatever else is drawn. */
export interface Random {
  /** From 0 up to, not including, 1. */
  next(): number;
  /** Exponentially distributed. */
  exponential(mean: number): number;
  /** That many of the items, each at most once, in the order in which they were. */
  pick<Item>(items: readonly Item[], count: number): readonly Item[];
}

/** @param purpose what it is for: each has numbers of its own */
export function createRandom(seed: number, purpose: string): Random {
  let own = seed >>> 0;
  for (let at = 0; at < purpose.length; at += 1)
    own = Math.imul(own ^ purpose.charCodeAt(at), 0x01000193) >>> 0;
  const next = createNumbers(own);
  return {
    next,
    exponential: (mean) => -Math.log(1 - next()) * mean,
    pick: (items, count) => {
      let needed = Math.min(count, items.length);
      return items.filter((_, at) => {
        const isPicked = next() * (items.length - at) < needed;
        if (isPicked) needed -= 1;
        return isPicked;
      });
    },
  };
}

/** One of the values, by weight. */
export function drawWeighted(random: Random, weights: Readonly<Record<string, number>>): string {
  const entries = Object.entries(weights);
  let left = random.next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [value, weight] of entries) {
    left -= weight;
    if (left < 0) return value;
  }
  return entries.at(-1)?.[0] ?? '';
}
