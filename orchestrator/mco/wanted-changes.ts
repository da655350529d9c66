import type { HostId } from '../../kernel/index.ts';
import { hostIdOf, isSameJson, type AuditEntryDocument, type HostDocument } from '../domain/index.ts';
import type { Revision, StateStore } from '../store/index.ts';
import type { WorkloadKey } from '../../vim-drivers/index.ts';
import { createRemovals } from './removals.ts';

/**
 * The durable changes that concern a host's wanted state, by host, so that a poll costs what its own host changed.
 * Assignments themselves are read from the store; here is what their records do not tell, and who waits for news.
 */
export interface WantedChanges {
  /** Newest durable revision that has been taken in. */
  readonly revision: Revision;
  /** Keys of assignments that were removed after that revision; `too-old` where that is not known any more. */
  removedSince(hostId: HostId, since: Revision): readonly WorkloadKey[] | 'too-old';
  /** Whether what is said of the host itself (draining, confirmed state, the version of its agent) changed after that revision. */
  hasHostChangedSince(hostId: HostId, since: Revision): boolean;
  /** Calls back after a change is durable, or by `wake`. Returns the end of it. */
  subscribe(hostId: HostId, listener: () => void): () => void;
  wake(hostId: HostId): void;
}

/** A change for thousands of hosts: what the first of them answer is read before the last is told, so that they do not all come at once. */
const WOKEN_AT_ONCE = 50;

export function createWantedChanges(store: StateStore): WantedChanges {
  const removals = createRemovals(store);
  const listeners = new Map<HostId, Set<() => void>>();
  const hosts = new Map<HostId, { readonly statement: unknown; readonly changedAt: Revision }>();
  const waiting = new Set<HostId>();
  let isWaking = false;
  let revision = store.durableRevision;
  for (const { id, document } of store.list('host'))
    hosts.set(id as HostId, { statement: statementOf(document), changedAt: 0 });

  store.subscribe((change) => {
    const touched = new Set<HostId>();
    for (const entry of change.entries) {
      if (entry.kind === 'assignment') {
        removals.takeIn(change.revision, entry);
        touched.add(hostIdOf(entry.id));
      }
      // What is asked of a host begins and ends with an entry of the audit log.
      const subject =
        entry.kind === 'audit-entry' && (entry.record?.document as AuditEntryDocument | undefined)?.subject;
      if (subject) touched.add(subject.hostId);
      const hostId = entry.id as HostId;
      if (entry.kind === 'agent-order') {
        takeInOrder(hostId, change.revision);
        touched.add(hostId);
      }
      if (
        entry.kind === 'host' &&
        takeInHost(hostId, entry.record?.document as HostDocument | undefined, change.revision)
      )
        touched.add(hostId);
    }
    revision = change.revision;
    for (const hostId of touched) waiting.add(hostId);
    if (!isWaking) wakeSome();
  });

  function wakeSome(): void {
    let woken = 0;
    for (const hostId of waiting) {
      waiting.delete(hostId);
      wake(hostId);
      woken += 1;
      if (woken === WOKEN_AT_ONCE) break;
    }
    isWaking = waiting.size > 0;
    if (isWaking) setImmediate(wakeSome);
  }

  /** Whether the change concerns the agent: most changes of a host's state do not. */
  function takeInHost(hostId: HostId, document: HostDocument | undefined, at: Revision): boolean {
    if (document === undefined) return hosts.delete(hostId);
    const statement = statementOf(document);
    const isNews = !isSameJson(hosts.get(hostId)?.statement, statement);
    if (isNews) hosts.set(hostId, { statement, changedAt: at });
    return isNews;
  }

  /** Deleted with its host it changes nothing more for anybody. */
  function takeInOrder(hostId: HostId, at: Revision): void {
    const known = hosts.get(hostId);
    if (known !== undefined) hosts.set(hostId, { ...known, changedAt: at });
  }

  function wake(hostId: HostId): void {
    for (const listener of listeners.get(hostId) ?? []) listener();
  }

  return {
    get revision() {
      return revision;
    },
    removedSince: (hostId, since) => removals.since(hostId, since),
    hasHostChangedSince: (hostId, since) => (hosts.get(hostId)?.changedAt ?? 0) > since,
    subscribe: (hostId, listener) => {
      const ofHost = listeners.get(hostId) ?? new Set();
      listeners.set(hostId, ofHost.add(listener));
      return () => {
        ofHost.delete(listener);
        if (ofHost.size === 0 && listeners.get(hostId) === ofHost) listeners.delete(hostId);
      };
    },
    wake,
  };
}

function statementOf({ draining, stateIds, disputed, revokedAt }: HostDocument): unknown {
  return { draining, disputed, revokedAt: revokedAt ?? null, confirmed: stateIds?.confirmed ?? null };
}
