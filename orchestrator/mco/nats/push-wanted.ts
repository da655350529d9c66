import { messageOf, type HostId } from '../../../kernel/index.ts';
import type { HostDocument } from '../../domain/index.ts';
import type { Revision } from '../../store/index.ts';
import { computeWanted } from '../compute-wanted.ts';
import type { McoContext } from '../mco-context.ts';
import { sealAssignments } from '../seal-assignments.ts';
import { envelope } from './message-headers.ts';
import { hostSubject } from './subjects.ts';

export interface Pushes {
  /** A host was answered: what it has from now on, and which boot of it. */
  told(hostId: HostId, bootId: string, revision: Revision): void;
  close(): void;
}

export interface Push {
  readonly subject: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Absent: the host has to ask. */
  readonly body?: Uint8Array;
}

interface Known {
  readonly bootId: string;
  revision: Revision;
}

interface Host {
  readonly unsubscribe: () => void;
  /** The newest is the last. */
  boots: readonly Known[];
}

/** Orchestration and monitoring agent may be two processes, each of a boot of its own. */
const BOOTS_PER_HOST = 2;

/**
 * Tells hosts what has changed for them as soon as it is durable. Each push builds on what the host was told last; a host that has missed
 * that one, or has asked another orchestrator since, sees so and asks. Costs nothing while nothing changes.
 * @param maxBytes of one push; what is larger is announced without its content
 */
export function createPushes(
  context: McoContext,
  maxBytes: () => number,
  send: (push: Push) => void,
): Pushes {
  const { store, changes, log } = context;
  const hosts = new Map<HostId, Host>();
  const endOfHosts = store.subscribe(({ entries }) => {
    for (const { kind, id, record } of entries)
      if (kind === 'host' && record === undefined) forget(id as HostId);
  });

  function forget(hostId: HostId): void {
    hosts.get(hostId)?.unsubscribe();
    hosts.delete(hostId);
  }

  async function push(hostId: HostId, known: Known): Promise<void> {
    const since = known.revision;
    const host = store.get('host', hostId)?.document;
    if (host === undefined) return;
    const wanted = lookFor(context, hostId, host, since);
    if (wanted === 'unchanged') return;
    const revision = wanted === 'too-old' ? changes.revision : wanted.revision;
    known.revision = revision;
    await store.whenDurable();
    const headers = {
      ...envelope(context.m2mSpId),
      'Mco-Boot-Id': known.bootId,
      'Mco-Since': String(since),
      'Mco-Revision': String(revision),
    };
    const sealed = wanted === 'too-old' ? undefined : await sealAssignments(wanted, hostId, host);
    const body = sealed === undefined ? undefined : Buffer.from(JSON.stringify(sealed));
    const isSent = body !== undefined && body.length <= maxBytes();
    send({ subject: hostSubject(hostId, 'wanted.changed'), headers, ...(isSent ? { body } : {}) });
  }

  function follow(hostId: HostId): Host {
    const host: Host = {
      boots: [],
      unsubscribe: changes.subscribe(hostId, () => {
        for (const known of host.boots)
          // It sees so by the next push, or asks when its heartbeat is due.
          push(hostId, known).catch((error: unknown) => {
            log.warn({ hostId, reason: messageOf(error) }, 'a host was not told what has changed');
          });
      }),
    };
    hosts.set(hostId, host);
    return host;
  }

  return {
    told: (hostId, bootId, revision) => {
      const host = hosts.get(hostId) ?? follow(hostId);
      const known = host.boots.find((each) => each.bootId === bootId);
      if (known !== undefined) known.revision = revision;
      else host.boots = [...host.boots, { bootId, revision }].slice(-BOOTS_PER_HOST);
    },
    close: () => {
      endOfHosts();
      for (const hostId of hosts.keys()) forget(hostId);
    },
  };
}

function lookFor(
  { store, changes, inventory, monitoring, diagnostics }: McoContext,
  hostId: HostId,
  host: HostDocument,
  since: Revision,
): ReturnType<typeof computeWanted> {
  // Two machines claim it, or nobody may any more, though the servers may not have heard so yet: nobody is told anything.
  if (host.disputed || host.revokedAt !== undefined) return 'unchanged';
  const terms = inventory.leaseTerms(hostId);
  return computeWanted({ store, changes, terms, host, monitoring, diagnostics }, hostId, since);
}
