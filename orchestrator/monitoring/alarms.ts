import { SYSTEM_TENANT, type HostId, type TenantId, type VnfInstanceId } from '../../kernel/index.ts';
import type { components } from '../../api-specs/generated/mco.ts';
import {
  alarmId,
  clearedAlarm,
  compareText,
  isStanding,
  vnfcInstanceId,
  type AlarmDocument,
} from '../domain/index.ts';
import type { StateView, StoredRecord, Write } from '../store/index.ts';
import { assignedSubject } from './assigned.ts';
import { functionAlarmId } from './function-alarms.ts';
import type { HostAlarms } from './host-alarms.ts';
import type { MeasuredSubject } from './series.ts';

export type AlarmBatch = components['schemas']['alarm-batch'];
type WireAlarm = components['schemas']['alarm'];

/** Alarm records of one host, cleared ones included: the oldest cleared ones make room; where all stand, further ones are ignored. */
const ALARMS_PER_HOST = 500;

export interface PlannedAlarms {
  readonly writes: readonly Write[];
  /** Of nothing that is or was assigned to the host, or beyond its bound. */
  readonly ignored: number;
}

/** What the conditions that a host has seen change. A condition that is as it was already changes nothing. */
export function planAlarms(
  state: StateView,
  alarmsOf: HostAlarms,
  hostId: HostId,
  batch: AlarmBatch,
): PlannedAlarms {
  const known = new Map(alarmsOf(hostId).map(({ id, document }) => [id, document]));
  const changed = new Map<string, { readonly tenant: TenantId; readonly document: AlarmDocument }>();
  const removed = new Set<string>();
  let ignored = 0;
  for (const alarm of batch.alarms) {
    const subject = alarm.subject === undefined ? undefined : assignedSubject(state, hostId, alarm.subject);
    if (alarm.subject !== undefined && subject === undefined) {
      ignored += 1;
      continue;
    }
    const id = alarmIdOf(hostId, alarm.name, subject);
    const before = known.get(id);
    const document = applyAlarm(before, hostId, alarm, subject);
    if (document === undefined) continue;
    if (before === undefined && !makeRoom(known, removed)) {
      ignored += 1;
      continue;
    }
    known.set(id, document);
    removed.delete(id);
    changed.set(id, { tenant: subject?.tenant ?? SYSTEM_TENANT, document });
  }
  return { writes: toWrites(state, changed, removed), ignored };
}

function alarmIdOf(hostId: HostId, name: string, subject: MeasuredSubject | undefined): string {
  if (subject === undefined) return alarmId('mco', name, hostId);
  const { vnfInstanceId, unit, generation, slot } = subject;
  return alarmId('mco', name, hostId, vnfInstanceId, unit, String(generation), String(slot ?? ''));
}

/** The alarm as it is after the condition; undefined where that is no change. */
function applyAlarm(
  before: AlarmDocument | undefined,
  hostId: HostId,
  { name, severity, text, changedAt }: WireAlarm,
  subject: MeasuredSubject | undefined,
): AlarmDocument | undefined {
  if (severity === 'CLEARED')
    return isStanding(before) ? { ...clearedAlarm(before, changedAt), text } : undefined;
  if (isStanding(before)) {
    const isSame = before.severity === severity && before.text === text;
    return isSame ? undefined : { ...before, severity, text, changedAt };
  }
  return { source: sourceOf(hostId, subject), name, severity, text, raisedAt: changedAt, changedAt };
}

function sourceOf(hostId: HostId, subject: MeasuredSubject | undefined): AlarmDocument['source'] {
  if (subject === undefined) return { hostId };
  const { vnfInstanceId, slot } = subject;
  if (slot === undefined) return { hostId, vnfInstanceId };
  return { hostId, vnfInstanceId, vnfcInstanceId: vnfcInstanceId(hostId, subject, slot) };
}

/** Takes the alarm that was cleared the longest ago out of the known ones. @returns false where there is none to take */
function makeRoom(known: Map<string, AlarmDocument>, removed: Set<string>): boolean {
  if (known.size < ALARMS_PER_HOST) return true;
  const [oldest] = [...known]
    .filter(([, alarm]) => !isStanding(alarm))
    .toSorted(([, a], [, b]) => compareText(a.clearedAt ?? '', b.clearedAt ?? ''));
  if (oldest === undefined) return false;
  known.delete(oldest[0]);
  removed.add(oldest[0]);
  return true;
}

function toWrites(
  state: StateView,
  changed: ReadonlyMap<string, { readonly tenant: TenantId; readonly document: AlarmDocument }>,
  removed: ReadonlySet<string>,
): Write[] {
  const puts = [...changed]
    .filter(([id]) => !removed.has(id))
    .map(([id, { tenant, document }]): Write => ({ op: 'put', kind: 'alarm', id, tenant, document }));
  const deletions = [...removed].flatMap((id): Write[] => {
    const record = state.get('alarm', id);
    return record === undefined
      ? []
      : [{ op: 'delete', kind: 'alarm', id, expectedRevision: record.revision }];
  });
  return [...puts, ...deletions];
}

/**
 * Clears what stands of functions that are no longer assigned to the host: nobody else would.
 * @param workloadIds whose assignments to that host were removed
 */
export function planClearings(
  state: StateView,
  alarmsOf: HostAlarms,
  hostId: HostId,
  workloadIds: ReadonlySet<string>,
  timestamp: string,
): readonly Write[] {
  const writes: Write[] = [];
  for (const { id, revision, document } of alarmsOf(hostId)) {
    const { vnfInstanceId } = document.source;
    if (!isStanding(document) || vnfInstanceId === undefined) continue;
    // What the orchestrator itself has found, it clears itself.
    if (id === functionAlarmId(vnfInstanceId, document.name)) continue;
    // `<vnfInstanceId>-<unit>-g<generation>`: a unit may hold dashes, so a function is found by its alarms.
    const isRemoved = [...workloadIds].some((workloadId) => workloadId.startsWith(`${vnfInstanceId}-`));
    if (!isRemoved || isAssigned(state, hostId, vnfInstanceId)) continue;
    writes.push({
      op: 'update',
      kind: 'alarm',
      id,
      expectedRevision: revision,
      document: clearedAlarm(document, timestamp),
    });
  }
  return writes;
}

function isAssigned(state: StateView, hostId: HostId, vnfInstanceId: VnfInstanceId): boolean {
  const [first] = state.listByPrefix('assignment', `${hostId}.${vnfInstanceId}-`);
  return first !== undefined;
}

/** An alarm as the API shows it. */
export function presentAlarm({ id, document }: StoredRecord<'alarm'>) {
  const { source, name, severity, text, raisedAt, changedAt, clearedAt } = document;
  return {
    id,
    name,
    perceivedSeverity: severity,
    text,
    source,
    alarmRaisedTime: raisedAt,
    alarmChangedTime: changedAt,
    ...(clearedAt === undefined ? {} : { alarmClearedTime: clearedAt }),
  };
}
