import type { Clock, HostId, IdSource, Logger } from '../../kernel/index.ts';
import { canTransition } from '../../kernel/index.ts';
import {
  HOST,
  type HostEvent,
  type HostState,
  type RandomBytes,
  type SessionDocument,
} from '../domain/index.ts';
import type { StateStore, StoredRecord, Write } from '../store/index.ts';
import { createEnrolmentTokens, type EnrolmentTokens } from './enrolment-tokens.ts';
import { enrolHost, type EnrolledHost, type EnrolmentRequest } from './enrolment.ts';
import { createFailureDetector } from './failure-detector.ts';
import { isCertificateOf, requireSessionOfBoot, type ShownCertificate } from './host-certificate.ts';
import { putFacts, type FactsMessage } from './facts.ts';
import type { LeaseTerms } from './heartbeat.ts';
import { clearAlarm } from './host-alarms.ts';
import { forgetHost, modifyHost, type HostModifications } from './host-changes.ts';
import { applyHostEvent } from './host-events.ts';
import { createLeases, type Leases } from './leases.ts';
import { createMessageSequences } from './message-sequences.ts';
import { createNonces, NONCE_SECONDS } from './nonces.ts';
import { openSession, requireHost, type OpenedSession, type SessionRequest } from './open-session.ts';
import { createSuspectedHosts } from './suspected-hosts.ts';
import { createSessionIndex, requireSession } from './session-index.ts';

const PURGE_EVERY_MILLISECONDS = 60_000;

export interface InventoryOptions {
  readonly store: StateStore;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly random: RandomBytes;
  readonly log: Logger;
  /** Where leases are kept; by default all that is known of a host's life is its heartbeats. */
  readonly leases?: Leases;
  /** Between two judgements of all hosts; default 250. */
  readonly judgeEveryMilliseconds?: number;
}

