import { IotmanoError, type Clock, type HostId } from '../../kernel/index.ts';
import type { SessionDocument } from '../domain/index.ts';
import type { StateStore, StoredRecord, Write } from '../store/index.ts';

type SessionRecord = StoredRecord<'session'>;

/** Which sessions a host has: the store knows them by the hash of their token only. */
export interface SessionIndex {
  of(hostId: HostId): readonly SessionRecord[];
  /** Writes that end sessions of a host. */
  endings(hostId: HostId, isToEnd: (session: SessionDocument) => boolean): Write[];
  /** Takes over what was just committed. */
  refresh(hostId: HostId, opened?: string): void;
  /** Ends what has expired. */
  purge(): void;
}

export function createSessionIndex(store: StateStore, clock: Clock): SessionIndex {
  const idsOf = new Map<HostId, Set<string>>();
  for (const { id, document } of store.list('session')) remember(document.hostId, id);

  function remember(hostId: HostId, id: string): void {
    const ids = idsOf.get(hostId) ?? new Set();
    idsOf.set(hostId, ids.add(id));
  }

  function of(hostId: HostId): SessionRecord[] {
    const records: SessionRecord[] = [];
    for (const id of idsOf.get(hostId) ?? []) {
      const record = store.get('session', id);
      if (record !== undefined) records.push(record);
    }
    return records;
  }

  function endings(hostId: HostId, isToEnd: (session: SessionDocument) => boolean): Write[] {
    return of(hostId)
      .filter(({ document }) => isToEnd(document))
      .map(({ id, revision }) => ({ op: 'delete', kind: 'session', id, expectedRevision: revision }));
  }

  function refresh(hostId: HostId, opened?: string): void {
    const ids = new Set(of(hostId).map(({ id }) => id));
    if (opened !== undefined) ids.add(opened);
    if (ids.size === 0) idsOf.delete(hostId);
    else idsOf.set(hostId, ids);
  }

  return {
    of,
    endings,
    refresh,
    purge: () => {
      const now = clock.now();
      for (const hostId of idsOf.keys()) {
        const writes = endings(hostId, ({ expiresAt }) => Date.parse(expiresAt) <= now);
        if (writes.length === 0) continue;
        store.commit(writes);
        refresh(hostId);
      }
    },
  };
}

/**
 * A session that is open now.
 * @param id the hash of its token
 * @throws IotmanoError `unauthorized`
 */
export function requireSession(store: StateStore, clock: Clock, id: string): SessionDocument {
  const session = store.get('session', id)?.document;
  if (session === undefined || Date.parse(session.expiresAt) <= clock.now())
    throw new IotmanoError('unauthorized', 'there is no such session, or it has ended; open a new one');
  // Of a backup that was restored: its host has to say first which state it follows.
  if (session.stateId !== undefined && session.stateId !== store.stateId)
    throw new IotmanoError(
      'unauthorized',
      'the session was opened under another state of the orchestrator; open a new one',
    );
  return session;
}
