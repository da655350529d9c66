import {
  SYSTEM_TENANT,
  toTimestamp,
  type Clock,
  type HostId,
  type VnfInstanceId,
} from '../../kernel/index.ts';
import { assignmentId, isSameJson, type ObservedDocument } from '../domain/index.ts';
import {
  appliedRevisionOf,
  type StateStore,
  type StateView,
  type StoredRecord,
  type Write,
} from '../store/index.ts';
import type { ObservedWorkload, WorkloadKey } from '../../vim-drivers/index.ts';

/** What a host, or the controller of a VIM, says of what runs there. */
export interface HostReport {
  /** All that runs there; otherwise what changed since the last report. */
  readonly full: boolean;
  readonly workloads: readonly ObservedWorkload[];
  readonly removed: readonly WorkloadKey[];
  /** The wanted state that it reflects, and the store that this came from. */
  readonly appliedRevision?: number;
  readonly appliedStateId?: string;
}

type ObservedRecord = StoredRecord<'observed'>;

/**
 * Takes over what a host observes: writes what changed, deletes what is gone, ignores what is not, and was not, assigned to the host.
 * The tenant follows from the assignment, never from the host's word.
 * @returns how many entries were ignored
 */
export function takeReport(store: StateStore, clock: Clock, hostId: HostId, report: HostReport): number {
  const { writes, ignored } = planReport(store, hostId, report, toTimestamp(clock.now()));
  store.commit(writes);
  return ignored;
}

function planReport(
  state: StateView & Pick<StateStore, 'stateId'>,
  hostId: HostId,
  report: HostReport,
  reportedAt: string,
): { readonly writes: readonly Write[]; readonly ignored: number } {
  const { workloads } = report;
  const known = new Map(
    [...state.listByPrefix('observed', `${hostId}.`)].map((record) => [record.id, record]),
  );
  const seen = new Map(workloads.map((workload) => [assignmentId(hostId, workload.key), workload]));
  const writes: Write[] = [];
  let ignored = workloads.length - seen.size;
  for (const [id, workload] of seen) {
    const tenant = tenantOf(state, known, hostId, workload);
    if (tenant === undefined || tenant !== workload.key.tenant) ignored += 1;
    else if (!isSameJson(known.get(id)?.document.workload, workload)) {
      const document: ObservedDocument = { hostId, workload, reportedAt };
      writes.push({ op: 'put', kind: 'observed', id, tenant, document });
    }
  }
  writes.push(...deletions(known, seen, hostId, report), ...appliedWrites(state, hostId, report));
  return { writes, ignored };
}

function tenantOf(
  state: StateView,
  known: ReadonlyMap<string, ObservedRecord>,
  hostId: HostId,
  { key }: ObservedWorkload,
): ObservedRecord['tenant'] | undefined {
  const id = assignmentId(hostId, key);
  return (
    state.get('assignment', id)?.tenant ??
    known.get(id)?.tenant ??
    tenantOfWithdrawn(state, hostId, key.vnfInstanceId)
  );
}

/** What was taken from the host before it had reported it first is waited for to go away, as all else that was. */
function tenantOfWithdrawn(
  state: StateView,
  hostId: HostId,
  vnfInstanceId: VnfInstanceId,
): ObservedRecord['tenant'] | undefined {
  const instance = state.get('vnf-instance', vnfInstanceId);
  const isWithdrawn = instance?.document.withdrawn?.some((withdrawal) => withdrawal.hostId === hostId);
  return isWithdrawn === true ? instance?.tenant : undefined;
}

/** A revision of another store says nothing here. */
function appliedWrites(
  state: StateView & Pick<StateStore, 'stateId'>,
  hostId: HostId,
  { appliedRevision, appliedStateId }: HostReport,
): readonly Write[] {
  if (appliedRevision === undefined || appliedStateId !== state.stateId) return [];
  if (appliedRevisionOf(state, hostId) >= appliedRevision) return [];
  const document = { revision: appliedRevision };
  return [{ op: 'put', kind: 'host-applied', id: hostId, tenant: SYSTEM_TENANT, document }];
}

function deletions(
  known: ReadonlyMap<string, ObservedRecord>,
  seen: ReadonlyMap<string, ObservedWorkload>,
  hostId: HostId,
  { full, removed }: HostReport,
): Write[] {
  const gone = new Set(full ? known.keys() : removed.map((key) => assignmentId(hostId, key)));
  return [...known.values()]
    .filter(({ id }) => gone.has(id) && !seen.has(id))
    .map(({ id, revision }) => ({ op: 'delete', kind: 'observed', id, expectedRevision: revision }));
}
