/** Points of one instance, as `/iotmano/v1/measurements` answers them. */
export interface ToldSeries {
  readonly vnfcInstanceId?: string;
  readonly points: readonly { readonly timestamp: string; readonly value: number }[];
}

/**
 * What the HPA rule is told: the mean over the instances that run of the larger of each one's newest value and its mean. The product's own
 * policies read the same way, so that the comparison is one of rules.
 * @param running ids of the copies that run; what others have told does not count
 * @returns undefined when none has told anything
 */
export function readIndicator(
  told: readonly ToldSeries[],
  running: ReadonlySet<string>,
): { readonly value: number; readonly instances: number } | undefined {
  const own = told.filter(
    ({ vnfcInstanceId, points }) => points.length > 0 && running.has(vnfcInstanceId ?? ''),
  );
  if (own.length === 0) return undefined;
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const newest = sum(own.map(({ points }) => points.at(-1)?.value ?? 0)) / own.length;
  const means = own.map(({ points }) => sum(points.map(({ value }) => value)) / points.length);
  return { value: Math.max(newest, sum(means) / own.length), instances: own.length };
}
