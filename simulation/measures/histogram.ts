/** Counts of values, for exact quantiles of many values of which few differ. */
export interface Histogram {
  readonly count: number;
  add(value: number, times?: number): void;
  /** The smallest value that at least that share of all does not exceed; undefined where there is none. */
  quantile(share: number): number | undefined;
}

export function createHistogram(): Histogram {
  const counts = new Map<number, number>();
  let count = 0;
  return {
    get count() {
      return count;
    },
    add: (value, times = 1) => {
      counts.set(value, (counts.get(value) ?? 0) + times);
      count += times;
    },
    quantile: (share) => {
      let left = Math.max(1, Math.ceil(share * count));
      for (const [value, times] of [...counts].toSorted(([a], [b]) => a - b)) {
        left -= times;
        if (left <= 0) return value;
      }
      return undefined;
    },
  };
}
