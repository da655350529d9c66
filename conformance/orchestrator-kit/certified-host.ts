import { X509Certificate, createPublicKey } from 'node:crypto';
import { IotmanoError, isTransient } from '../../kernel/index.ts';
import { NotApplicable } from '../case.ts';
import { uriOf } from '../kit-authority.ts';
import type { Answer, KeptConnection, TlsSide } from './agent-wire.ts';
import { BOTH_ROLES, told, type Deviation, type PlayedHost, type Schemas } from './played-host.ts';
import type { OrchestratorStage } from './stage.ts';

/** @throws NotApplicable where the target is not spoken with over TLS */
export function tlsOf({ wire }: OrchestratorStage): TlsSide {
  if (wire.tls !== undefined) return wire.tls;
  throw new NotApplicable(
    'needs TLS, since a certificate is shown on a connection of TLS only: give --target https://… and, for an authority of your own, --ca-file',
  );
}

/**
 * The certificate of a host: that of its enrolment, or one that it asks for.
 * @throws NotApplicable where the orchestrator issues none
 */
export async function certificateOf(stage: OrchestratorStage, host: PlayedHost): Promise<string> {
  tlsOf(stage);
  if (host.certificate === undefined) await host.openSession({ wantsCertificate: true });
  if (host.certificate !== undefined) return host.certificate.certificate;
  throw new NotApplicable(
    'needs an orchestrator that issues certificates: neither the enrolment nor a session gave one; give it an authority for hosts',
  );
}

/** What an agent asks for on a connection that shows its certificate: without a proof. */
export function sessionByCertificate(host: PlayedHost): Pick<Deviation, 'body'> {
  const body: Schemas['session-request'] = {
    roles: [...BOTH_ROLES],
    lastStateId: host.stateId ?? 'none',
    agentVersion: 'conformance-kit',
  };
  return { body };
}

/** Opens a session of the host's newest boot with its certificate. @returns its token. @throws CaseFailure */
export async function openByCertificate(host: PlayedHost, certificate: string): Promise<string> {
  const request = { certificate, ...sessionByCertificate(host) };
  const session = await host.expect<Schemas['session']>(201, 'openSession', request);
  host.session = { ...session, bootId: host.bootId };
  return session.token;
}

/**
 * Sends what an orchestrator must not take, on a connection that it may not take either.
 * @returns undefined where it did not take the connection
 */
export async function sendUnwelcome(
  host: PlayedHost,
  operation: string,
  deviation: Deviation,
): Promise<Answer | undefined> {
  try {
    return await host.send(operation, deviation);
  } catch (error) {
    if (error instanceof IotmanoError && isTransient(error)) return undefined;
    throw error;
  }
}

/** Whether it was told that it is not allowed, or was not listened to at all. */
export function isTurnedAway(answer: Answer | undefined): boolean {
  return answer === undefined || [401, 403].includes(answer.status);
}

export function toldOf(answer: Answer | undefined): string {
  return answer === undefined ? 'the connection was ended' : told(answer);
}

/** A connection of the host that shows the certificate and stays open, until the end of the case at most. */
export function openKept(stage: OrchestratorStage, host: PlayedHost, certificate: string): KeptConnection {
  const kept = tlsOf(stage).open({ key: host.key, certificate });
  stage.signal.addEventListener('abort', () => kept.close(), { once: true });
  return kept;
}

/** What is wrong with a certificate for the host, by host-certificate.json. */
export function certificateFaults(
  { hostId, key }: PlayedHost,
  { certificate, notBefore, notAfter }: Schemas['host-certificate'],
): readonly string[] {
  const parsed = new X509Certificate(certificate);
  const { subjectAltName = '', validFromDate, validToDate, publicKey } = parsed;
  const faults = {
    [`it is for another key than the host's`]: !publicKey.equals(createPublicKey(key)),
    [`it does not name the host by ${uriOf(hostId)}, but "${subjectAltName}"`]: !subjectAltName
      .split(', ')
      .includes(`URI:${uriOf(hostId)}`),
    [`it says that it is good from ${notBefore} until ${notAfter}, and is from ${validFromDate.toISOString()} until ${validToDate.toISOString()}`]:
      !isSameSecond(notBefore, validFromDate) || !isSameSecond(notAfter, validToDate),
  };
  return Object.entries(faults).flatMap(([fault, isThere]) => (isThere ? [fault] : []));
}

/** Certificates know whole seconds. */
function isSameSecond(timestamp: string, date: Date): boolean {
  return Math.abs(Date.parse(timestamp) - date.getTime()) < 1000;
}
