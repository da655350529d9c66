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
  let state = seed >>> 0;
  for (let at = 0; at < purpose.length; at += 1)
    state = Math.imul(state ^ purpose.charCodeAt(at), 0x01000193) >>> 0;

  /** Mulberry32, of the public domain. */
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

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
