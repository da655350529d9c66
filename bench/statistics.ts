/** What a benchmark says of several rounds of the same. */
export interface Rounds {
  readonly median: number;
  readonly worst: number;
  readonly rounds: number;
}

export function rounded(value: number, digits = 2): number {
  return Number(value.toFixed(digits));
}

/** Of an even number of values the greater of the two in the middle. NaN of none. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

/** Of values that are the worse the greater they are. */
export function roundsOf(values: readonly number[], digits = 2): Rounds {
  return {
    median: rounded(median(values), digits),
    worst: rounded(Math.max(...values), digits),
    rounds: values.length,
  };
}
