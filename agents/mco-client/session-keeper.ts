import {
  IotmanoError,
  messageOf,
  parseId,
  toTimestamp,
  type Clock,
  type Logger,
} from '../../kernel/index.ts';
import type { components } from '../../api-specs/generated/mco.ts';
import type { HostCertificate, HostIdentity } from '../identity/index.ts';
import { exchange, type Envelope } from './exchange.ts';
import { challenge, enrolment, session, type Session } from './messages.ts';
import { signProof } from './proof.ts';
import type { Transport } from './transport.ts';

export interface SessionKeeperOptions {
  readonly transport: Transport;
  readonly identity: HostIdentity;
  readonly bootId: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly agentVersion: string;
  /** One-time token of an operator, for the first start, or after the orchestrator has forgotten the host. */
  readonly enrolmentToken?: string | undefined;
}

export interface SessionKeeper {
  /** What every message carries, with the token of an open session; opens one, and enrols the host, where needed. */
  envelope(signal?: AbortSignal): Promise<Envelope>;
  /** The server no longer takes this token: the next `envelope` opens a new session. */
  reject(token: string | undefined): void;
  readonly current: Session | undefined;
  enrol(signal?: AbortSignal): Promise<void>;
}

/** Part of the time that there is for something, after which it is done. */
const EARLY = 0.8;
/** Of a session, whatever life certificates have. */
const SHORTEST_MILLISECONDS = 1000;
const ROLES = ['orchestration', 'monitoring'] as const;

