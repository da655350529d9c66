import type { VnfInstanceId } from '../../kernel/index.ts';
import { Bits } from './bits.ts';
import type { Constraint } from './constraints.ts';
import type { HostIndex } from './host-index.ts';
import type { LatencyMeasurement, Near } from './types.ts';

/** The best 95th percentile from a row to a target, milliseconds; undefined: nobody has measured it, or too long ago. */
export type LatencyTo = (row: number) => number | undefined;

/** Latency to what a `near` names, as measured from either end. A host is at no distance from itself. */
export function latencyTo(index: HostIndex, { to, maxAgeSeconds = Infinity }: Near): LatencyTo {
  const greatestAge = maxAgeSeconds - index.now;
  if ('label' in to) return fromHere(index, new Set([to.label]), greatestAge, inLabel(index, to.label));
  const holders =
    'host' in to ? rowsNamed(index, to.host) : [...index.occupancy.rowsOf(to.functionId).keys()];
  const targets = new Set(holders.flatMap((row) => namesOf(index, row)));
  const here = fromHere(index, targets, greatestAge, (row) => holders.includes(row));
  const back = measuredBack(index, holders, greatestAge);
  return (row) => {
    const forth = here(row);
    const other = back.size === 0 ? undefined : shortest(namesOf(index, row).map((name) => back.get(name)));
    return shortest([forth, other]);
  };
}

interface Measured {
  readonly generation: number;
  readonly byRow: Float64Array;
}

/** What does not depend on where functions are, until what the hosts say changes. */
const measured = new WeakMap<HostIndex, Map<string, Measured>>();

/** Latency to what a `near` names, by row; NaN where it is not known. */
export function latencies(index: HostIndex, near: Near): Float64Array {
  const known = measured.get(index) ?? new Map<string, Measured>();
  measured.set(index, known);
  const question = JSON.stringify([
    near.to,
    near.maxAgeSeconds,
    near.maxAgeSeconds === undefined ? 0 : index.now,
  ]);
  const before = known.get(question);
  if (before?.generation === index.generation) return before.byRow;
  const latency = latencyTo(index, near);
  const byRow = new Float64Array(index.rows).fill(Number.NaN);
  index.present.forEach((row) => {
    byRow[row] = latency(row) ?? Number.NaN;
  });
  if (!('functionId' in near.to)) {
    if (known.size >= MOST_KEPT) known.clear();
    known.set(question, { generation: index.generation, byRow });
  }
  return byRow;
}

const MOST_KEPT = 64;

/** The rows that are near enough, with what to say of the others. */
export function latencyRows(index: HostIndex, functionId: VnfInstanceId, near: Near): Constraint {
  const byRow = latencies(index, near);
  const rows = new Bits(index.rows);
  const isNobodyThere =
    'functionId' in near.to &&
    near.to.functionId !== functionId &&
    index.occupancy.rowsOf(near.to.functionId).size === 0;
  index.present.forEach((row) => {
    if (isNobodyThere || (byRow[row] ?? Number.NaN) <= near.maxMilliseconds) rows.put(row, true);
  });
  return { text: `are not known to be within ${near.maxMilliseconds} ms of ${nameOf(near)}`, rows };
}

export function nameOf({ to }: Near): string {
  if ('host' in to) return to.host;
  return 'label' in to ? to.label : `function ${to.functionId}`;
}

function fromHere(
  index: HostIndex,
  targets: ReadonlySet<string>,
  maxAgeSeconds: number,
  isThere: (row: number) => boolean,
): LatencyTo {
  return (row) => {
    if (isThere(row)) return 0;
    return best(index.latencies(row), targets, maxAgeSeconds);
  };
}

function best(
  measured: readonly LatencyMeasurement[],
  targets: ReadonlySet<string>,
  maxAgeSeconds: number,
): number | undefined {
  let found: number | undefined;
  for (const { to, p95Milliseconds, ageSeconds } of measured)
    if (ageSeconds <= maxAgeSeconds && targets.has(to) && (found === undefined || p95Milliseconds < found))
      found = p95Milliseconds;
  return found;
}

/** What the targets have measured to others, by name. */
function measuredBack(
  index: HostIndex,
  holders: readonly number[],
  maxAgeSeconds: number,
): ReadonlyMap<string, number> {
  const back = new Map<string, number>();
  for (const holder of holders)
    for (const { to, p95Milliseconds, ageSeconds } of index.latencies(holder))
      if (ageSeconds <= maxAgeSeconds) back.set(to, Math.min(p95Milliseconds, back.get(to) ?? Infinity));
  return back;
}

/** The names under which a measurement can mean a host: its own, and its zone's. */
function namesOf(index: HostIndex, row: number): readonly string[] {
  const zone = index.labels.text(row, 'zone');
  return zone === undefined ? [index.idOf(row)] : [index.idOf(row), zone, `zone=${zone}`];
}

function rowsNamed(index: HostIndex, hostId: string): readonly number[] {
  const row = index.rowOf(hostId);
  return row === undefined ? [] : [row];
}

function inLabel(index: HostIndex, label: string): (row: number) => boolean {
  const [name = '', ...value] = label.split('=');
  const [key, wanted] = value.length === 0 ? ['zone', name] : [name, value.join('=')];
  return (row) => index.labels.text(row, key) === wanted;
}

function shortest(found: readonly (number | undefined)[]): number | undefined {
  const known = found.filter((each) => each !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
