import { createHash, createPublicKey, X509Certificate, type KeyObject } from 'node:crypto';
import { isIP } from 'node:net';
import { BitString, Integer, OctetString, Utf8String, fromBER } from 'asn1js';
import {
  AttributeTypeAndValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  ExtKeyUsage,
  Extension,
  GeneralName,
  GeneralNames,
  PublicKeyInfo,
} from 'pkijs';

/** What a certificate is for: `authority` signs others, so many below it in a row. */
export type CertificateUse =
  | { readonly type: 'authority'; readonly pathLength: number }
  /** Of TLS servers: DNS names and addresses. */
  | { readonly type: 'server'; readonly names: readonly string[] }
  /** Of TLS clients: one URI. */
  | { readonly type: 'client'; readonly uri: string };

export interface CertificateRequest {
  readonly commonName: string;
  readonly publicKey: KeyObject;
  readonly use: CertificateUse;
  /** Milliseconds since the epoch; certificates know whole seconds. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** 16 bytes that nobody can guess. */
  readonly serial: Uint8Array;
}

export interface Issuer {
  /** PEM; absent: the certificate is signed with its own key, the root of everything. */
  readonly certificate?: string;
  /** EC, P-256. */
  readonly privateKey: KeyObject;
}

const OID = {
  commonName: '2.5.4.3',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const;

/** An X.509 certificate (RFC 5280), signed with ECDSA and SHA-256, as PEM. */
export async function issueCertificate(request: CertificateRequest, issuer: Issuer): Promise<string> {
  const certificate = new Certificate({ version: 2 });
  certificate.serialNumber = new Integer({ valueHex: positive(request.serial) });
  certificate.subject.typesAndValues.push(nameOf(request.commonName));
  const issuedBy = issuer.certificate === undefined ? undefined : new X509Certificate(issuer.certificate);
  if (issuedBy === undefined) certificate.issuer.typesAndValues.push(nameOf(request.commonName));
  else certificate.issuer = Certificate.fromBER(issuedBy.raw).subject;
  setTime(certificate.notBefore, request.notBefore);
  setTime(certificate.notAfter, request.notAfter);
  certificate.subjectPublicKeyInfo = new PublicKeyInfo({ schema: fromBER(spkiOf(request.publicKey)).result });
  certificate.extensions = extensionsOf(request, issuedBy?.publicKey ?? request.publicKey);
  const key = issuer.privateKey.toCryptoKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
  await certificate.sign(key, 'SHA-256');
  return new X509Certificate(Buffer.from(certificate.toSchema(true).toBER())).toString();
}

/** An INTEGER that is not read as a negative number, nor begins with zeros. */
function positive(serial: Uint8Array): ArrayBuffer {
  const bytes = Uint8Array.from(serial);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.buffer;
}

function nameOf(commonName: string): AttributeTypeAndValue {
  return new AttributeTypeAndValue({ type: OID.commonName, value: new Utf8String({ value: commonName }) });
}

function setTime(time: Certificate['notBefore'], epochMilliseconds: number): void {
  time.value = new Date(Math.floor(epochMilliseconds / 1000) * 1000);
  // RFC 5280: UTCTime through 2049, GeneralizedTime from then on.
  time.type = time.value.getUTCFullYear() < 2050 ? 0 : 1;
}

function spkiOf(key: KeyObject): ArrayBuffer {
  return Uint8Array.from(publicHalf(key).export({ type: 'spki', format: 'der' })).buffer;
}

function publicHalf(key: KeyObject): KeyObject {
  return key.type === 'private' ? createPublicKey(key) : key;
}

/** RFC 7093, method 4: the leftmost 160 bits of the SHA-256 of the public key. */
function keyIdentifier(key: KeyObject): ArrayBuffer {
  const digest = createHash('sha256')
    .update(new Uint8Array(spkiOf(key)))
    .digest();
  return Uint8Array.from(digest.subarray(0, 20)).buffer;
}

function extensionsOf({ use, publicKey }: CertificateRequest, issuerKey: KeyObject): Extension[] {
  const isAuthority = use.type === 'authority';
  const constraints = isAuthority
    ? new BasicConstraints({ cA: true, pathLenConstraint: use.pathLength })
    : new BasicConstraints({ cA: false });
  // Bits from the left: digitalSignature is 0, keyCertSign 5, cRLSign 6.
  const usage = isAuthority ? { bits: 0x06, unusedBits: 1 } : { bits: 0x80, unusedBits: 7 };
  const keyUsage = new BitString({
    valueHex: Uint8Array.of(usage.bits).buffer,
    unusedBits: usage.unusedBits,
  });
  const authority = new AuthorityKeyIdentifier({
    keyIdentifier: new OctetString({ valueHex: keyIdentifier(issuerKey) }),
  });
  return [
    extension(OID.basicConstraints, constraints.toSchema(), true),
    extension(OID.keyUsage, keyUsage, true),
    extension(OID.subjectKeyIdentifier, new OctetString({ valueHex: keyIdentifier(publicKey) })),
    extension(OID.authorityKeyIdentifier, authority.toSchema()),
    ...(isAuthority ? [] : endEntityExtensions(use)),
  ];
}

function endEntityExtensions(use: Exclude<CertificateUse, { type: 'authority' }>): Extension[] {
  const purposes = new ExtKeyUsage({
    keyPurposes: [use.type === 'server' ? OID.serverAuth : OID.clientAuth],
  });
  const names =
    use.type === 'server' ? use.names.map(serverName) : [new GeneralName({ type: 6, value: use.uri })];
  return [
    extension(OID.extKeyUsage, purposes.toSchema()),
    extension(OID.subjectAltName, new GeneralNames({ names }).toSchema()),
  ];
}

function serverName(name: string): GeneralName {
  if (isIP(name) === 0) return new GeneralName({ type: 2, value: name });
  return new GeneralName({ type: 7, value: new OctetString({ valueHex: addressBytes(name) }) });
}

function addressBytes(address: string): ArrayBuffer {
  if (isIP(address) === 4) return Uint8Array.from(address.split('.').map(Number)).buffer;
  // The URL parser writes an IPv6 address without an embedded IPv4 one; what `::` stands for is filled in.
  const [head = '', tail] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const after = groups(tail ?? '');
  const missing = 8 - groups(head).length - after.length;
  const all = [...groups(head), ...Array.from({ length: missing }, () => '0'), ...after];
  return Uint8Array.from(
    all.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]),
  ).buffer;
}

function extension(extnID: string, value: { toBER(): ArrayBuffer }, critical = false): Extension {
  return new Extension({ extnID, critical, extnValue: value.toBER() });
}
