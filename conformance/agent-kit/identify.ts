/** Who speaks: by a proof of the key, by the token of a session, or by the certificate of the connection. */
import { createPublicKey } from 'node:crypto';
import { jwtVerify } from 'jose';
import type { Clock } from '../../kernel/index.ts';
import type { KitAuthority } from '../kit-authority.ts';
import type { Ledger, Schemas } from './ledger.ts';
import type { Received } from './orchestrator-wire.ts';

/** Whether the connection shows a certificate of the enrolled host that is good now. */
function showsCertificate(
  { host }: Ledger,
  { certificate, hostId }: Pick<Received, 'certificate' | 'hostId'>,
  clock: Clock,
): boolean {
  if (certificate === undefined || host === undefined || hostId !== host.hostId) return false;
  const { x } = certificate.publicKey.export({ format: 'jwk' });
  return x === host.publicKey.x && clock.now() < certificate.validToDate.getTime();
}

/** Whether a message belongs to an open session of its boot. */
export function isOfSession(ledger: Ledger, received: Received, clock: Clock): boolean {
  const { token, bootId } = received;
  const { sessions, bound } = ledger;
  const isShown = showsCertificate(ledger, received, clock);
  if (token === undefined)
    return isShown && [...sessions].some(([each, boot]) => boot === bootId && bound.has(each));
  return sessions.get(token) === bootId && (isShown || !bound.has(token));
}

export interface Proven {
  readonly sealingKey: Schemas['sealing-key'] | undefined;
  /** By the certificate of the connection. */
  readonly isByCertificate: boolean;
}

/** What a request for a session proves, and tells. @returns undefined where it proves nothing */
export async function provenBy(
  ledger: Ledger,
  received: Received,
  clock: Clock,
): Promise<Proven | undefined> {
  const { proof, sealingKey } = received.body as Schemas['session-request'];
  if (proof === undefined)
    return showsCertificate(ledger, received, clock) ? { sealingKey, isByCertificate: true } : undefined;
  const key = createPublicKey({ key: { ...ledger.host?.publicKey }, format: 'jwk' });
  const verified = await jwtVerify(proof, key, { typ: 'mco-proof+jwt', algorithms: ['EdDSA'] }).catch(
    () => undefined,
  );
  const claims = (verified?.payload ?? {}) as Partial<Schemas['session-proof']>;
  const isGood =
    ledger.nonces.delete(claims.nonce ?? '') &&
    claims.sub === received.hostId &&
    claims.htu === `/mco/v1/hosts/${received.hostId}/sessions` &&
    claims.bootId === received.bootId;
  return isGood ? { sealingKey: claims.sealingKey, isByCertificate: false } : undefined;
}

/** The member of an answer that gives the host a certificate; none without an authority. */
export async function issueTo(
  ledger: Ledger,
  authority: KitAuthority | undefined,
): Promise<{ readonly certificate?: Schemas['host-certificate'] }> {
  const { host, issued, certificateSeconds } = ledger;
  if (authority === undefined || host === undefined) return {};
  const key = createPublicKey({ key: { ...host.publicKey }, format: 'jwk' });
  const certificate = await authority.issue(host.hostId, key, certificateSeconds);
  issued.push(certificate);
  return { certificate };
}
