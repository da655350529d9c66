import type { Clock, Logger, VnfInstanceId } from '../../kernel/index.ts';
import type { AutomaticScaling, Lifecycle } from '../lifecycle/index.ts';
import type { StateStore, StoredRecord, Write } from '../store/index.ts';
import { scalingAspectId } from './aspect-id.ts';
import type { LimitCounts } from './limits.ts';
import { withChange, type AspectState } from './policies/index.ts';
import type { WatchedAspect } from './watched-aspect.ts';

/** Where conditions that an operator should know of go; monitoring keeps them. */
export interface StepAlarms {
  raise(alarm: {
    readonly vnfInstanceId: VnfInstanceId;
    readonly name: typeof NO_ROOM;
    readonly text: string;
  }): void;
  clear(vnfInstanceId: VnfInstanceId, names: readonly string[], reason?: string): void;
  standing(): readonly { readonly vnfInstanceId: VnfInstanceId; readonly name: string }[];
}

export const NO_ROOM = 'no-room-for-scaling';
const RETRY_MILLISECONDS = 5_000;
const MOST_DOUBLINGS = 4;

interface StepContext {
  readonly store: StateStore;
  readonly lifecycle: Pick<Lifecycle, 'automaticScalings'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly alarms: StepAlarms;
  readonly limits: LimitCounts;
}

/**
 * Takes the step that the last look wishes, where there is one and the function is free: the same SCALE operation as an operator's,
 * with the reason and the figures. What has no place is tried again later, and an alarm is raised; `createRoomAlarms` clears it.
 */
export function takeStep(
  context: StepContext,
  record: StoredRecord<'vnf-instance'>,
  one: WatchedAspect,
  level: number,
): void {
  const { clock, alarms } = context;
  const evaluation = one.last?.evaluation;
  if (evaluation === undefined || record.document.activeOpOcc !== undefined) return;
  if (evaluation.level === level) {
    settle(one);
    return;
  }
  if (clock.monotonic() < (one.triedInVain?.notBefore ?? -Infinity)) return;
  const isOut = evaluation.level > level;
  const levelAfter = (steps: number): number => level + (isOut ? steps : -steps);
  const changed = (steps: number): AspectState =>
    withChange(evaluation.state, { at: clock.now(), from: level, to: levelAfter(steps) });
  const outcome = context.lifecycle.automaticScalings.start(
    one.vnfInstanceId,
    requestOf(one, level, evaluation),
    (wanted) => (isOut ? context.limits.refusalOf(record.document.wanted, wanted) : undefined),
    (steps) => [stateAfter(context, record, one, changed(steps))],
  );
  switch (outcome.type) {
    case 'busy':
      return;
    case 'refused': {
      const times = (one.triedInVain?.times ?? 0) + 1;
      const wait = RETRY_MILLISECONDS * 2 ** Math.min(times - 1, MOST_DOUBLINGS);
      one.triedInVain = { times, notBefore: clock.monotonic() + wait };
      one.isSettled = false;
      alarms.raise({ vnfInstanceId: one.vnfInstanceId, name: NO_ROOM, text: outcome.detail });
      return;
    }
    case 'started':
      settle(one);
      one.state = changed(outcome.steps);
      one.savedAt = clock.monotonic();
      one.isUnsaved = false;
      tell(context, record, one, level, levelAfter(outcome.steps));
  }
}

function tell(
  { log }: StepContext,
  { tenant }: StoredRecord<'vnf-instance'>,
  { vnfInstanceId, aspect, last }: WatchedAspect,
  from: number,
  to: number,
): void {
  const reason = last?.evaluation.reasons.join('; ');
  log.info({ tenant, vnfInstanceId, aspectId: aspect.aspect, from, to, reason }, 'scaling automatically');
}

type Evaluated = NonNullable<WatchedAspect['last']>['evaluation'];

function requestOf(
  { aspect, policy }: WatchedAspect,
  level: number,
  { level: wished, reasons, figures }: Evaluated,
): AutomaticScaling {
  return {
    type: wished > level ? 'SCALE_OUT' : 'SCALE_IN',
    aspectId: aspect.aspect,
    numberOfSteps: Math.abs(wished - level),
    additionalParams: {
      policy: policy.type,
      level,
      wishedLevel: wished,
      reason: reasons.join('; '),
      figures,
    },
  };
}

function settle(one: WatchedAspect): void {
  one.triedInVain = undefined;
  one.isSettled = true;
}

/** Saved in the commit of the operation, so that cool-downs and calm hold over a crash. */
function stateAfter(
  { store }: StepContext,
  { tenant }: StoredRecord<'vnf-instance'>,
  { vnfInstanceId, aspect }: WatchedAspect,
  state: AspectState,
): Write {
  const id = scalingAspectId(vnfInstanceId, aspect.aspect);
  const document = { ...store.get('scaling-aspect', id)?.document, state };
  return { op: 'put', kind: 'scaling-aspect', id, tenant, document };
}
