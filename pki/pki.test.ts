import { execFileSync } from 'node:child_process';
import { createPrivateKey, generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseId, systemClock, type HostId } from '../kernel/index.ts';
import {
  createHostAuthority,
  hostIdOfCertificate,
  initPki,
  issueServer,
  listCertificates,
  readHostsIssuer,
  readServer,
  renewServer,
} from './index.ts';

const sources = { now: () => Date.now(), random: randomBytes };
const hostId = parseId<HostId>('gw-1', 'hostId');
let directory: string;

beforeEach(async () => {
  directory = join(mkdtempSync(join(tmpdir(), 'pki-')), 'own');
  await initPki(directory, ['mano.example', '192.0.2.7', '2001:db8::7'], sources);
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

const file = (name: string): string => join(directory, name);
const read = (name: string): X509Certificate => new X509Certificate(readFileSync(file(name)));

describe('a directory of certificates', () => {
  it('has a server for all names that were given, signed by its root, and keys for their owner alone', () => {
    const server = read('server.crt');
    expect(server.checkHost('mano.example')).toBe('mano.example');
    expect(server.checkIP('192.0.2.7')).toBe('192.0.2.7');
    expect(server.checkIP('2001:db8::7')).toBe('2001:db8::7');
    expect(server.checkHost('other.example')).toBeUndefined();
    expect(server.verify(read('ca.crt').publicKey)).toBe(true);
    expect(server.ca).toBe(false);
    for (const name of ['ca.key', 'hosts-ca.key', 'server.key'])
      expect(statSync(file(name)).mode & 0o777).toBe(0o600);
  });

  it('is taken by OpenSSL as strictly as it can be', () => {
    const verify = (purpose: string, name: string): string =>
      execFileSync(
        'openssl',
        [
          'verify',
          '-x509_strict',
          '-purpose',
          purpose,
          '-CAfile',
          file('ca.crt'),
          '-untrusted',
          file('hosts-ca.crt'),
          file(name),
        ],
        { encoding: 'utf8' },
      );
    expect(verify('sslserver', 'server.crt')).toContain('OK');
    expect(verify('any', 'hosts-ca.crt')).toContain('OK');
    expect(() => verify('sslclient', 'server.crt')).toThrow(/unsuitable|purpose/);
  });

  it('is never made over one that is there', async () => {
    const before = readFileSync(file('ca.crt'), 'utf8');
    await expect(initPki(directory, ['x.example'], sources)).rejects.toMatchObject({ code: 'conflict' });
    expect(readFileSync(file('ca.crt'), 'utf8')).toBe(before);
  });

  it('issues to further servers, renews for the same names with a new key, and lists everything', async () => {
    await issueServer(directory, 'nats', ['nats.example'], sources);
    const before = read('server.crt');
    await renewServer(directory, 'server', sources);
    const after = read('server.crt');
    expect(after.subjectAltName).toBe(before.subjectAltName);
    expect(after.fingerprint256).not.toBe(before.fingerprint256);
    expect(after.checkPrivateKey(readKey('server.key'))).toBe(true);
    expect(listCertificates(directory).map(({ name }) => name)).toEqual(['ca', 'hosts-ca', 'nats', 'server']);
  });

  it.each(['ca', '../escape', 'A B', ''])('refuses to issue under the name "%s"', async (name) => {
    await expect(issueServer(directory, name, ['x.example'], sources)).rejects.toMatchObject({
      code: 'invalid-parameter',
    });
  });

  it('says which file is missing', () => {
    rmSync(file('hosts-ca.key'));
    expect(() => readHostsIssuer(directory)).toThrow(/hosts-ca\.key.*iotmano pki init/);
  });
});

describe('the authority for hosts', () => {
  it('issues a certificate for a host and its key, for a day, that the chain verifies', async () => {
    const authority = createHostAuthority({
      ...readHostsIssuer(directory),
      clock: systemClock,
      random: randomBytes,
    });
    const { publicKey } = generateKeyPairSync('ed25519');
    const { x = '' } = publicKey.export({ format: 'jwk' });
    const issued = await authority.issue(hostId, { x });
    const certificate = new X509Certificate(issued.certificate);
    expect(certificate.publicKey.equals(publicKey)).toBe(true);
    expect(certificate.verify(read('hosts-ca.crt').publicKey)).toBe(true);
    expect(hostIdOfCertificate(certificate)).toBe('gw-1');
    expect(Date.parse(issued.notAfter) - Date.parse(issued.notBefore)).toBe((24 * 3600 + 300) * 1000);
    expect(hostIdOfCertificate(read('server.crt'))).toBeUndefined();
  });

  it('is refused where key and certificate are of two authorities', () => {
    const options = {
      ...readHostsIssuer(directory),
      privateKey: readServer(directory).key,
      clock: systemClock,
      random: randomBytes,
    };
    expect(() => createHostAuthority(options)).toThrow(/not of one authority/);
  });
});

function readKey(name: string) {
  return createPrivateKey(readFileSync(file(name)));
}