/** Opens sessions with one proof of the host's key each, one at a time, and enrols the host before where it must. */
export function createSessionKeeper(options: SessionKeeperOptions): SessionKeeper {
  const { transport, identity, bootId, clock, log } = options;
  const base = `/mco/v1/hosts/${identity.document.hostId}`;
  let current: { readonly session: Session; readonly openUntil: number } | undefined;
  let opening: Promise<Session> | undefined;
  let counter = 0;
  /** What the orchestrator's clock said, and when that was here. */
  let serverClock:
    | { readonly epochMilliseconds: number; readonly at: number; readonly sessionMilliseconds: number }
    | undefined;

  async function enrol(signal?: AbortSignal): Promise<void> {
    const { document } = identity;
    if (options.enrolmentToken === undefined) throw mustEnrol(document.hostId);
    const { message } = await exchange(transport, {
      method: 'POST',
      path: '/mco/v1/enrolments',
      envelope: { bootId, m2mSpId: document.m2mSpId },
      body: {
        token: options.enrolmentToken,
        hostId: document.hostId,
        publicKey: identity.publicJwk,
        roles: [...ROLES],
      } satisfies components['schemas']['enrolment-request'],
      accept: { 201: enrolment },
      signal,
    }).catch((error: unknown) => {
      throw enrolmentRefused(document.hostId, error);
    });
    // A state that was pinned before stays so: another one is obeyed only after an operator has confirmed it.
    const stateId = document.stateId ?? message.stateId;
    await identity.update({ isEnrolled: true, m2mSpId: message.m2mSpId, stateId });
    if (message.certificate !== undefined) await identity.certificate.save(message.certificate);
    log.info({ hostId: document.hostId, stateId: message.stateId }, 'host enrolled');
  }

  async function open(signal?: AbortSignal): Promise<Session> {
    if (!identity.document.isEnrolled) await enrol(signal);
    try {
      return (await showCertificate(signal)) ?? (await prove(signal));
    } catch (error) {
      if (!(error instanceof IotmanoError) || error.code !== 'not-found') throw error;
      log.warn({ hostId: identity.document.hostId }, 'the orchestrator does not know this host');
      await enrol(signal);
      return prove(signal);
    }
  }

  async function prove(signal?: AbortSignal): Promise<Session> {
    const envelope: Envelope = { bootId, m2mSpId: identity.document.m2mSpId };
    const path = `${base}/challenges`;
    const asked = await exchange(transport, {
      method: 'POST',
      path,
      envelope,
      accept: { 201: challenge },
      signal,
    });
    counter += 1;
    const proof = await signProof(identity.privateKey, {
      hostId: identity.document.hostId,
      nonce: asked.message.nonce,
      bootId,
      counter,
      epochMilliseconds: clock.now(),
      sealingKey: identity.sealingKeys.current.publicJwk,
    });
    const { message } = await exchange(transport, {
      method: 'POST',
      path: `${base}/sessions`,
      envelope,
      body: { proof, ...statement() } satisfies components['schemas']['session-request'],
      accept: { 201: session },
      signal,
    });
    return take(message);
  }

  /** With the certificate in place of a proof; undefined where there is none, or the orchestrator does not take it: it may have expired in a long absence. */
  async function showCertificate(signal?: AbortSignal): Promise<Session | undefined> {
    if (!transport.isEncrypted || identity.certificate.current === undefined) return undefined;
    try {
      const { message } = await exchange(transport, {
        method: 'POST',
        path: `${base}/sessions`,
        envelope: { bootId, m2mSpId: identity.document.m2mSpId },
        headers: { 'mco-time': toTimestamp(clock.now()) },
        body: {
          ...statement(),
          sealingKey: identity.sealingKeys.current.publicJwk,
        } satisfies components['schemas']['session-request'],
        accept: { 201: session },
        signal,
      });
      return await take(message);
    } catch (error) {
      if (!(error instanceof IotmanoError) || !['unauthorized', 'malformed-request'].includes(error.code))
        throw error;
      log.info(
        { reason: error.message },
        'the certificate of this host is not taken; proving its key instead',
      );
      return undefined;
    }
  }

  function statement() {
    return {
      roles: [...ROLES],
      lastStateId: identity.document.stateId ?? parseId('none', 'stateId'),
      agentVersion: options.agentVersion,
      ...(transport.isEncrypted && isRenewalDue() ? { wantsCertificate: true } : {}),
    };
  }

  /** Before two thirds of its life have passed, by the orchestrator's clock: now, where that would be so before the next session. */
  function isRenewalDue(): boolean {
    const { current: certificate } = identity.certificate;
    if (certificate === undefined || serverClock === undefined) return true;
    const now = serverClock.epochMilliseconds + clock.monotonic() - serverClock.at;
    return !(now + serverClock.sessionMilliseconds < renewalDueAt(certificate));
  }

  async function take(message: Session): Promise<Session> {
    const epochMilliseconds = Date.parse(message.serverTime);
    const sessionMilliseconds = message.expiresInSeconds * 1000;
    serverClock = { epochMilliseconds, at: clock.monotonic(), sessionMilliseconds };
    if (message.certificate !== undefined) {
      await identity.certificate.save(message.certificate).catch((error: unknown) => {
        log.warn({ reason: messageOf(error) }, 'the new certificate of this host could not be stored');
      });
    }
    current = { session: message, openUntil: clock.monotonic() + usableMilliseconds(message) };
    tellOfState(message);
    return message;
  }

  /** A new session is opened a little before the old one ends, and in time for the next certificate, which only a session brings. */
  function usableMilliseconds({ expiresInSeconds, serverTime, certificate }: Session): number {
    const ofSession = expiresInSeconds * 1000 * EARLY;
    if (certificate === undefined) return ofSession;
    const untilRenewal = renewalDueAt(certificate) - Date.parse(serverTime);
    if (untilRenewal <= 0) return ofSession;
    return Math.min(ofSession, Math.max(untilRenewal * EARLY, SHORTEST_MILLISECONDS));
  }

  function tellOfState({ stateId, stateIdConfirmed }: Session): void {
    const { hostId, stateId: pinned } = identity.document;
    if (!stateIdConfirmed) {
      log.error(
        { hostId, stateId, pinned },
        'the orchestrator works on another state than before: functions run on unchanged until an operator confirms it',
      );
    }
  }

  return {
    get current() {
      return current?.session;
    },
    enrol,
    reject: (token) => {
      if (current?.session.token === token) current = undefined;
    },
    async envelope(signal) {
      if (current !== undefined && clock.monotonic() >= current.openUntil) current = undefined;
      opening ??= current === undefined ? open(signal).finally(() => (opening = undefined)) : undefined;
      const ready = opening === undefined ? current?.session : await opening;
      return { bootId, m2mSpId: identity.document.m2mSpId, token: ready?.token };
    },
  };
}

/** When two thirds of its life have passed: milliseconds since the epoch, by the orchestrator's clock. */
function renewalDueAt({ notBefore, notAfter }: HostCertificate): number {
  const [from, to] = [Date.parse(notBefore), Date.parse(notAfter)];
  return from + ((to - from) * 2) / 3;
}

function mustEnrol(hostId: string): IotmanoError {
  return new IotmanoError(
    'unauthorized',
    `the orchestrator does not know host "${hostId}"; get a token with "iotmano token enrol --host-id ${hostId}" and give it to the agent as IOTMANO_ENROLMENT_TOKEN or with --token-file`,
    { mustEnrol: true },
  );
}

function enrolmentRefused(hostId: string, error: unknown): unknown {
  if (!(error instanceof IotmanoError) || error.kind === 'transient') return error;
  return new IotmanoError(
    error.code,
    `host "${hostId}" could not be enrolled: ${error.message}; a token is good once, for a while, and for the host that it names: get a new one and give it to the agent as IOTMANO_ENROLMENT_TOKEN or with --token-file`,
    { ...error.context, mustEnrol: true },
    error,
  );
}
