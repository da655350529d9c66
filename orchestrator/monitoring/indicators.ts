import type { VnfcInstanceId } from '../../kernel/index.ts';
import { compareText, vnfcInstanceId } from '../domain/index.ts';
import { histogramQuantile, type Bucket } from './histogram-quantile.ts';
import { newestPoint, pointsBetween, type Point, type Series } from './series.ts';

/** As a descriptor declares it (`metrics.indicators` of a unit). */
export interface DeclaredIndicator {
  /** Name of the unit (VDU). */
  readonly unit: string;
  readonly name: string;
  /** Of the histogram of that name; absent: a gauge, or the rate per second of a counter. */
  readonly quantile?: number;
}

/** One indicator of one unit of a function, over its VNFC instances. */
export interface Indicator extends DeclaredIndicator {
  /** Of the instances that have a recent value: their mean; of a quantile, the quantile over all of them together. */
  readonly value: number;
  readonly sum: number;
  readonly max: number;
  readonly instances: readonly { readonly vnfcInstanceId: VnfcInstanceId; readonly value: number }[];
  /** Time of the newest point in it, milliseconds since the Unix epoch. */
  readonly at: number;
}

/**
 * The indicators of a function that have a value now: those with a point in the last `windowMilliseconds`.
 * @param series of that function
 * @param gauges whether a gauge is its newest value, or the mean of those of the window
 */
export function computeIndicators(
  declared: readonly DeclaredIndicator[],
  series: readonly Series[],
  now: number,
  windowMilliseconds: number,
  gauges: 'newest' | 'mean' = 'newest',
): readonly Indicator[] {
  const from = now - windowMilliseconds;
  const recent = series.filter((one) => (newestPoint(one)?.at ?? -Infinity) >= from);
  return declared.flatMap((indicator) => {
    const metric = indicator.quantile === undefined ? indicator.name : `${indicator.name}_bucket`;
    const own = recent.filter(
      ({ identity }) => identity.metric === metric && identity.subject?.unit === indicator.unit,
    );
    const found = computeIndicator(indicator, own, { from, to: now, gauges });
    return found === undefined ? [] : [found];
  });
}

interface Window {
  readonly from: number;
  readonly to: number;
  readonly gauges: 'newest' | 'mean';
}

function computeIndicator(
  indicator: DeclaredIndicator,
  series: readonly Series[],
  { from, to, gauges }: Window,
): Indicator | undefined {
  const { quantile } = indicator;
  const valueOf = (own: readonly Series[]) =>
    quantile === undefined ? sumOfSeries(own, { from, to, gauges }) : quantileOf(quantile, own, from, to);
  const instances = [...Map.groupBy(series, instanceOf)]
    .flatMap(([id, own]) => {
      const value = valueOf(own);
      return id === undefined || value === undefined ? [] : [{ vnfcInstanceId: id, value }];
    })
    .toSorted((a, b) => compareText(a.vnfcInstanceId, b.vnfcInstanceId));
  if (instances.length === 0) return undefined;
  const values = instances.map(({ value }) => value);
  const sum = values.reduce((total, value) => total + value, 0);
  const value = quantile === undefined ? sum / values.length : (valueOf(series) ?? sum / values.length);
  const at = Math.max(...series.map((one) => newestPoint(one)?.at ?? -Infinity));
  return { ...indicator, value, sum, max: Math.max(...values), instances, at };
}

/** A workload as a whole counts as its own one instance only when it is measured with a slot. */
function instanceOf({ identity: { hostId, subject } }: Series): VnfcInstanceId | undefined {
  return subject?.slot === undefined ? undefined : vnfcInstanceId(hostId, subject, subject.slot);
}

function meanOf(points: readonly Point[]): number {
  return points.reduce((sum, { value }) => sum + value, 0) / points.length;
}

/** Over all label sets: the values of gauges, the rates per second of counters. */
function sumOfSeries(series: readonly Series[], { from, to, gauges }: Window): number | undefined {
  const values = series.flatMap((one) => {
    const points = pointsBetween(one, from, to, true);
    const newest = points.at(-1);
    if (newest === undefined || newest.at < from) return [];
    if (one.identity.kind === 'gauge')
      return [gauges === 'newest' ? newest.value : meanOf(points.filter(({ at }) => at >= from))];
    const [oldest] = points;
    if (oldest === undefined || oldest.at === newest.at) return [];
    return [increase(points) / ((newest.at - oldest.at) / 1000)];
  });
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0);
}

function quantileOf(
  quantile: number,
  series: readonly Series[],
  from: number,
  to: number,
): number | undefined {
  const byBound = Map.groupBy(series, ({ identity }) => boundOf(identity.labels['le']));
  const buckets: Bucket[] = [...byBound].map(([le, own]) => ({
    le,
    count: own.reduce((sum, one) => sum + increase(pointsBetween(one, from, to, true)), 0),
  }));
  return histogramQuantile(
    quantile,
    buckets.filter(({ le }) => !Number.isNaN(le)),
  );
}

function boundOf(le: string | undefined): number {
  return le === '+Inf' ? Infinity : Number(le ?? Number.NaN);
}

/** How much a counter has grown over its points. Where it is smaller than before, its process has started anew from 0. */
export function increase(points: readonly Point[]): number {
  let total = 0;
  for (const [index, { value }] of points.entries()) {
    const before = points[index - 1];
    if (before === undefined) continue;
    total += value >= before.value ? value - before.value : value;
  }
  return total;
}
