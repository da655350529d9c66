import type { VnfInstanceId } from '../../kernel/index.ts';
import { activeOperation, convergenceOf, packageOf } from '../lifecycle/index.ts';
import {
  constituentsOf,
  descriptorOf,
  type ActiveService,
  type ConstituentRecord,
  type ServicesContext,
} from './context.ts';
import type { ConstituentView } from './plan-next-step.ts';
import { stepsOf } from './service-aspects.ts';
import { updateStateOf } from './update-service.ts';

/** The functions of a service as the planner sees them, in order of name. */
export function observeService(
  context: ServicesContext,
  { instance, operation }: ActiveService,
): readonly ConstituentView[] {
  const constituents = constituentsOf(context, instance);
  const nameOf = new Map(constituents.map(({ name, vnfInstanceId }) => [vnfInstanceId, name]));
  return constituents.map((constituent) => ({
    name: constituent.name,
    after: requiredBy(context, constituent).flatMap((id) => nameOf.get(id) ?? []),
    before: constituents
      .filter(({ record }) => Object.values(record.document.bind).includes(constituent.vnfInstanceId))
      .map(({ name }) => name),
    isInstantiated: constituent.record.document.instantiationState === 'INSTANTIATED',
    isWell: convergenceOf(context.lifecycle.context, constituent.vnfInstanceId, constituent.record.document)
      .isReached,
    ...updateOf(context, operation.document, constituent),
    ...scaleOf(context, instance, operation.document, constituent, nameOf),
    ...activeOf(context, constituent, operation.document),
    ...ownOf(context, operation.document.children[constituent.name]),
  }));
}

function updateOf(
  context: ServicesContext,
  operation: ActiveService['operation']['document'],
  constituent: ConstituentRecord,
): Pick<ConstituentView, 'update'> {
  const update = updateStateOf(context, operation, constituent);
  return update === undefined ? {} : { update };
}

/** Steps that are missing of what the scaling wants; on the way back, of what was before. */
function scaleOf(
  context: ServicesContext,
  instance: ActiveService['instance'],
  { state, scaling }: ActiveService['operation']['document'],
  constituent: ConstituentRecord,
  nameOf: ReadonlyMap<VnfInstanceId, string>,
): Pick<ConstituentView, 'scale'> {
  const { name, vnfInstanceId, record } = constituent;
  const change = scaling?.functions[name];
  if (scaling === undefined || change === undefined) return {};
  const { descriptor } = packageOf(context.lifecycle.context.catalog, record.document.vnfPkgId);
  const own = descriptor.scaling.find(({ aspect }) => aspect === change.aspect);
  const wanted = state === 'ROLLING_BACK' ? change.before : change.after;
  const steps = own === undefined ? 0 : wanted - stepsOf(context, record, own);
  const order = descriptorOf(context, instance).aspects.find(
    ({ name: each }) => each === scaling.aspect,
  )?.order;
  if (order !== undefined) {
    const place = order.indexOf(name);
    return { scale: { steps, after: order.slice(0, place), before: order.slice(place + 1) } };
  }
  const users = constituentsOf(context, instance).filter(({ record: { document } }) =>
    Object.values(document.bind).includes(vnfInstanceId),
  );
  return {
    scale: {
      steps,
      after: requiredBy(context, constituent).flatMap((id) => nameOf.get(id) ?? []),
      before: users.map((user) => user.name),
    },
  };
}

function requiredBy({ lifecycle }: ServicesContext, { record }: ConstituentRecord): readonly VnfInstanceId[] {
  const { bind, vnfPkgId } = record.document;
  return packageOf(lifecycle.context.catalog, vnfPkgId)
    .descriptor.requires.filter(({ optional }) => !optional)
    .flatMap(({ name }) => bind[name] ?? []);
}

function activeOf(
  { lifecycle }: ServicesContext,
  { name, vnfInstanceId }: ConstituentRecord,
  { children, undone }: ActiveService['operation']['document'],
): Pick<ConstituentView, 'active'> {
  const active = activeOperation(lifecycle.context, vnfInstanceId);
  if (active === undefined) return {};
  const { id, document } = active.operation;
  const { operation, state, isCancelPending, rollout, error } = document;
  return {
    active: {
      operation,
      state,
      isCancelPending,
      isPaused: rollout?.isPaused === true,
      isOurs: id === children[name],
      isUndone: id === undone?.[name],
      ...(error === undefined ? {} : { error: error.detail }),
    },
  };
}

function ownOf({ state }: ServicesContext, id: string | undefined): Pick<ConstituentView, 'own'> {
  const document = id === undefined ? undefined : state.get('vnf-lcm-op-occ', id)?.document;
  if (document === undefined) return {};
  return {
    own: { state: document.state, ...(document.error === undefined ? {} : { error: document.error.detail }) },
  };
}