/** Hosts: who they are, what they are, and whether they are heard from. */
export interface Inventory {
  readonly tokens: EnrolmentTokens;
  enrol(request: EnrolmentRequest): Promise<EnrolledHost>;
  /** A nonce for a proof. @throws IotmanoError `not-found`, `conflict` (disputed) */
  challenge(hostId: HostId): { readonly nonce: string; readonly expiresInSeconds: number };
  openSession(hostId: HostId, request: SessionRequest): Promise<OpenedSession>;
  /** @throws IotmanoError `unauthorized` */
  requireSession(id: string): SessionDocument;
  /** The session that a boot has opened with the host's certificate. @throws IotmanoError `unauthorized` */
  requireSessionOfBoot(hostId: HostId, bootId: string): SessionDocument;
  /** Whether the certificate that a connection shows is the host's, and good now. */
  isCertificateOf(certificate: ShownCertificate, hostId: HostId): boolean;
  /** @throws IotmanoError `not-found`, `conflict` (disputed) */
  requireHost(hostId: HostId): StoredRecord<'host'>;
  putFacts(hostId: HostId, message: FactsMessage): void;
  /**
   * A heartbeat came in. Writes only where the host was not READY.
   * @param clockOffsetMilliseconds the host's clock minus ours, where the heartbeat told it
   */
  renewLease(hostId: HostId, clockOffsetMilliseconds?: number): void;
  /** As the last heartbeat that told it. Information only. */
  clockOffsetMilliseconds(hostId: HostId): number | undefined;
  leaseTerms(hostId: HostId): LeaseTerms;
  modify(host: StoredRecord<'host'>, changes: HostModifications): void;
  /** @param alongside goes into the same commit @throws IotmanoError `conflict` where something is assigned there */
  forget(host: StoredRecord<'host'>, alongside?: readonly Write[]): void;
  /** Since the last renewal; counted from the leader's start where the host was not heard since. Monotonic. */
  silentForMilliseconds(hostId: HostId): number;
  /** It is expected to be heard later; once its lease has lapsed, only a renewal gives it another one. */
  hasLease(hostId: HostId): boolean;
  /** Too many hosts of its zone fell silent at once: the network is suspected, and nothing is moved. */
  isBraked(hostId: HostId): boolean;
  /** Hosts that have no lease, as far as they have been judged. */
  suspectedHosts(): Iterable<HostId>;
  /** Judges all hosts once, as `run` does all the time. */
  judge(): void;
  /** Detects failures and forgets what has expired, until the signal aborts. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
}

export function createInventory(options: InventoryOptions): Inventory {
  const { store, clock, ids, random, log } = options;
  const leases = options.leases ?? createLeases(store, clock);
  const { judgeEveryMilliseconds } = options;
  const detector = createFailureDetector({ store, clock, leases, log, judgeEveryMilliseconds });
  const sessions = createSessionIndex(store, clock);
  const nonces = createNonces(clock, random);

  const suspectedHosts = createSuspectedHosts(store);
  const clockOffsets = new Map<HostId, number>();

  function renewLease(hostId: HostId, clockOffsetMilliseconds?: number): void {
    leases.renew(hostId);
    if (clockOffsetMilliseconds !== undefined) clockOffsets.set(hostId, clockOffsetMilliseconds);
    const host = store.get('host', hostId);
    if (host === undefined || !canTransition<HostState, HostEvent>(HOST, host.document.state, 'renewed'))
      return;
    const document = applyHostEvent(host.document, 'renewed', hostId, clock.now());
    store.commit([
      { op: 'update', kind: 'host', id: hostId, expectedRevision: host.revision, document },
      ...clearAlarm(store, 'host-lost', { hostId }, clock.now()),
    ]);
    log.info({ hostId, was: host.document.state, state: document.state }, 'host is heard');
  }

  const factSequences = createMessageSequences(store);
  const tokens = createEnrolmentTokens(store, clock, ids, random);

  async function purgeForEver(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await clock.sleep(PURGE_EVERY_MILLISECONDS, signal);
      if (signal.aborted) return;
      try {
        sessions.purge();
        tokens.purge();
      } catch (error) {
        log.error({ err: error }, 'expired sessions and tokens could not be removed');
      }
    }
  }

  return {
    tokens,
    enrol: async (request) => {
      const enrolled = await enrolHost(store, clock, request);
      leases.renew(request.hostId);
      return enrolled;
    },
    challenge: (hostId) => {
      requireHost(store, hostId);
      return { nonce: nonces.issue(hostId), expiresInSeconds: NONCE_SECONDS };
    },
    openSession: (hostId, request) =>
      openSession({ store, clock, random, nonces, sessions }, hostId, request),
    requireSession: (id) => requireSession(store, clock, id),
    requireSessionOfBoot: (hostId, bootId) => requireSessionOfBoot(sessions, clock, hostId, bootId),
    isCertificateOf: (certificate, hostId) => isCertificateOf(certificate, requireHost(store, hostId), clock),
    requireHost: (hostId) => requireHost(store, hostId),
    putFacts: (hostId, message) => putFacts(store, factSequences, hostId, message),
    renewLease,
    clockOffsetMilliseconds: (hostId) => clockOffsets.get(hostId),
    leaseTerms: (hostId) => leases.terms(hostId),
    modify: (host, changes) => modifyHost(store, clock, sessions, host, changes),
    forget: (host, alongside) => {
      forgetHost(store, clock, sessions, host, alongside);
      leases.forget(host.id as HostId);
      clockOffsets.delete(host.id as HostId);
    },
    silentForMilliseconds: (hostId) => leases.silentForMilliseconds(hostId),
    hasLease: (hostId) => {
      const state = store.get('host', hostId)?.document.state;
      return (state === 'READY' || state === 'DRAINING') && !leases.hasLapsed(hostId);
    },
    isBraked: (hostId) => detector.isBraked(hostId),
    suspectedHosts,
    judge: () => detector.judge(),
    run: async (signal) => {
      await Promise.all([detector.run(signal), purgeForEver(signal)]);
    },
  };
}
