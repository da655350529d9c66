import type { LcmOpOccId, NsInstanceId, VnfInstanceId } from '../../kernel/index.ts';
import type { RecordDocuments } from '../domain/index.ts';
import type { StateView, StoredRecord } from '../store/index.ts';

/**
 * Finds the records of one function or service without walking over all of them. Holds ids only and reads the accepted state,
 * so it may be told of a change late or twice.
 */
export interface InstanceIndex {
  /** Looks again at one record, whatever happened to it. The function instances that it is about, before and now. */
  touch(kind: keyof RecordDocuments, id: string): readonly VnfInstanceId[];
  assignmentsOf(id: VnfInstanceId): readonly StoredRecord<'assignment'>[];
  observedOf(id: VnfInstanceId): readonly StoredRecord<'observed'>[];
  /** Function instances that are bound to this one. */
  dependentsOf(id: VnfInstanceId): readonly VnfInstanceId[];
  operationsOf(id: VnfInstanceId): readonly LcmOpOccId[];
  constituentsOf(id: NsInstanceId): readonly VnfInstanceId[];
}

interface Relation {
  /** The owners before and now. */
  set(id: string, owners: readonly string[]): readonly string[];
  of(owner: string): readonly string[];
}

export function createInstanceIndex(state: StateView): InstanceIndex {
  const assignments = createRelation();
  const observed = createRelation();
  const dependents = createRelation();
  const operations = createRelation();
  const constituents = createRelation();
  /** Instances by host from which copies of them were taken away. */
  const withdrawn = createRelation();

  function touch(kind: keyof RecordDocuments, id: string): readonly VnfInstanceId[] {
    switch (kind) {
      case 'assignment':
        return assignments.set(id, ownerOf(state.get(kind, id))) as VnfInstanceId[];
      case 'observed':
        return observed.set(id, ownerOf(state.get(kind, id))) as VnfInstanceId[];
      case 'vnf-lcm-op-occ':
        return operations.set(id, present(state.get(kind, id)?.document.vnfInstanceId)) as VnfInstanceId[];
      case 'vnf-instance': {
        const document = state.get(kind, id)?.document;
        constituents.set(id, present(document?.nsInstanceId));
        withdrawn.set(id, document?.withdrawn?.map(({ hostId }) => hostId) ?? []);
        const providers = dependents.set(id, Object.values(document?.bind ?? {}));
        return [id, ...providers] as VnfInstanceId[];
      }
      case 'host-applied':
        return withdrawn.of(id) as VnfInstanceId[];
      default:
        return [];
    }
  }

  for (const kind of ['assignment', 'observed', 'vnf-lcm-op-occ', 'vnf-instance'] as const)
    for (const { id } of state.list(kind)) touch(kind, id);

  return {
    touch,
    assignmentsOf: (id) => assignments.of(id).flatMap((recordId) => state.get('assignment', recordId) ?? []),
    observedOf: (id) => observed.of(id).flatMap((recordId) => state.get('observed', recordId) ?? []),
    dependentsOf: (id) => dependents.of(id) as readonly VnfInstanceId[],
    operationsOf: (id) => operations.of(id) as readonly LcmOpOccId[],
    constituentsOf: (id) => constituents.of(id) as readonly VnfInstanceId[],
  };
}

function ownerOf(record: StoredRecord<'assignment' | 'observed'> | undefined): readonly string[] {
  return present(record?.document.workload.key.vnfInstanceId);
}

function present(value: string | undefined): readonly string[] {
  return value === undefined ? [] : [value];
}

/** Many to many, from both ends; ids of one owner in their order. */
function createRelation(): Relation {
  const ownersOf = new Map<string, readonly string[]>();
  const idsOf = new Map<string, Set<string>>();
  return {
    set: (id, owners) => {
      const before = ownersOf.get(id) ?? [];
      for (const owner of before) {
        const ids = idsOf.get(owner);
        ids?.delete(id);
        if (ids?.size === 0) idsOf.delete(owner);
      }
      if (owners.length === 0) ownersOf.delete(id);
      else ownersOf.set(id, owners);
      for (const owner of owners) {
        const ids = idsOf.get(owner) ?? new Set<string>();
        ids.add(id);
        idsOf.set(owner, ids);
      }
      return [...new Set([...before, ...owners])];
    },
    of: (owner) => [...(idsOf.get(owner) ?? [])].toSorted(),
  };
}
