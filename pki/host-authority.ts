import { createPrivateKey, createPublicKey, X509Certificate, type KeyObject } from 'node:crypto';
import { IotmanoError, type Clock, type HostId } from '../kernel/index.ts';
import { issueCertificate } from './certificate.ts';

/** A certificate of a host, with the chain that its server knows. */
export interface HostCertificate {
  /** PEM: the host's certificate. */
  readonly certificate: string;
  /** RFC 3339. */
  readonly notBefore: string;
  readonly notAfter: string;
}

/** Issues certificates to hosts, and knows its own again. */
export interface HostAuthority {
  /** PEM: what TLS checks certificates of clients against. */
  readonly certificates: string;
  issue(hostId: HostId, publicKey: { readonly x: string }): Promise<HostCertificate>;
}

export interface HostAuthorityOptions {
  /** PEM: the authority for hosts, and the root that signed it. */
  readonly certificates: string;
  /** PEM. */
  readonly privateKey: string;
  readonly clock: Clock;
  readonly random: (size: number) => Uint8Array;
  /** Life of a certificate; the default is a day. Short, so that one that was copied and never used does not last. */
  readonly lifeSeconds?: number;
}

const DEFAULT_LIFE_SECONDS = 24 * 3600;
/** Clocks differ: a certificate is good from a little before its issue. */
const BACKDATED_MILLISECONDS = 5 * 60_000;
const URI_PREFIX = 'urn:iotmano:host:';

/** @throws IotmanoError `unprocessable` where key and certificate do not belong together, or are none */
export function createHostAuthority(options: HostAuthorityOptions): HostAuthority {
  const { certificates, clock, random, lifeSeconds = DEFAULT_LIFE_SECONDS } = options;
  const privateKey = keyOf(options);
  return {
    certificates,
    async issue(hostId, { x }) {
      const notBefore = clock.now() - BACKDATED_MILLISECONDS;
      const notAfter = clock.now() + lifeSeconds * 1000;
      const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
      const certificate = await issueCertificate(
        {
          commonName: hostId,
          publicKey,
          use: { type: 'client', uri: `${URI_PREFIX}${hostId}` },
          notBefore,
          notAfter,
          serial: random(16),
        },
        { certificate: certificates, privateKey },
      );
      const issued = new X509Certificate(certificate);
      return {
        certificate,
        notBefore: issued.validFromDate.toISOString(),
        notAfter: issued.validToDate.toISOString(),
      };
    },
  };
}

function keyOf({ certificates, privateKey }: HostAuthorityOptions): KeyObject {
  try {
    const key = createPrivateKey(privateKey);
    const certificate = new X509Certificate(certificates);
    if (!certificate.ca || !certificate.checkPrivateKey(key)) throw new TypeError('the key is another one');
    return key;
  } catch (error) {
    throw new IotmanoError(
      'unprocessable',
      'the authority for hosts cannot be used: its certificate and key are not of one authority; make both with "iotmano pki init"',
      {},
      error,
    );
  }
}

/** The host that a certificate of ours is for; undefined for one of anybody else's making. */
export function hostIdOfCertificate({
  subjectAltName,
}: {
  readonly subjectAltName?: string | undefined;
}): string | undefined {
  return /^URI:urn:iotmano:host:([a-z0-9-]{1,40})$/.exec(subjectAltName ?? '')?.[1];
}
