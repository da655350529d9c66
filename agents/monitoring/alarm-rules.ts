import { subjectOf, type Subject } from '../../vim-drivers/collection/index.ts';
import { workloadId, type ObservedWorkload } from '../../vim-drivers/index.ts';
import type { Alarm } from './alarm.ts';

/** A condition that holds now. */
export interface Condition {
  readonly name: 'probe-failing' | 'crash-loop' | 'disk-full' | 'workload-refused';
  readonly subject?: Subject;
  readonly severity: Exclude<Alarm['severity'], 'CLEARED'>;
  readonly text: string;
}

export interface AlarmScene {
  readonly observed: readonly ObservedWorkload[];
  /** Share of the data directory's disk that is free; undefined where it is not known. */
  readonly freeShare: number | undefined;
  /** Restarts that were counted a while ago, by instance. */
  readonly earlierRestarts: ReadonlyMap<string, number>;
  readonly isDiskAlarmed: boolean;
}

const DISK_RAISE_SHARE = 0.05;
/** Higher, so that an alarm does not flutter. */
const DISK_CLEAR_SHARE = 0.07;
const CRASH_LOOP_RESTARTS = 3;

/** `workloadId/slot/epoch`: restarts are counted anew with each epoch. */
export function instanceKey({ key }: ObservedWorkload, slot: number, epoch: number): string {
  return `${workloadId(key)}/${slot}/${epoch}`;
}

/** All conditions that hold. Pure. */
export function evaluateConditions(scene: AlarmScene): readonly Condition[] {
  const { freeShare, isDiskAlarmed } = scene;
  const conditions: Condition[] = scene.observed.flatMap((workload) =>
    conditionsOf(workload, scene.earlierRestarts),
  );
  if (freeShare !== undefined && freeShare < (isDiskAlarmed ? DISK_CLEAR_SHARE : DISK_RAISE_SHARE)) {
    const text = `only ${(freeShare * 100).toFixed(1)} % of the disk with the agent's data is free`;
    conditions.push({ name: 'disk-full', severity: 'MAJOR', text });
  }
  return conditions;
}

function conditionsOf(workload: ObservedWorkload, earlierRestarts: ReadonlyMap<string, number>): Condition[] {
  const conditions: Condition[] = [];
  if (workload.problem !== undefined) {
    conditions.push({
      name: 'workload-refused',
      subject: { ...workload.key },
      severity: 'MAJOR',
      text: workload.problem,
    });
  }
  for (const { slot, epoch, state, restarts, reason } of workload.instances) {
    const subject = subjectOf(workload.key, slot);
    const because = reason === undefined ? '' : `: ${reason}`;
    if (state === 'UNHEALTHY') {
      conditions.push({
        name: 'probe-failing',
        subject,
        severity: 'MAJOR',
        text: `the probe fails${because}`,
      });
    }
    const recent = restarts - (earlierRestarts.get(instanceKey(workload, slot, epoch)) ?? 0);
    if (state === 'FAILED') {
      conditions.push({
        name: 'crash-loop',
        subject,
        severity: 'CRITICAL',
        text: `given up after ${restarts} restarts${because}`,
      });
    } else if (recent >= CRASH_LOOP_RESTARTS) {
      conditions.push({
        name: 'crash-loop',
        subject,
        severity: 'MAJOR',
        text: `restarted ${recent} times within minutes${because}`,
      });
    }
  }
  return conditions;
}

/** What identifies an alarm: its name and what it is about. */
export function alarmKey({
  name,
  subject,
}: Pick<Condition, 'name' | 'subject'> | Pick<Alarm, 'name' | 'subject'>): string {
  return subject === undefined
    ? name
    : `${name}/${workloadId(subject as ObservedWorkload['key'])}/${subject.slot ?? ''}`;
}

/** The alarms that turn what was raised into what holds now: new and changed ones raised, others cleared. Pure. */
export function planAlarms(
  raised: ReadonlyMap<string, Alarm>,
  conditions: readonly Condition[],
  changedAt: string,
): readonly Alarm[] {
  const holding = new Map(conditions.map((condition) => [alarmKey(condition), condition]));
  const news = [...holding].flatMap(([key, condition]): Alarm[] =>
    raised.get(key)?.severity === condition.severity
      ? []
      : [{ ...condition, text: condition.text.slice(0, 2000), changedAt }],
  );
  const cleared = [...raised].flatMap(([key, alarm]): Alarm[] =>
    holding.has(key) ? [] : [{ ...alarm, severity: 'CLEARED', changedAt }],
  );
  return [...news, ...cleared];
}
