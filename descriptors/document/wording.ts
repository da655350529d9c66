import type { Wording } from './finding.ts';

/** The candidate that is most probably meant, or nothing when none is close. */
export function nearest(found: string, candidates: Iterable<string>): string | undefined {
  if (found.length > MAX_LENGTH) return undefined;
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(found.length / 3)) + 1;
  let count = 0;
  for (const candidate of candidates) {
    if (++count > MAX_CANDIDATES) break;
    if (candidate.length > MAX_LENGTH || Math.abs(candidate.length - found.length) >= bestDistance) continue;
    const distance = editDistance(found.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

const MAX_LENGTH = 64;
/** Each comparison takes time in proportion to the product of the lengths. */
const MAX_CANDIDATES = 200;

/** " Did you mean `x`?" with its leading space, or nothing. */
export function didYouMean(found: string, candidates: Iterable<string>): string {
  const candidate = nearest(found, candidates);
  return candidate === undefined ? '' : ` Did you mean \`${candidate}\`?`;
}

/** What is said of a name that is none of those that could be meant. */
export function unknownName(name: string, known: readonly string[], what: string): Wording {
  return {
    message: `\`${name.slice(0, 80)}\` is not ${what}`,
    remedy: `known: ${listed(known)}.${didYouMean(name, known)}`,
  };
}

/** "a, b or c", shortened where there are many. */
export function listed(values: readonly unknown[]): string {
  const shown = values
    .slice(0, 20)
    .map((value) => `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``);
  if (values.length > shown.length) return `${shown.join(', ')} … (${values.length} in all)`;
  const last = shown.pop();
  if (last === undefined) return 'nothing';
  return shown.length === 0 ? last : `${shown.join(', ')} or ${last}`;
}

/** Optimal string alignment: insertions, deletions, substitutions and swapped neighbours each cost one. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row.push(
        Math.min(
          at(last, j) + 1,
          at(row, j - 1) + 1,
          at(last, j - 1) + cost,
          swapped ? at(beforeLast, j - 2) + 1 : Infinity,
        ),
      );
    }
    beforeLast = last;
    last = row;
  }
  return at(last, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Infinity;
}
