import { createPrivateKey, generateKeyPairSync, X509Certificate, type KeyObject } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { IotmanoError, messageOf } from '../kernel/index.ts';
import { issueCertificate, type CertificateRequest, type Issuer } from './certificate.ts';

/** Where time and serial numbers come from. */
export interface PkiSources {
  /** Milliseconds since the epoch. */
  now(): number;
  random(size: number): Uint8Array;
}

/** A certificate in the directory. */
export interface ListedCertificate {
  /** File without its ending: `ca`, `hosts-ca`, `server`, and what was issued. */
  readonly name: string;
  readonly certificate: X509Certificate;
}

const DAY_MILLISECONDS = 24 * 3600 * 1000;
const ROOT_DAYS = 3650;
export const SERVER_DAYS = 397;
const NAME = /^[a-z0-9][a-z0-9.-]{0,62}$/;

/**
 * Makes a directory with everything that TLS needs: `ca` (the root, which everybody trusts), `hosts-ca` (issues certificates to hosts; its key is the only one
 * that the orchestrator needs), and `server`. Keys are readable by their owner only. What is there is left.
 * @throws IotmanoError `conflict` where the directory has a root already
 */
export async function initPki(
  directory: string,
  names: readonly string[],
  sources: PkiSources,
): Promise<void> {
  if (existsSync(join(directory, 'ca.crt')))
    throw new IotmanoError(
      'conflict',
      `${directory} has a certificate authority already; issue from it with "iotmano pki issue", or take another directory`,
    );
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const root = newKey();
  const validity = { days: ROOT_DAYS, sources };
  const authority = (commonName: string, publicKey: KeyObject, pathLength: number, issuer: Issuer) =>
    issue({ commonName, publicKey, use: { type: 'authority', pathLength } }, validity, issuer);
  const rootCertificate = await authority('iotmano root', root, 1, { privateKey: root });
  const signer: Issuer = { certificate: rootCertificate, privateKey: root };
  const hosts = newKey();
  const hostsCertificate = await authority('iotmano hosts', hosts, 0, signer);
  save(directory, 'hosts-ca', `${hostsCertificate}${rootCertificate}`, hosts);
  await issueServer(directory, 'server', names, sources, signer);
  // Last: a directory without it is one that `init` may go on with.
  save(directory, 'ca', rootCertificate, root);
}

/**
 * A certificate and key for a TLS server, signed by the root of the directory; replaces the one of that name. `names`: DNS names and addresses.
 * @throws IotmanoError `not-found` where there is no root, `invalid-parameter`
 */
export async function issueServer(
  directory: string,
  name: string,
  names: readonly string[],
  sources: PkiSources,
  issuer: Issuer = rootOf(directory),
): Promise<void> {
  if (!NAME.test(name) || name === 'ca' || name === 'hosts-ca')
    throw new IotmanoError(
      'invalid-parameter',
      `"${name}" cannot be the name of a certificate; take another one`,
    );
  if (names.length === 0)
    throw new IotmanoError(
      'invalid-parameter',
      'a server needs the names or addresses that clients reach it by',
    );
  const key = newKey();
  const request = { commonName: names[0] ?? '', publicKey: key, use: { type: 'server', names } } as const;
  save(directory, name, await issue(request, { days: SERVER_DAYS, sources }, issuer), key);
}

/** A new key and certificate for the same names. @throws IotmanoError `not-found` */
export async function renewServer(directory: string, name: string, sources: PkiSources): Promise<void> {
  const { subjectAltName = '' } = new X509Certificate(readPem(directory, `${name}.crt`));
  const names = subjectAltName
    .split(', ')
    .map((entry) => /^(?:DNS|IP Address):(.+)$/.exec(entry)?.[1])
    .filter((each) => each !== undefined);
  await issueServer(directory, name, names, sources);
}

export function listCertificates(directory: string): readonly ListedCertificate[] {
  const files = existsSync(directory) ? readdirSync(directory).filter((file) => file.endsWith('.crt')) : [];
  return files.toSorted().map((file) => ({
    name: file.slice(0, -'.crt'.length),
    certificate: new X509Certificate(readPem(directory, file)),
  }));
}

/** The certificate of the orchestrator itself, with its chain. @throws IotmanoError `not-found` */
export function readServer(directory: string): { readonly cert: string; readonly key: string } {
  return { cert: readPem(directory, 'server.crt'), key: readPem(directory, 'server.key') };
}

/** What issues certificates to hosts. @throws IotmanoError `not-found` */
export function readHostsIssuer(directory: string): {
  readonly certificates: string;
  readonly privateKey: string;
} {
  return {
    certificates: readPem(directory, 'hosts-ca.crt'),
    privateKey: readPem(directory, 'hosts-ca.key'),
  };
}

function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

function issue(
  request: Pick<CertificateRequest, 'commonName' | 'publicKey' | 'use'>,
  { days, sources }: { readonly days: number; readonly sources: PkiSources },
  issuer: Issuer,
): Promise<string> {
  const notBefore = sources.now() - DAY_MILLISECONDS;
  const notAfter = sources.now() + days * DAY_MILLISECONDS;
  return issueCertificate({ ...request, notBefore, notAfter, serial: sources.random(16) }, issuer);
}

function rootOf(directory: string): Issuer {
  return {
    certificate: readPem(directory, 'ca.crt'),
    privateKey: createPrivateKey(readPem(directory, 'ca.key')),
  };
}

function save(directory: string, name: string, certificates: string, key: KeyObject): void {
  const files = [
    [`${name}.key`, key.export({ type: 'pkcs8', format: 'pem' }).toString(), 0o600],
    [`${name}.crt`, certificates, 0o644],
  ] as const;
  for (const [file, content, mode] of files) writeFileSync(join(directory, `${file}.new`), content, { mode });
  for (const [file] of files) renameSync(join(directory, `${file}.new`), join(directory, file));
}

function readPem(directory: string, file: string): string {
  try {
    return readFileSync(join(directory, file), 'utf8');
  } catch (error) {
    throw new IotmanoError(
      'not-found',
      `${join(directory, file)} cannot be read: ${messageOf(error)}; make the directory with "iotmano pki init", or bring the file back`,
      {},
      error,
    );
  }
}
