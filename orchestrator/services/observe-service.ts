import type { VnfInstanceId } from '../../kernel/index.ts';
import { activeOperation, convergenceOf, packageOf } from '../lifecycle/index.ts';
import {
  constituentsOf,
  type ActiveService,
  type ConstituentRecord,
  type ServicesContext,
} from './context.ts';
import type { ConstituentView } from './plan-next-step.ts';
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
    ...activeOf(context, constituent, operation.document.children[constituent.name]),
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

function requiredBy({ lifecycle }: ServicesContext, { record }: ConstituentRecord): readonly VnfInstanceId[] {
  const { bind, vnfPkgId } = record.document;
  return packageOf(lifecycle.context.catalog, vnfPkgId)
    .descriptor.requires.filter(({ optional }) => !optional)
    .flatMap(({ name }) => bind[name] ?? []);
}

function activeOf(
  { lifecycle }: ServicesContext,
  { vnfInstanceId }: ConstituentRecord,
  ownId: string | undefined,
): Pick<ConstituentView, 'active'> {
  const active = activeOperation(lifecycle.context, vnfInstanceId);
  if (active === undefined) return {};
  const { operation, state, isCancelPending, rollout } = active.operation.document;
  const isPaused = rollout?.isPaused === true;
  return { active: { operation, state, isCancelPending, isPaused, isOurs: active.operation.id === ownId } };
}

function ownOf({ state }: ServicesContext, id: string | undefined): Pick<ConstituentView, 'own'> {
  const document = id === undefined ? undefined : state.get('vnf-lcm-op-occ', id)?.document;
  if (document === undefined) return {};
  return {
    own: { state: document.state, ...(document.error === undefined ? {} : { error: document.error.detail }) },
  };
}
