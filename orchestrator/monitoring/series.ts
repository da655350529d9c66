import type { HostId, TenantId, VnfInstanceId } from '../../kernel/index.ts';

/** The workload, or with `slot` the VNFC instance, that a measurement is of. */
export interface MeasuredSubject {
  readonly tenant: TenantId;
  readonly vnfInstanceId: VnfInstanceId;
  /** Name of the unit (VDU). */
  readonly unit: string;
  readonly generation: number;
  readonly slot?: number;
}

/** What a series of points is of. */
export interface SeriesIdentity {
  readonly hostId: HostId;
  /** Absent: the host itself. */
  readonly subject?: MeasuredSubject;
  readonly metric: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Unit of measure, a UCUM symbol or `1`. */
  readonly unit: string;
  /** A counter only grows, and starts anew with its process. */
  readonly kind: 'counter' | 'gauge';
}

export interface Point {
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  readonly value: number;
}

/** The newest points of one series: a ring that grows up to its capacity, 16 bytes a point. */
export interface Series {
  readonly identity: SeriesIdentity;
  /** Pairs of time and value. */
  slots: Float64Array;
  /** Position of the oldest point, in points. */
  oldest: number;
  length: number;
}

const INITIAL_POINTS = 8;

export function newSeries(identity: SeriesIdentity): Series {
  return { identity, slots: new Float64Array(INITIAL_POINTS * 2), oldest: 0, length: 0 };
}

/**
 * Adds a point, most often at the end; the oldest makes room for it. One that comes late, as where the clock of a host was set, gets its place among the others.
 * @returns false where there is a point of that time already, a repetition, or where it is older than all that a full series keeps
 */
export function appendPoint(series: Series, point: Point, capacity: number): boolean {
  let place = series.length;
  while (place > 0 && pointAt(series, place - 1).at > point.at) place -= 1;
  if (place > 0 && pointAt(series, place - 1).at === point.at) return false;
  const isFull = series.length === pointsOf(series) && series.length >= capacity;
  if (isFull && place === 0 && series.length > 0) return false;
  if (isFull) {
    series.oldest = (series.oldest + 1) % pointsOf(series);
    series.length -= 1;
    place -= 1;
  } else if (series.length === pointsOf(series)) grow(series, capacity);
  series.length += 1;
  for (let index = series.length - 1; index > place; index -= 1)
    setPoint(series, index, pointAt(series, index - 1));
  setPoint(series, place, point);
  return true;
}

export function newestPoint(series: Series): Point | undefined {
  return series.length === 0 ? undefined : pointAt(series, series.length - 1);
}

/**
 * Points from one time to another, both included, oldest first.
 * @param withOneBefore also the last one before: what a counter had grown from
 */
export function pointsBetween(series: Series, from: number, to: number, withOneBefore = false): Point[] {
  const points: Point[] = [];
  for (let index = series.length - 1; index >= 0; index -= 1) {
    const point = pointAt(series, index);
    if (point.at > to) continue;
    if (point.at < from) {
      if (withOneBefore) points.push(point);
      break;
    }
    points.push(point);
  }
  return points.toReversed();
}

function pointAt(series: Series, index: number): Point {
  const position = (series.oldest + index) % pointsOf(series);
  return {
    at: series.slots[position * 2] ?? Number.NaN,
    value: series.slots[position * 2 + 1] ?? Number.NaN,
  };
}

function setPoint(series: Series, index: number, { at, value }: Point): void {
  const position = (series.oldest + index) % pointsOf(series);
  series.slots[position * 2] = at;
  series.slots[position * 2 + 1] = value;
}

function pointsOf(series: Series): number {
  return series.slots.length / 2;
}

/** Called only on a full ring. */
function grow(series: Series, capacity: number): void {
  const slots = new Float64Array(Math.min(series.length * 2, capacity) * 2);
  for (let index = 0; index < series.length; index += 1) {
    const point = pointAt(series, index);
    slots[index * 2] = point.at;
    slots[index * 2 + 1] = point.value;
  }
  series.slots = slots;
  series.oldest = 0;
}
