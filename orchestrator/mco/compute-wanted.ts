import type { HostId } from '../../kernel/index.ts';
import type { HostDocument } from '../domain/index.ts';
import { isStateConfirmed, type LeaseTerms } from '../inventory/index.ts';
import type { Revision, StateStore } from '../store/index.ts';
import type { McoContext } from './mco-context.ts';
import type { AssignmentMessage, WantedMessage } from './messages.ts';
import type { WantedChanges } from './wanted-changes.ts';

export interface WantedContext {
  readonly store: StateStore;
  readonly changes: WantedChanges;
  readonly diagnostics: Pick<McoContext['diagnostics'], 'requestsFor' | 'changedAt'>;
  readonly terms: LeaseTerms;
  readonly host: HostDocument;
  readonly monitoring: Pick<McoContext['monitoring'], 'collectionJobsFor'>;
}

/**
 * What a host is told: the whole without `since`, else what changed after it; `unchanged` and `too-old` otherwise.
 * Assignments are of the accepted state, the revision is the newest durable one: the sender waits until all of it is durable, and what
 * is newer than the revision comes once more with the next answer, to no harm.
 */
export function computeWanted(
  context: WantedContext,
  hostId: HostId,
  since: Revision | undefined,
): WantedMessage | 'unchanged' | 'too-old' {
  const { store, changes, host } = context;
  // A host that has pinned another state gets no orders until an operator has confirmed this one.
  if (!isStateConfirmed(host, store.stateId)) return 'unchanged';
  if (since === undefined) return toWhole(context, hostId);
  if (since > changes.revision) return 'too-old';
  const removed = changes.removedSince(hostId, since);
  if (removed === 'too-old') return 'too-old';
  const assignments = assignmentsAfter(store, hostId, since);
  const hasNews =
    assignments.length > 0 ||
    removed.length > 0 ||
    changes.hasHostChangedSince(hostId, since) ||
    context.diagnostics.changedAt(hostId) > since;
  if (!hasNews) return 'unchanged';
  // What it holds is of another state: only the whole can replace that.
  return host.stateIds === undefined
    ? toMessage(context, hostId, { full: false, assignments, removed })
    : toWhole(context, hostId);
}

function toWhole(context: WantedContext, hostId: HostId): WantedMessage {
  const assignments = assignmentsAfter(context.store, hostId, -1);
  return toMessage(context, hostId, { full: true, assignments, removed: [] });
}

function toMessage(
  { store, changes, terms, host, monitoring, diagnostics }: WantedContext,
  hostId: HostId,
  { full, assignments, removed }: Pick<WantedMessage, 'full' | 'assignments' | 'removed'>,
): WantedMessage {
  const { revision } = changes;
  return {
    revision,
    full,
    fence: { leaseNumber: store.leaseNumber, revision },
    stateId: store.stateId,
    stateIdConfirmed: isStateConfirmed(host, store.stateId),
    heartbeatIntervalSeconds: terms.heartbeatSeconds,
    leaseSeconds: terms.leaseSeconds,
    draining: host.draining,
    assignments,
    removed,
    collectionJobs: monitoring.collectionJobsFor(hostId),
    ...upgradeOrderOf(store, hostId),
    diagnosticRequests: diagnostics.requestsFor(hostId),
  };
}

function upgradeOrderOf(store: StateStore, hostId: HostId): Pick<WantedMessage, 'agentUpgrade'> {
  const order = store.get('agent-order', hostId)?.document;
  if (order === undefined) return {};
  const { orderId, version, artifact, confirmWithinSeconds } = order;
  return { agentUpgrade: { orderId, version, artifact, confirmWithinSeconds } };
}

function assignmentsAfter(store: StateStore, hostId: HostId, after: Revision): AssignmentMessage[] {
  const assignments: AssignmentMessage[] = [];
  for (const { revision, document } of store.listByPrefix('assignment', `${hostId}.`)) {
    if (revision <= after) continue;
    const { workload, lostAfterSeconds } = document;
    assignments.push({ generation: revision, lostAfterSeconds, workload });
  }
  return assignments;
}
