import { toTimestamp, type Clock } from '../../kernel/index.ts';
import type { AuditEntryDocument, Caller, DiagnosticEnd } from '../domain/index.ts';
import type { StateStore, Write } from '../store/index.ts';
import { createAuditShares } from './audit-shares.ts';

/** Entries that are kept of each tenant. */
const MOST_AUDIT_ENTRIES = 10_000;
const ID_DIGITS = 14;

type What = Pick<AuditEntryDocument, 'action' | 'switched' | 'subject'>;

/** Who has used diagnostics and when. An entry is committed by whoever begins something, before it begins. */
export interface AuditLog {
  /** The writes of one more entry, and of what it displaces; `id` is that of the entry. */
  entryOf(caller: Caller, what: What): { readonly id: string; readonly writes: readonly Write[] };
  /** Notes how a use has ended; nothing where its entry has been dropped meanwhile. */
  endOf(
    id: string,
    end: DiagnosticEnd,
    bytes: { readonly output: number; readonly input: number },
  ): readonly Write[];
  /** What a process before has left open has ended with it. @param isOpen says which streams are this one's */
  closeAbandoned(isOpen: (streamId: string) => boolean): readonly Write[];
}

export function createAuditLog(store: StateStore, clock: Clock, most = MOST_AUDIT_ENTRIES): AuditLog {
  let last = 0;
  const shares = createAuditShares(most);
  for (const { id, tenant, document } of store.list('audit-entry')) {
    last = Math.max(last, Number(id));
    shares.add(tenant, document.user, id);
  }

  const endOf: AuditLog['endOf'] = (id, end, bytes) => {
    const record = store.get('audit-entry', id);
    if (record === undefined || record.document.end !== undefined) return [];
    const at = toTimestamp(clock.now());
    const document: AuditEntryDocument = {
      ...record.document,
      end: { at, ...end, outputBytes: bytes.output, inputBytes: bytes.input },
    };
    return [{ op: 'update', kind: 'audit-entry', id, expectedRevision: record.revision, document }];
  };

  function displacedBy(tenant: string): readonly Write[] {
    return shares.takeSurplus(tenant).flatMap((id): Write[] => {
      // Where the commit of an entry was refused, it is counted and not there.
      const revision = store.get('audit-entry', id)?.revision;
      return revision === undefined
        ? []
        : [{ op: 'delete', kind: 'audit-entry', id, expectedRevision: revision }];
    });
  }

  return {
    entryOf: ({ tenant, name, role, tokenId }, what) => {
      last += 1;
      const id = String(last).padStart(ID_DIGITS, '0');
      const document: AuditEntryDocument = {
        at: toTimestamp(clock.now()),
        user: name,
        ...(tokenId === undefined ? {} : { tokenId }),
        // No route of diagnostics is for agents.
        role: role === 'agent' ? 'viewer' : role,
        ...what,
      };
      shares.add(tenant, name, id);
      return {
        id,
        writes: [{ op: 'create', kind: 'audit-entry', id, tenant, document }, ...displacedBy(tenant)],
      };
    },
    endOf,
    closeAbandoned: (isOpen) =>
      [...store.list('audit-entry')].flatMap(({ id, document: { subject, end } }) =>
        subject === undefined || end !== undefined || isOpen(subject.streamId)
          ? []
          : endOf(id, { reason: 'RESTARTED' }, { output: 0, input: 0 }),
      ),
  };
}
