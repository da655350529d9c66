import { IotmanoError, type Clock, type HostId } from '../../kernel/index.ts';
import type { HostDocument, SessionDocument } from '../domain/index.ts';
import type { SessionIndex } from './session-index.ts';

/** What a connection has shown: a certificate of a host, signed by the authority of this orchestrator. */
export interface ShownCertificate {
  readonly hostId: string;
  /** Of the JWK of its key. */
  readonly publicKeyX: string;
  /** Milliseconds since the epoch. */
  readonly validFrom: number;
  readonly validTo: number;
}

/** Whether it is the host's, for the key that the host is bound to now, and good at this instant by the orchestrator's clock. */
export function isCertificateOf(
  { hostId, publicKeyX, validFrom, validTo }: ShownCertificate,
  host: { readonly id: string; readonly document: HostDocument },
  clock: Clock,
): boolean {
  const now = clock.now();
  return (
    hostId === host.id &&
    publicKeyX === host.document.publicKey?.['x'] &&
    host.document.revokedAt === undefined &&
    validFrom <= now &&
    now < validTo
  );
}

/** @throws IotmanoError `unauthorized` */
export function requireCertificateOf(
  certificate: ShownCertificate | undefined,
  host: { readonly id: string; readonly document: HostDocument },
  clock: Clock,
): void {
  if (certificate !== undefined && isCertificateOf(certificate, host, clock)) return;
  throw new IotmanoError(
    'unauthorized',
    `the connection shows no certificate of host ${host.id} that is good now; get a challenge and send a proof, or connect with its certificate`,
  );
}

/**
 * The session that a boot has opened with a certificate: the connection says who it is, no token has to.
 * @throws IotmanoError `unauthorized`
 */
export function requireSessionOfBoot(
  sessions: SessionIndex,
  clock: Clock,
  hostId: HostId,
  bootId: string,
): SessionDocument {
  const open = sessions
    .of(hostId)
    .map(({ document }) => document)
    .filter(
      (session) =>
        session.bootId === bootId &&
        session.isCertificateBound === true &&
        Date.parse(session.expiresAt) > clock.now(),
    );
  const session = open.find(({ roles }) => roles?.includes('orchestration') !== false) ?? open[0];
  if (session !== undefined) return session;
  throw new IotmanoError(
    'unauthorized',
    `boot ${bootId} of host ${hostId} has no open session; open one with the certificate of the host`,
  );
}
