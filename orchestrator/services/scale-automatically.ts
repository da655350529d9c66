import { IotmanoError, type LcmOpOccId, type NsInstanceId, type VnfInstanceId } from '../../kernel/index.ts';
import type { WantedUnit } from '../domain/index.ts';
import { describePlan, planPlacement } from '../placement/index.ts';
import type { StoredRecord, Write } from '../store/index.ts';
import { withFewerSteps, type ScalingOutcome } from '../lifecycle/index.ts';
import type { ServicesContext } from './context.ts';
import { newServiceOperation, updateService } from './operation-records.ts';
import { parseScaling, planScaling, type FunctionPlan, type ScaleNs } from './scale-service.ts';
import { aspectsOfService, rolloutOf } from './service-aspects.ts';

/** A scaling that nobody has asked for by hand. */
export interface AutomaticServiceScaling {
  readonly type: 'SCALE_OUT' | 'SCALE_IN';
  readonly aspectId: string;
  readonly numberOfSteps: number;
  /** Why, for whoever reads it later. */
  readonly additionalParams: Readonly<Record<string, unknown>>;
}

/** Why what would be wanted is more than it may be; undefined: it may. */
type Refuses = (before: readonly WantedUnit[], after: readonly WantedUnit[]) => string | undefined;

export interface AutomaticServiceScalings {
  /**
   * Starts the same SCALE operation as an operator's, told as automatic, where all of it or a part has a place.
   * @param alongside writes for the same commit, given how many steps are taken
   */
  start(
    nsInstanceId: NsInstanceId,
    scaling: AutomaticServiceScaling,
    refuses: Refuses,
    alongside: (steps: number) => readonly Write[],
  ): ScalingOutcome;
}

export function createAutomaticServiceScalings(context: ServicesContext): AutomaticServiceScalings {
  return {
    start: (nsInstanceId, scaling, refuses, alongside) => {
      const record = context.state.get('ns-instance', nsInstanceId);
      if (record?.document.state !== 'INSTANTIATED' || record.document.activeOpOcc !== undefined)
        return { type: 'busy' };
      if (isInRollout(context, record, scaling.aspectId)) return { type: 'busy' };
      return withFewerSteps(scaling.numberOfSteps, (steps) =>
        attempt(context, record, { ...scaling, numberOfSteps: steps }, refuses, alongside),
      );
    },
  };
}

function isInRollout(
  context: ServicesContext,
  record: StoredRecord<'ns-instance'>,
  aspectId: string,
): boolean {
  return aspectsOfService(context, record)
    .filter(({ aspect }) => aspect.name === aspectId)
    .some(({ functions }) => functions.some((each) => rolloutOf(context, each.record) !== undefined));
}

function attempt(
  context: ServicesContext,
  record: StoredRecord<'ns-instance'>,
  { type, aspectId, numberOfSteps, additionalParams }: AutomaticServiceScaling,
  refuses: Refuses,
  alongside: (steps: number) => readonly Write[],
): ScalingOutcome {
  const request: ScaleNs = {
    scaleType: 'SCALE_NS',
    scaleNsData: { scaleNsByStepsData: { scalingDirection: type, aspectId, numberOfSteps } },
  };
  try {
    const scaling = parseScaling(context, record, request);
    const plans = planScaling(context, record, scaling, planPlacement);
    if (plans.some((plan) => plan.record.document.activeOpOcc !== undefined)) return { type: 'busy' };
    const refused = refusalOf(plans, refuses);
    if (refused !== undefined) return refused;
    const id = context.ids.uuid() as LcmOpOccId;
    context.lifecycle.context.commit([
      newServiceOperation(context, record, id, {
        operation: 'SCALE',
        operationParams: { ...request, additionalParams },
        isAutomaticInvocation: true,
        scaling,
      }),
      updateService(record, { ...record.document, activeOpOcc: id }),
      ...alongside(numberOfSteps),
    ]);
    return { type: 'started', operationId: id, steps: numberOfSteps };
  } catch (error) {
    if (error instanceof IotmanoError && error.status < 500)
      return { type: 'refused', detail: error.message };
    throw error;
  }
}

function refusalOf(plans: readonly FunctionPlan[], refuses: Refuses): ScalingOutcome | undefined {
  for (const { name, record, plan } of plans)
    if (plan.wanted === undefined)
      return {
        type: 'refused',
        detail: `${name}: ${describePlan(plan.problem, plan.result).join('; ')}`,
        vnfInstanceId: record.id as VnfInstanceId,
      };
  const before = plans.flatMap(({ record }) => record.document.wanted);
  const detail = refuses(
    before,
    plans.flatMap(({ plan }) => plan.wanted ?? []),
  );
  return detail === undefined ? undefined : { type: 'refused', detail };
}
