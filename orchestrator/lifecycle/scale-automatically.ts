import { IotmanoError, type LcmOpOccId, type VnfInstanceId } from '../../kernel/index.ts';
import type { WantedUnit } from '../domain/index.ts';
import { describePlan } from '../placement/index.ts';
import type { StoredRecord, Write } from '../store/index.ts';
import type { LifecycleContext } from './context.ts';
import { packageOf } from './function-catalog.ts';
import type { ScaleRequest } from './levels.ts';
import { startOperation } from './operation-records.ts';
import { planOperation } from './plan-operation.ts';
import { requireScalable } from './prepare-instance.ts';
import { requireNotInServiceOperation } from './require-state.ts';

/** A scaling that nobody has asked for by hand: SOL003's request, and in `additionalParams` why, for whoever reads it later. */
export interface AutomaticScaling extends Required<ScaleRequest> {
  readonly additionalParams: Readonly<Record<string, unknown>>;
}

/** What became of a scaling of a function, or of a service. */
export type ScalingOutcome =
  /** With fewer steps than were asked for where there is no room for all. */
  | { readonly type: 'started'; readonly operationId: LcmOpOccId; readonly steps: number }
  /** Another operation or a rollout is under way, or there is nothing to be scaled. */
  | { readonly type: 'busy' }
  /** @param vnfInstanceId of a service: the function for which there is no room */
  | { readonly type: 'refused'; readonly detail: string; readonly vnfInstanceId?: VnfInstanceId };

/** Tries all steps, then half of them, and so on. @returns what came of it; where all were refused, why the first was */
export function withFewerSteps(
  numberOfSteps: number,
  attempt: (steps: number) => ScalingOutcome,
): ScalingOutcome {
  let refused: ScalingOutcome = { type: 'busy' };
  for (let steps = numberOfSteps; steps > 0; steps = Math.floor(steps / 2)) {
    const outcome = attempt(steps);
    if (outcome.type !== 'refused') return outcome;
    if (refused.type !== 'refused') refused = outcome;
  }
  return refused;
}

export interface AutomaticScalings {
  /**
   * Starts the same SCALE operation as an operator's, told as automatic, where all of it or a part has a place.
   * @param refuses why what would be wanted is more than it may be; undefined: it may
   * @param alongside writes for the same commit, given how many steps are taken
   */
  start(
    vnfInstanceId: VnfInstanceId,
    scaling: AutomaticScaling,
    refuses: (wanted: readonly WantedUnit[]) => string | undefined,
    alongside: (steps: number) => readonly Write[],
  ): ScalingOutcome;
}

export function createAutomaticScalings(context: LifecycleContext): AutomaticScalings {
  return {
    start: (vnfInstanceId, scaling, refuses, alongside) => {
      const record = context.state.get('vnf-instance', vnfInstanceId);
      const isFree = record?.document.activeOpOcc === undefined;
      if (record?.document.instantiationState !== 'INSTANTIATED' || !isFree) return { type: 'busy' };
      if (isInServiceOperation(context, record)) return { type: 'busy' };
      return withFewerSteps(scaling.numberOfSteps, (steps) => {
        const request = { ...scaling, numberOfSteps: steps };
        const detail = problemWith(context, record, request, refuses);
        return detail === undefined
          ? begin(context, record, request, alongside(steps))
          : { type: 'refused', detail };
      });
    },
  };
}

function isInServiceOperation({ state }: LifecycleContext, record: StoredRecord<'vnf-instance'>): boolean {
  try {
    requireNotInServiceOperation(state, record);
    return false;
  } catch (error) {
    if (error instanceof IotmanoError && error.code === 'conflict') return true;
    throw error;
  }
}

function problemWith(
  context: LifecycleContext,
  record: StoredRecord<'vnf-instance'>,
  request: AutomaticScaling,
  refuses: (wanted: readonly WantedUnit[]) => string | undefined,
): string | undefined {
  const { id, tenant, document } = record;
  try {
    requireScalable(packageOf(context.catalog, document.vnfPkgId), document, request);
  } catch (error) {
    if (error instanceof IotmanoError && error.status < 500) return error.message;
    throw error;
  }
  const plan = planOperation(
    context,
    { vnfInstanceId: id as VnfInstanceId, tenant, instance: document },
    { operation: 'SCALE', state: 'STARTING', operationParams: { ...request } },
  );
  return plan.wanted === undefined
    ? describePlan(plan.problem, plan.result).join('; ')
    : refuses(plan.wanted);
}

function begin(
  context: LifecycleContext,
  record: StoredRecord<'vnf-instance'>,
  request: AutomaticScaling,
  alongside: readonly Write[],
): ScalingOutcome {
  const { id, writes } = startOperation(context, record.id as VnfInstanceId, record.tenant, record, {
    operation: 'SCALE',
    operationParams: { ...request },
    isAutomaticInvocation: true,
  });
  context.commit([...writes, ...alongside]);
  return { type: 'started', operationId: id, steps: request.numberOfSteps };
}
