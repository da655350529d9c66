/** One bucket of a Prometheus histogram: observations at most `le`, cumulative. */
export interface Bucket {
  readonly le: number;
  readonly count: number;
}

/**
 * The quantile of a histogram, by linear interpolation within the bucket where it lies, as Prometheus' histogram_quantile does.
 * Undefined without observations, or without the bucket `+Inf`.
 */
export function histogramQuantile(quantile: number, buckets: readonly Bucket[]): number | undefined {
  const sorted = monotonic(buckets.toSorted((a, b) => a.le - b.le));
  const total = sorted.at(-1);
  if (total === undefined || total.le !== Infinity || total.count <= 0) return undefined;
  const rank = quantile * total.count;
  const index = sorted.findIndex((bucket) => bucket.count >= rank);
  const bucket = sorted[index];
  const below = sorted[index - 1];
  if (bucket === undefined) return undefined;
  // Beyond the last bound nothing is known but that it is beyond.
  if (bucket.le === Infinity) return below?.le;
  const lower = below?.le ?? Math.min(0, bucket.le);
  const inside = bucket.count - (below?.count ?? 0);
  if (inside === 0) return bucket.le;
  return lower + ((bucket.le - lower) * (rank - (below?.count ?? 0))) / inside;
}

/** Buckets that were scraped while observations came in may seem to shrink. */
function monotonic(buckets: readonly Bucket[]): Bucket[] {
  let most = 0;
  return buckets.map(({ le, count }) => {
    most = Math.max(most, count);
    return { le, count: most };
  });
}
