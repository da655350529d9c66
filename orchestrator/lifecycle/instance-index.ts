import type { HostId, LcmOpOccId, NsInstanceId, VnfInstanceId } from '../../kernel/index.ts';
import { matchesLabels, parseExpression, type ParsedExpression } from '../../descriptors/index.ts';
import { hostLabels, versionsOf, type RecordDocuments } from '../domain/index.ts';
import type { StateView, StoredRecord } from '../store/index.ts';

/**
 * Finds the records of one function or service without walking over all of them. Holds ids only and reads the accepted state,
 * so it may be told of a change late or twice.
 */
export interface InstanceIndex {
  /** Looks again at one record, whatever happened to it. The function instances that it is about, before and now. */
  touch(kind: keyof RecordDocuments, id: string): readonly VnfInstanceId[];
  assignmentsOf(id: VnfInstanceId): readonly StoredRecord<'assignment'>[];
  /** Another one after each change of an assignment of the function. */
  assignmentsVersion(id: VnfInstanceId): number;
  observedOf(id: VnfInstanceId): readonly StoredRecord<'observed'>[];
  /** Function instances that are bound to this one. */
  dependentsOf(id: VnfInstanceId): readonly VnfInstanceId[];
  operationsOf(id: VnfInstanceId): readonly LcmOpOccId[];
  constituentsOf(id: NsInstanceId): readonly VnfInstanceId[];
  /** Function instances of which something is assigned to, or displaced from, the host; one may be named more than once. */
  ownersOn(hostId: HostId): Iterable<VnfInstanceId>;
  /** Function instances whose coverage names a host as it is now. */
  covering(hostId: HostId): Iterable<VnfInstanceId>;
}

interface Relation {
  /** The owners before and now. */
  set(id: string, owners: readonly string[]): readonly string[];
  of(owner: string): readonly string[];
}

export function createInstanceIndex(state: StateView): InstanceIndex {
  const assignments = createRelation();
  const versions = new Map<string, number>();
  let newestVersion = 0;
  const observed = createRelation();
  const dependents = createRelation();
  const operations = createRelation();
  const constituents = createRelation();
  const coverages = new Map<VnfInstanceId, ParsedExpression>();
  /** Instances by host that their copies leave. */
  const displaced = createRelation();
  /** Instances by host from which copies of them were taken away. */
  const withdrawn = createRelation();

  function touch(kind: keyof RecordDocuments, id: string): readonly VnfInstanceId[] {
    switch (kind) {
      case 'assignment': {
        const owners = assignments.set(id, ownerOf(state.get(kind, id)));
        for (const owner of owners) versions.set(owner, (newestVersion += 1));
        return owners as VnfInstanceId[];
      }
      case 'observed':
        return observed.set(id, ownerOf(state.get(kind, id))) as VnfInstanceId[];
      case 'vnf-lcm-op-occ':
        return operations.set(id, present(state.get(kind, id)?.document.vnfInstanceId)) as VnfInstanceId[];
      case 'vnf-instance': {
        const document = state.get(kind, id)?.document;
        if (document === undefined) versions.delete(id);
        constituents.set(id, present(document?.nsInstanceId));
        displaced.set(id, document?.displaced?.map(({ hostId }) => hostId) ?? []);
        if (document?.coverage === undefined) coverages.delete(id as VnfInstanceId);
        else coverages.set(id as VnfInstanceId, parseExpression(document.coverage));
        withdrawn.set(id, document?.withdrawn?.map(({ hostId }) => hostId) ?? []);
        const bound =
          document === undefined ? [] : versionsOf(document).flatMap(({ bind }) => Object.values(bind));
        const providers = dependents.set(id, [...new Set(bound)]);
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

  function* ownersOn(hostId: HostId): Generator<VnfInstanceId> {
    for (const { document } of state.listByPrefix('assignment', `${hostId}.`))
      yield document.workload.key.vnfInstanceId;
    yield* displaced.of(hostId) as readonly VnfInstanceId[];
  }

  function* covering(hostId: HostId): Generator<VnfInstanceId> {
    const facts = state.get('host-facts', hostId)?.document;
    if (facts === undefined || coverages.size === 0) return;
    const labels = hostLabels(hostId, facts);
    for (const [id, { expression }] of coverages)
      if (expression !== undefined && matchesLabels(expression, labels)) yield id;
  }

  return {
    touch,
    ownersOn,
    covering,
    assignmentsVersion: (id) => versions.get(id) ?? 0,
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

const NONE: readonly string[] = [];

/** Many to many, from both ends; ids of one owner in their order. */
function createRelation(): Relation {
  const ownersOf = new Map<string, readonly string[]>();
  const idsOf = new Map<string, Set<string>>();
  /** Asked for several times at each look, and changed seldom. */
  const sorted = new Map<string, readonly string[]>();
  return {
    set: (id, owners) => {
      const before = ownersOf.get(id) ?? [];
      for (const owner of before) {
        const ids = idsOf.get(owner);
        if (!owners.includes(owner)) sorted.delete(owner);
        ids?.delete(id);
        if (ids?.size === 0) idsOf.delete(owner);
      }
      if (owners.length === 0) ownersOf.delete(id);
      else ownersOf.set(id, owners);
      for (const owner of owners) {
        const ids = idsOf.get(owner) ?? new Set<string>();
        if (!before.includes(owner)) sorted.delete(owner);
        ids.add(id);
        idsOf.set(owner, ids);
      }
      return before.length === 1 && owners.length === 1 && before[0] === owners[0]
        ? owners
        : [...new Set([...before, ...owners])];
    },
    of: (owner) => {
      const known = sorted.get(owner);
      if (known !== undefined) return known;
      const ids = idsOf.get(owner);
      if (ids === undefined) return NONE;
      const made = [...ids].toSorted();
      sorted.set(owner, made);
      return made;
    },
  };
}
