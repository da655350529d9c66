import type { HostId, VnfInstanceId } from '../../kernel/index.ts';
import type { components } from '../../api-specs/generated/mco.ts';
import type { StateView } from '../store/index.ts';
import { assignedSubject, type WireSubject } from './assigned.ts';
import { CLOCK_TOLERANCE_MILLISECONDS } from './host-clocks.ts';
import type { RecentStore } from './recent-store.ts';
import type { MeasuredSubject } from './series.ts';

export type MeasurementBatch = components['schemas']['measurement-batch'];

const NO_LABELS = {};

export interface TakenBatch {
  readonly taken: number;
  /** Of nothing that is or was assigned to the host. */
  readonly ignored: number;
  /** Functions of which there is something new. */
  readonly functions: ReadonlySet<VnfInstanceId>;
}

/**
 * Puts the points of a host into the recent store. Points that are there already change nothing. Where the host's clock is known to be off, the times are
 * put right; where they lie in the future all the same, the whole batch is moved back, so that no point hides what comes after the clock was set.
 * @param clockOffset the host's clock minus ours, milliseconds
 */
export function ingestPoints(
  recent: RecentStore,
  state: StateView,
  hostId: HostId,
  batch: MeasurementBatch,
  now: number,
  clockOffset = 0,
): TakenBatch {
  const times = batch.points.map((point) => Date.parse(point.timestamp));
  const ahead = newestOf(times) - clockOffset - now;
  const shift = clockOffset + (ahead > CLOCK_TOLERANCE_MILLISECONDS ? ahead : 0);
  const functions = new Set<VnfInstanceId>();
  const subjects = new Map<string, MeasuredSubject | undefined>();
  let taken = 0;
  let ignored = 0;
  for (const [index, point] of batch.points.entries()) {
    const at = (times[index] ?? Number.NaN) - shift;
    const subject = point.subject === undefined ? undefined : known(point.subject);
    if (Number.isNaN(at) || (point.subject !== undefined && subject === undefined)) {
      ignored += 1;
      continue;
    }
    const { metric, unit, kind = 'gauge', labels = NO_LABELS, value } = point;
    const identity = { hostId, metric, unit, kind, labels, ...(subject === undefined ? {} : { subject }) };
    if (!recent.append(identity, { at, value })) continue;
    taken += 1;
    if (subject !== undefined) functions.add(subject.vnfInstanceId);
  }
  return { taken, ignored, functions };

  function known(wire: WireSubject): MeasuredSubject | undefined {
    const key = `${wire.vnfInstanceId} ${wire.unit} ${wire.generation} ${wire.slot ?? ''} ${wire.tenant}`;
    if (!subjects.has(key)) subjects.set(key, assignedSubject(state, hostId, wire));
    return subjects.get(key);
  }
}

function newestOf(times: readonly number[]): number {
  let newest = -Infinity;
  for (const time of times) if (time > newest) newest = time;
  return newest;
}
