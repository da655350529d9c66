import type { Clock, Logger, VnfInstanceId } from '../../kernel/index.ts';
import type { AutomaticScaling, ScalingOutcome } from '../lifecycle/index.ts';
import type { StateStore, Write } from '../store/index.ts';
import { scalingAspectId } from './aspect-id.ts';
import type { LimitCounts } from './limits.ts';
import { withChange, type AspectState } from './policies/index.ts';
import type { Scaled } from './scaled.ts';
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
  readonly clock: Clock;
  readonly log: Logger;
  readonly alarms: StepAlarms;
  readonly limits: LimitCounts;
}

/**
 * Takes the step that the last look wishes, where there is one and the function or service is free: the same SCALE operation as an operator's,
 * with the reason and the figures. What has no place, or was undone, is tried again later, and an alarm is raised; `createRoomAlarms` clears it.
 */
export function takeStep(context: StepContext, scaled: Scaled, one: WatchedAspect, level: number): void {
  const { clock } = context;
  const evaluation = one.last?.evaluation;
  if (evaluation === undefined || !scaled.isFree) return;
  const failure = one.started === undefined ? undefined : scaled.failureOf(one.started);
  one.started = undefined;
  if (failure !== undefined) wait(context, scaled, one, { detail: failure });
  const waits = clock.monotonic() < (one.triedInVain?.notBefore ?? -Infinity);
  if (evaluation.level === level) {
    // What a cool-down holds back until then is wished nevertheless.
    if (!waits || evaluation.wished === level) settle(one);
    return;
  }
  if (waits) return;
  const isOut = evaluation.level > level;
  const levelAfter = (steps: number): number => level + (isOut ? steps : -steps);
  const changed = (steps: number): AspectState =>
    withChange(evaluation.state, { at: clock.now(), from: level, to: levelAfter(steps) });
  const outcome = scaled.start(
    requestOf(one, level, evaluation),
    isOut ? context.limits : undefined,
    (steps) => [stateAfter(context, scaled, one, changed(steps))],
  );
  switch (outcome.type) {
    case 'busy':
      return;
    case 'refused':
      wait(context, scaled, one, outcome);
      return;
    case 'started':
      one.started = outcome.operationId;
      one.state = changed(outcome.steps);
      one.savedAt = clock.monotonic();
      one.isUnsaved = false;
      tell(context, scaled, one, level, levelAfter(outcome.steps));
  }
}

/** The alarm is at the function that finds no room; of a service of which that is not known, at its first. */
function wait(
  { clock, alarms }: StepContext,
  scaled: Scaled,
  one: WatchedAspect,
  { detail, vnfInstanceId = scaled.functions[0] }: Omit<Extract<ScalingOutcome, { type: 'refused' }>, 'type'>,
): void {
  const times = (one.triedInVain?.times ?? 0) + 1;
  const pause = RETRY_MILLISECONDS * 2 ** Math.min(times - 1, MOST_DOUBLINGS);
  one.triedInVain = { times, notBefore: clock.monotonic() + pause };
  one.isSettled = false;
  const text = scaled.kind === 'service' ? `scaling of the service ${scaled.name}: ${detail}` : detail;
  if (vnfInstanceId !== undefined) alarms.raise({ vnfInstanceId, name: NO_ROOM, text });
}

function tell(
  { log }: StepContext,
  { kind, tenant, id }: Scaled,
  { aspect, last }: WatchedAspect,
  from: number,
  to: number,
): void {
  const reason = last?.evaluation.reasons.join('; ');
  const which = kind === 'service' ? { nsInstanceId: id } : { vnfInstanceId: id };
  log.info({ tenant, ...which, aspectId: aspect.aspect, from, to, reason }, 'scaling automatically');
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
  { tenant, id: scaledId }: Scaled,
  { aspect }: WatchedAspect,
  state: AspectState,
): Write {
  const id = scalingAspectId(scaledId, aspect.aspect);
  const document = { ...store.get('scaling-aspect', id)?.document, state };
  return { op: 'put', kind: 'scaling-aspect', id, tenant, document };
}
