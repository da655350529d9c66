import type { VimType } from '../domain/index.ts';

/** What the text of an error says about what to do, for all platforms: the first that fits. */
const REMEDIES: readonly (readonly [pattern: RegExp, remedy: string])[] = [
  [/ENOENT|no such file|nobody listens/i, 'start it, or correct interfaceInfo.endpoint'],
  [
    /EACCES|permission denied/i,
    "the orchestrator's user may not use it: add it to the group that owns the socket",
  ],
  [
    /ENOTFOUND|EAI_AGAIN|getaddrinfo/i,
    'the name of the host is not known: correct interfaceInfo.endpoint, or the name service',
  ],
  [/ECONNREFUSED/i, 'nothing listens there: start it, or correct the port in interfaceInfo.endpoint'],
  [/certificate has expired|CERT_HAS_EXPIRED/i, 'renew the certificate'],
  [
    /self.signed|unable to verify|UNABLE_TO_|unknown authority|issuer certificate/i,
    'its certificate is of an authority that is not trusted: give that one as interfaceInfo.trustedCertificates',
  ],
  [
    /altname|does not match certificate/i,
    'its certificate is for another name: use a name of the certificate in interfaceInfo.endpoint',
  ],
  [
    /wrong version number|EPROTO|HTTP request to an HTTPS|packet length too long/i,
    'one side speaks TLS and the other does not: correct scheme, port or certificates',
  ],
  [/\b401\b|unauthori[sz]ed/i, 'it does not accept the credentials: give new ones (iotmano vim set)'],
  [
    /\b403\b|forbidden/i,
    'the credentials may not do this: give them the rights that the manual of the driver lists',
  ],
  [
    /bad certificate|certificate required|handshake failure/i,
    'it does not accept the client certificate: give accessInfo.clientCertificate and clientKey of an authority that it trusts',
  ],
  [
    /did not answer|no answer in time|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|timed? ?out/i,
    'it does not answer: check the network, firewalls, and whether it hangs',
  ],
  [
    /ECONNRESET|socket hang up|EPIPE/i,
    'the connection is cut: check what lies between, and whether the port speaks that protocol',
  ],
];

/** What an operator can do about a VIM that cannot be reached. */
export function remedyOf(reason: string, vimType: VimType): string {
  const found = REMEDIES.find(([pattern]) => pattern.test(reason));
  return (
    found?.[1] ?? `check that the ${vimType} platform runs, and that interfaceInfo and accessInfo are right`
  );
}
