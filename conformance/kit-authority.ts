import { X509Certificate, generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto';
import { toTimestamp, type Clock } from '../kernel/index.ts';
import { issueCertificate, type CertificateUse } from '../pki/index.ts';
import type { components } from '../api-specs/generated/mco.ts';

type HostCertificate = components['schemas']['host-certificate'];

/** An authority of the kit's own: made for one run, and believed by nobody who is not told to. */
export interface KitAuthority {
  /** PEM: what to believe. */
  readonly certificate: string;
  /** PEM: key and certificate of a TLS server under these names and addresses. */
  server(names: readonly string[]): Promise<{ readonly key: string; readonly cert: string }>;
  /** For the key of a host, as host-certificate.json says, good from now on. */
  issue(hostId: string, publicKey: KeyObject, lifeSeconds: number): Promise<HostCertificate>;
}

/** Longer than any run. */
const LIFE_SECONDS = 24 * 3600;
/** Clocks of two machines differ. */
const BACKDATED_SECONDS = 3600;
const COMMON_NAME = 'Mco conformance kit';

export async function createKitAuthority(clock: Pick<Clock, 'now'>): Promise<KitAuthority> {
  const root = newKey();
  const sign = (
    commonName: string,
    publicKey: KeyObject,
    use: CertificateUse,
    { from = -BACKDATED_SECONDS, to = LIFE_SECONDS }: { readonly from?: number; readonly to?: number } = {},
    certificate?: string,
  ): Promise<string> => {
    const [notBefore, notAfter] = [clock.now() + from * 1000, clock.now() + to * 1000];
    const request = { commonName, publicKey, use, notBefore, notAfter, serial: randomBytes(16) };
    return issueCertificate(request, {
      privateKey: root,
      ...(certificate === undefined ? {} : { certificate }),
    });
  };
  const own = await sign(COMMON_NAME, root, { type: 'authority', pathLength: 0 });
  return {
    certificate: own,
    async server(names) {
      const key = newKey();
      const cert = await sign(names[0] ?? COMMON_NAME, key, { type: 'server', names }, {}, own);
      return { key: key.export({ type: 'pkcs8', format: 'pem' }).toString(), cert };
    },
    async issue(hostId, publicKey, lifeSeconds) {
      const use = { type: 'client', uri: uriOf(hostId) } as const;
      const certificate = await sign(hostId, publicKey, use, { from: 0, to: lifeSeconds }, own);
      const { validFromDate, validToDate } = new X509Certificate(certificate);
      return {
        certificate,
        notBefore: toTimestamp(validFromDate.getTime()),
        notAfter: toTimestamp(validToDate.getTime()),
      };
    },
  };
}

/** What names a host in its certificate: the URI of its subjectAltName (host-certificate.json). */
export function uriOf(hostId: string): string {
  return `urn:iotmano:host:${hostId}`;
}

function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}
