import { X509Certificate } from 'node:crypto';
import { messageOf, type Clock, type Logger } from '../../kernel/index.ts';

/** PEM: a chain, and the private key that belongs to its first certificate. */
export interface ServedCertificate {
  readonly cert: string;
  readonly key: string;
}

export interface FollowOptions {
  /** @throws what says why it cannot be read */
  readonly read: () => ServedCertificate;
  /** Shows it on every connection from then on. @throws what says why it cannot be shown */
  readonly use: (served: ServedCertificate) => void;
  readonly clock: Clock;
  readonly log: Logger;
  /** Ends it. */
  readonly signal: AbortSignal;
}

const LOOK_MILLISECONDS = 30_000;

/**
 * Has a certificate that was renewed on disk shown without a restart. Of two files one may be new already and the other not yet: what cannot be
 * used is told, once for each reason, looked at again, and the one before is shown meanwhile.
 * @param served what is shown now
 */
export async function followCertificate(
  served: ServedCertificate,
  { read, use, clock, log, signal }: FollowOptions,
): Promise<void> {
  let current = served;
  let told: string | undefined;
  for (;;) {
    await clock.sleep(LOOK_MILLISECONDS, signal);
    if (signal.aborted) return;
    try {
      const found = read();
      if (found.cert !== current.cert || found.key !== current.key) {
        use(found);
        current = found;
        const { validTo } = new X509Certificate(found.cert);
        log.info({ validTo }, 'the TLS certificate was renewed on disk, and is shown from now on');
      }
      told = undefined;
    } catch (error) {
      const reason = messageOf(error);
      if (reason !== told)
        log.error({ reason }, 'the TLS certificate on disk cannot be used; the one before is shown');
      told = reason;
    }
  }
}
