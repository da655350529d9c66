import type { HostId, TenantId, VnfInstanceId } from '../../kernel/index.ts';
import { hostIdOf, type AssignmentDocument } from '../domain/index.ts';
import type { Change, Revision, StateStore } from '../store/index.ts';
import { workloadId, type WorkloadKey } from '../../vim-drivers/index.ts';

type ChangeEntry = Change['entries'][number];

/** Removals that are remembered for each host; an agent that has missed more asks for the whole. */
const REMOVALS_PER_HOST = 256;
const WORKLOAD_ID = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})-([a-z0-9-]+)-g(\d{1,15})$/;

/** Assignments that were removed, by host: the one thing about wanted state that the records do not tell. */
export interface Removals {
  /** Takes in one entry of a durable change. */
  takeIn(at: Revision, entry: ChangeEntry): void;
  /** Keys removed after that revision, which are not assigned again; `too-old` where that is not known any more. */
  since(hostId: HostId, revision: Revision): readonly WorkloadKey[] | 'too-old';
}

interface HostRemovals {
  readonly entries: { readonly revision: Revision; readonly id: string; readonly key: WorkloadKey }[];
  /** Up to this revision the removals of the host are not known. */
  unknownUpTo: Revision;
}

export function createRemovals(store: StateStore): Removals {
  const hosts = new Map<HostId, HostRemovals>();
  const keys = new Map<string, WorkloadKey>();
  for (const { id, document } of store.list('assignment')) keys.set(id, document.workload.key);
  /** What came before this leader is read from the change log, each part of it once, when somebody asks. */
  let reachesBackTo = store.durableRevision;

  function ofHost(hostId: HostId): HostRemovals {
    const known = hosts.get(hostId) ?? { entries: [], unknownUpTo: 0 };
    hosts.set(hostId, known);
    return known;
  }

  function add(at: Revision, { id, tenant }: ChangeEntry): void {
    const host = ofHost(hostIdOf(id));
    const key = keys.get(id) ?? parseKey(id, tenant);
    if (key === undefined) host.unknownUpTo = Math.max(host.unknownUpTo, at);
    else host.entries.push({ revision: at, id, key });
    if (host.entries.length > REMOVALS_PER_HOST)
      host.unknownUpTo = Math.max(host.unknownUpTo, host.entries.shift()?.revision ?? at);
  }

  function reachBack(revision: Revision): boolean {
    if (revision >= reachesBackTo) return true;
    const changes = store.changesSince(revision);
    if (changes === 'too-old') return false;
    for (const change of changes) {
      if (change.revision > reachesBackTo) break;
      for (const entry of change.entries)
        if (entry.kind === 'assignment' && entry.record === undefined) add(change.revision, entry);
    }
    reachesBackTo = revision;
    return true;
  }

  return {
    takeIn: (at, entry) => {
      if (entry.record === undefined) {
        add(at, entry);
        keys.delete(entry.id);
      } else keys.set(entry.id, (entry.record.document as AssignmentDocument).workload.key);
    },
    since: (hostId, revision) => {
      if (!reachBack(revision)) return 'too-old';
      const host = hosts.get(hostId);
      if (host === undefined) return [];
      if (revision < host.unknownUpTo) return 'too-old';
      const removed = host.entries.filter((entry) => entry.revision > revision);
      const gone = removed.filter(({ id }) => store.get('assignment', id) === undefined);
      return [...new Map(gone.map(({ id, key }) => [id, key])).values()];
    },
  };
}

/** Works for function instances whose id is a UUID, as all that were created through an API. */
function parseKey(assignmentId: string, tenant: TenantId): WorkloadKey | undefined {
  const id = assignmentId.slice(hostIdOf(assignmentId).length + 1);
  const [, vnfInstanceId, unit, generation] = WORKLOAD_ID.exec(id) ?? [];
  if (vnfInstanceId === undefined || unit === undefined) return undefined;
  const key = { tenant, vnfInstanceId: vnfInstanceId as VnfInstanceId, unit, generation: Number(generation) };
  return workloadId(key) === id ? key : undefined;
}
