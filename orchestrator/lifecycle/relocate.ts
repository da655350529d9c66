import type { LcmOpOccId, VnfInstanceId } from '../../kernel/index.ts';
import { isInstallationTenant, type Caller } from '../domain/index.ts';
import { planRelocation, type RelocationPace, type RelocationPlan } from '../placement/index.ts';
import type { Write } from '../store/index.ts';
import { chooseOperations, type RelocationOperation } from './choose-operations.ts';
import type { LifecycleContext } from './context.ts';
import { startOperation } from './operation-records.ts';
import { budgetOf, goalOf, type RelocationRequest } from './parse-relocation.ts';
import { whyMoveWaits } from './rollout/move-pace.ts';
import { relocationProblem, silentHosts } from './relocation-problem.ts';

export interface StartedOperation {
  readonly vnfLcmOpOccId: LcmOpOccId;
  readonly vnfInstanceId: VnfInstanceId;
  readonly instances: number;
}

export interface Relocation {
  readonly placementPlanId: string;
  readonly kind: RelocationRequest['kind'];
  readonly plan: RelocationPlan;
  /** Names of the functions that the plan moves. */
  readonly names: ReadonlyMap<VnfInstanceId, string>;
  /** Empty for a dry run. */
  readonly operations: readonly StartedOperation[];
  /** Steps that can start only when others are done. */
  readonly postponedSteps: readonly number[];
}

/** Plans that move what is placed, for whoever may move it. */
export interface RelocationUseCases {
  /** What `carryOut` would do; changes nothing. */
  plan(caller: Caller, request: RelocationRequest): Relocation;
  /**
   * Starts, in one commit, a HEAL operation for each function that the plan moves and that can start now; all of them or none.
   * Functions that move are busy: asking again meanwhile moves others at most, and asking when all is done changes nothing.
   */
  carryOut(
    caller: Caller,
    request: RelocationRequest,
    alongside?: (started: Relocation) => readonly Write[],
  ): Relocation;
}

/** Nothing else is done while a plan is made: hosts would be taken for silent that are only not listened to. */
const PLANNING_MILLISECONDS = 1000;
const GOLDEN_RATIO = (Math.sqrt(5) - 1) / 2;

export function createRelocationUseCases(context: LifecycleContext): RelocationUseCases {
  return {
    plan: (caller, request) => prepare(context, caller, request).relocation,
    carryOut: (caller, request, alongside = () => []) => {
      const { relocation, operations } = prepare(context, caller, request);
      const started = operations.map((operation) => start(context, relocation, operation));
      const result = { ...relocation, operations: started.map(({ summary }) => summary) };
      context.commit([...started.flatMap(({ writes }) => writes), ...alongside(result)]);
      return result;
    },
  };
}

function prepare(
  context: LifecycleContext,
  caller: Caller,
  request: RelocationRequest,
): { readonly relocation: Relocation; readonly operations: readonly RelocationOperation[] } {
  const goal = goalOf(context, caller, request);
  const isStaff = isInstallationTenant(caller.tenant);
  const pace = paceOf(context);
  const problem = relocationProblem(
    context,
    ({ tenant }) => (isStaff || tenant === caller.tenant ? undefined : 'it belongs to another tenant'),
    // Who names a function wants it to be tried.
    ({ id }) => (request.kind === 'move' ? undefined : whyMoveWaits(context, id as VnfInstanceId)),
  );
  return context.inventory.look(
    (index) => {
      const plan = planRelocation(index, problem, goal, budgetOf(request), pace);
      const { operations, postponedSteps } = chooseOperations(index, context.state, problem, plan.moves);
      const relocation: Relocation = {
        placementPlanId: context.ids.uuid(),
        kind: request.kind,
        plan,
        names: namesOf(context, plan),
        operations: [],
        postponedSteps,
      };
      return { relocation, operations };
    },
    [],
    silentHosts(context),
  );
}

/** A dry run and the plan after it begin at the same function; when something has changed, it is another one, far from the last. */
function paceOf({ clock, state }: Pick<LifecycleContext, 'clock' | 'state'>): RelocationPace {
  const begin = clock.monotonic();
  return {
    timeLeft: () => 1 - (clock.monotonic() - begin) / PLANNING_MILLISECONDS,
    startAt: (state.acceptedRevision * GOLDEN_RATIO) % 1,
  };
}

function start(
  context: LifecycleContext,
  { placementPlanId, kind }: Relocation,
  { record, targetHosts, copies }: RelocationOperation,
): { readonly summary: StartedOperation; readonly writes: readonly Write[] } {
  const vnfInstanceId = record.id as VnfInstanceId;
  const operationParams = {
    cause: `placement plan ${placementPlanId} (${kind})`,
    additionalParams: { targetHosts },
  };
  const { id, writes } = startOperation(context, vnfInstanceId, record.tenant, record, {
    operation: 'HEAL',
    operationParams,
    // Nobody retries it: where it cannot end as planned, healing goes on.
    isAutomaticInvocation: true,
  });
  return { summary: { vnfLcmOpOccId: id, vnfInstanceId, instances: copies.length }, writes };
}

function namesOf({ state }: LifecycleContext, { moves }: RelocationPlan): ReadonlyMap<VnfInstanceId, string> {
  return new Map(
    moves.map(({ functionId }) => [
      functionId,
      state.get('vnf-instance', functionId)?.document.name ?? functionId,
    ]),
  );
}
