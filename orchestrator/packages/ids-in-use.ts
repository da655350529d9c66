import type { LcmOpOccId } from '../../kernel/index.ts';
import { versionsOf, type VnfInstanceDocument } from '../domain/index.ts';
import type { StateView, StoredRecord } from '../store/index.ts';
import type { ContentKind } from './content-records.ts';

/**
 * Ids of the packages, or descriptors, that must not be deleted: what instances are made of, and what an operation that is not over may still
 * bring them to, or back to. One that has failed temporarily is not over: it may be retried or rolled back.
 */
export function idsInUse(state: StateView, kind: ContentKind): ReadonlySet<string> {
  if (kind === 'ns-descriptor')
    return new Set([...state.list('ns-instance')].map(({ document }) => document.nsdInfoId));
  const ids = new Set<string>();
  for (const { document } of state.list('vnf-instance'))
    for (const id of [...idsOfVersions(document), ...idsOfChange(state, document.activeOpOcc)]) ids.add(id);
  for (const id of idsOfUpdates(state)) ids.add(id);
  return ids;
}

function idsOfVersions(instance: VnfInstanceDocument): readonly string[] {
  return versionsOf(instance).map(({ vnfPkgId }) => vnfPkgId);
}

/** Both ends of a change from one version to another. */
function idsOfChange(state: StateView, operationId: LcmOpOccId | undefined): readonly string[] {
  const rollout =
    operationId === undefined ? undefined : state.get('vnf-lcm-op-occ', operationId)?.document.rollout;
  return rollout === undefined ? [] : [rollout.before.vnfPkgId, rollout.target.vnfPkgId];
}

/** What updates of services name for functions whose turn has not come, and what functions were of whose turn is over. */
function idsOfUpdates(state: StateView): readonly string[] {
  const updates = openUpdates(state);
  if (updates.size === 0) return [];
  const wanted = new Set([...updates.values()].flatMap(vnfdIdsOf));
  const named = [...state.list('vnf-package')].filter(({ tenant, document }) =>
    wanted.has(`${tenant}/${document.descriptor?.metadata.id}`),
  );
  const changes = [...state.list('vnf-lcm-op-occ')].filter(({ document: { nsLcmOpOccId } }) =>
    nsLcmOpOccId === undefined ? false : updates.has(nsLcmOpOccId),
  );
  return [...named.map(({ id }) => id), ...changes.flatMap(({ id }) => idsOfChange(state, id as LcmOpOccId))];
}

type ServiceOperation = StoredRecord<'ns-lcm-op-occ'>;

function openUpdates(state: StateView): ReadonlyMap<string, ServiceOperation> {
  const updates = new Map<string, ServiceOperation>();
  for (const { document } of state.list('ns-instance')) {
    const operation =
      document.activeOpOcc === undefined ? undefined : state.get('ns-lcm-op-occ', document.activeOpOcc);
    if (operation?.document.operation === 'UPDATE') updates.set(operation.id, operation);
  }
  return updates;
}

/** Each with its tenant, who sees its own packages only. */
function vnfdIdsOf({ tenant, document: { operationParams } }: ServiceOperation): readonly string[] {
  const { changeVnfPackageData = [] } = operationParams as {
    readonly changeVnfPackageData?: readonly { readonly vnfdId: string }[];
  };
  return changeVnfPackageData.map(({ vnfdId }) => `${tenant}/${vnfdId}`);
}
