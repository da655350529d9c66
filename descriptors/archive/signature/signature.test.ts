import { existsSync, writeFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isServiceMissing } from '../../../test/kit/services.ts';
import { buildPackage, readPackage, type SignaturePolicy } from '../index.ts';
import {
  AUTHORITY,
  openCertificateShop,
  RSA,
  SIGNER,
  type CertificateShop,
} from '../testkit/certificate-shop.ts';
import { BARE_DESCRIPTOR, makeEchoFolder } from '../testkit/echo-package.ts';
import { sha256 } from '../testkit/make-zip.ts';
import { readTexts, repack } from '../testkit/repack.ts';

const isMissing = isServiceMissing('openssl');
const MANIFEST = 'descriptor.mf';
const META = 'TOSCA-Metadata/TOSCA.meta';

let directory: string;
let folder: string;
let extractTo: string;
let shop: CertificateShop;
const at = (name: string) => join(directory, name);

beforeAll(async () => {
  if (isMissing) return;
  directory = await mkdtemp(join(tmpdir(), 'iotmano-signature-'));
  folder = await makeEchoFolder(directory);
  extractTo = at('unpacked');
  shop = openCertificateShop(directory);
  const issue = shop.issue.bind(shop);
  issue('root', { extensions: AUTHORITY });
  issue('other-root', { extensions: AUTHORITY, key: RSA });
  issue('middle', {
    issuer: 'root',
    extensions: ['basicConstraints=critical,CA:TRUE,pathlen:0', 'keyUsage=critical,keyCertSign'],
  });
  issue('below-middle', { issuer: 'middle', extensions: AUTHORITY });
  issue('signer', { issuer: 'root' });
  issue('rsa-signer', { issuer: 'other-root', key: RSA });
  issue('middle-signer', { issuer: 'middle' });
  issue('too-deep-signer', { issuer: 'below-middle' });
  issue('signer-signer', { issuer: 'signer' });
  issue('tls-server', { issuer: 'root', extensions: [...SIGNER, 'extendedKeyUsage=serverAuth'] });
  issue('agreement', { issuer: 'root', extensions: ['keyUsage=critical,keyAgreement'] });
  issue('short-lived', { issuer: 'root', days: 1 });
  issue('lonely', {});
}, 60_000);
afterAll(() => (isMissing ? undefined : rm(directory, { recursive: true, force: true })));

async function build(name: string, chain: readonly string[] = []): Promise<string> {
  const certificates = (await Promise.all([name, ...chain].map(shop.certificate))).join('');
  const key = await shop.key(name);
  const faults = await buildPackage(folder, at(`${name}.zip`), { signer: { key, certificates } });
  expect(faults).toEqual([]);
  return at(`${name}.zip`);
}

async function policy(...trusted: readonly string[]): Promise<SignaturePolicy> {
  return {
    required: true,
    trustedCertificates: await Promise.all(trusted.map(shop.certificate)),
    clock: { now: () => Date.now() },
  };
}

async function expectAccepted(file: string, signature: SignaturePolicy): Promise<void> {
  await rm(extractTo, { recursive: true, force: true });
  const { descriptor, faults } = await readPackage(file, { extractTo, signature });
  expect([descriptor?.kind, faults]).toEqual(['IoTFunctionDescriptor', []]);
}

async function expectRefused(
  file: string,
  signature: SignaturePolicy,
  rule: string,
  why = /./,
): Promise<void> {
  await rm(extractTo, { recursive: true, force: true });
  const { descriptor, files, faults } = await readPackage(file, { extractTo, signature });
  expect(faults).toMatchObject([{ rule, severity: 'error', message: expect.stringMatching(why) as string }]);
  expect(faults.every(({ remedy }) => remedy.length > 0)).toBe(true);
  expect([descriptor, files, existsSync(extractTo)]).toEqual([undefined, [], false]);
}

const hash = (content: string) => sha256(content).replace('sha256:', '');
const changeManifest = (file: string, change: (manifest: string) => string) =>
  repack(file, (files) => files.set(MANIFEST, change(files.get(MANIFEST) ?? '')));

/** Signs the manifest of an unsigned package as somebody else's tool would. */
async function signWithOpenssl(name: string, ...options: readonly string[]): Promise<string> {
  await buildPackage(folder, at('unsigned.zip'));
  return changeManifest(at('unsigned.zip'), (manifest) => signText(manifest, name, ...options));
}

function signText(manifest: string, name: string, ...options: readonly string[]): string {
  writeFileSync(at(MANIFEST), manifest);
  const who = ['-signer', `${name}.pem`, '-inkey', `${name}.key`];
  return manifest + shop.openssl('cms', '-sign', '-in', MANIFEST, ...who, '-outform', 'PEM', ...options);
}

/** A package whose signature does not bring the certificate of the signer. */
async function signBeside(path: string, certificate: string, metaLine = ''): Promise<string> {
  await buildPackage(folder, at('unsigned.zip'));
  return repack(at('unsigned.zip'), (files) => {
    const meta = files.get(META) ?? '';
    const digests = (files.get(MANIFEST) ?? '').replace(hash(meta), hash(meta + metaLine));
    const manifest = `${digests}\nSource: ${path}\nAlgorithm: SHA-256\nHash: ${hash(certificate)}\n`;
    files.set(META, meta + metaLine);
    files.set(path, certificate);
    files.set(MANIFEST, signText(manifest, 'signer', '-binary', '-nocerts'));
  });
}

describe.skipIf(isMissing)('a signed package', () => {
  it.each([
    ['an EC key', 'signer', [], ['root']],
    ['an RSA key', 'rsa-signer', [], ['other-root']],
    ['a certificate between it and the trusted one', 'middle-signer', ['middle'], ['root']],
    ['several trusted certificates', 'signer', [], ['other-root', 'root']],
    ['the trusted certificate of an authority below the root', 'middle-signer', [], ['middle']],
    ['the certificate of the signer itself as trusted one', 'lonely', [], ['root', 'lonely']],
  ])('is accepted with %s', async (_what, name, chain, trusted) => {
    await expectAccepted(await build(name, chain), await policy(...trusted));
  });

  it('verifies with OpenSSL', async () => {
    const manifest = (await readTexts(await build('middle-signer', ['middle']))).get(MANIFEST) ?? '';
    const start = manifest.indexOf('-----BEGIN CMS-----');
    await writeFile(at('content'), manifest.slice(0, start));
    await writeFile(at('signature'), manifest.slice(start));
    const files = ['-in', 'signature', '-inform', 'PEM', '-content', 'content', '-CAfile', 'root.pem'];
    expect(shop.openssl('cms', '-verify', '-binary', '-purpose', 'any', ...files)).toBe(
      manifest.slice(0, start),
    );
  });

  it('has the same bytes each time where the key is RSA', async () => {
    const first = await readFile(await build('rsa-signer'));
    expect((await readFile(await build('rsa-signer'))).equals(first)).toBe(true);
  });

  it.each([['signer'], ['rsa-signer']])('of OpenSSL is accepted, signed by %s', async (name) => {
    await expectAccepted(await signWithOpenssl(name, '-binary'), await policy('root', 'other-root'));
  });

  it('is accepted with the certificate in a file of the package: beside the manifest, or where TOSCA.meta says', async () => {
    await expectRefused(
      await signWithOpenssl('signer', '-binary', '-nocerts'),
      await policy('root'),
      'package/bad-signature',
      /certificate/,
    );
    const certificate = await shop.certificate('signer');
    await expectAccepted(await signBeside('descriptor.cert', certificate), await policy('root'));
    await expectAccepted(
      await signBeside('Files/signer.pem', certificate, 'ETSI-Entry-Certificate: Files/signer.pem\n'),
      await policy('root'),
    );
  });

  it('says in a warning that its signature was not checked when nobody is trusted', async () => {
    const { descriptor, faults } = await readPackage(await build('signer'));
    expect(descriptor).toBeDefined();
    expect(faults).toMatchObject([{ rule: 'package/unchecked-signature', severity: 'warning' }]);
  });
});

describe.skipIf(isMissing)('a package without signature', () => {
  it('is refused where one is required, as is a bare descriptor', async () => {
    await buildPackage(folder, at('unsigned.zip'));
    await expectRefused(at('unsigned.zip'), await policy('root'), 'package/unsigned');
    await writeFile(at('bare.yaml'), BARE_DESCRIPTOR);
    await expectRefused(at('bare.yaml'), await policy('root'), 'package/unsigned');
  });

  it('is accepted where none is required, while a bad signature is not', async () => {
    const optional = { ...(await policy('root')), required: false };
    await buildPackage(folder, at('unsigned.zip'));
    await expectAccepted(at('unsigned.zip'), optional);
    await expectRefused(await build('rsa-signer'), optional, 'package/untrusted-signer');
  });
});

describe.skipIf(isMissing)('a signature is refused', () => {
  it('when the manifest was changed after signing', async () => {
    for (const signed of [await build('signer'), await signWithOpenssl('signer', '-binary')]) {
      const changed = await changeManifest(signed, (manifest) => manifest.replace('echo', 'ecco'));
      await expectRefused(changed, await policy('root'), 'package/bad-signature', /changed after signing/);
    }
  });

  it('when a file was changed after signing, by its digest', async () => {
    const changed = await repack(await build('signer'), (files) =>
      files.set('Artifacts/echo.tgz', 'something else'),
    );
    await expectRefused(changed, await policy('root'), 'package/wrong-digest');
  });

  it('when a file was added behind it', async () => {
    const added = await changeManifest(await build('signer'), (manifest) => `${manifest}\n\nSource: x\n`);
    await expectRefused(added, await policy('root'), 'package/bad-signature', /something follows/);
  });

  it('when it brings the content that was signed along, and the manifest is another', async () => {
    const attached = await signWithOpenssl('signer', '-binary', '-nodetach');
    const changed = await changeManifest(attached, (manifest) => manifest.replace('echo', 'ecco'));
    await expectRefused(changed, await policy('root'), 'package/bad-signature', /own content/);
  });

  it('when its digest is weak', async () => {
    const weak = await signWithOpenssl('rsa-signer', '-binary', '-md', 'sha1');
    await expectRefused(weak, await policy('other-root'), 'package/bad-signature', /algorithm/);
  });

  it('when two have signed', async () => {
    const both = await signWithOpenssl(
      'signer',
      '-binary',
      '-signer',
      'rsa-signer.pem',
      '-inkey',
      'rsa-signer.key',
    );
    await expectRefused(both, await policy('root'), 'package/bad-signature', /2 signers/);
  });

  it('when another has signed with the certificate of a trusted signer', async () => {
    const key = await shop.key('lonely');
    const signer = { key, certificates: await shop.certificate('signer') };
    await expect(buildPackage(folder, at('forged.zip'), { signer })).rejects.toThrow(/does not belong/);
    expect(existsSync(at('forged.zip'))).toBe(false);
  });

  it.each([
    ['another authority has issued it', 'rsa-signer', [], /No valid certificate paths/],
    ['it is its own authority', 'lonely', [], /No valid certificate paths/],
    ['the certificate between is missing', 'middle-signer', [], /No valid certificate paths/],
    ['who issued it is no authority', 'signer-signer', ['signer'], /not a CA/],
    ['the chain is longer than allowed', 'too-deep-signer', ['below-middle', 'middle'], /longer/],
    ['its certificate is for TLS servers', 'tls-server', [], /not made for signing/],
    ['its certificate is for key agreement', 'agreement', [], /not made for signing/],
  ])('when %s', async (_why, name, chain, why) => {
    await expectRefused(await build(name, chain), await policy('root'), 'package/untrusted-signer', why);
  });

  it('when the certificates lead in a circle', async () => {
    shop.issue('circle', { extensions: AUTHORITY });
    shop.issue('back', { issuer: 'circle', extensions: AUTHORITY });
    shop.certify('circle-by-back', 'circle', 'back', AUTHORITY);
    shop.issue('circle-signer', { issuer: 'circle' });
    const file = await build('circle-signer', ['circle-by-back', 'back']);
    await expectRefused(file, await policy('root'), 'package/untrusted-signer', /circle/);
  });

  it('when a certificate has expired, or is not valid yet', async () => {
    const file = await build('short-lived');
    for (const now of [Date.now() + 5 * 86_400_000, Date.UTC(2020, 0, 15)])
      for (const trusted of ['root', 'short-lived'])
        await expectRefused(
          file,
          { ...(await policy(trusted)), clock: { now: () => now } },
          'package/expired-certificate',
        );
    await expectAccepted(file, await policy('root'));
  });

  it('with a rule that is named, and without ever throwing, when a part of it has changed', async () => {
    const file = await build('signer');
    const signature = await policy('root');
    const rules: (string | undefined)[] = [];
    for (let part = 0; part < 40; part++) {
      const damaged = await changeManifest(file, (manifest) => flip(manifest, part * 23));
      rules.push((await readPackage(damaged, { signature })).faults[0]?.rule);
    }
    // Some parts mean nothing to the verification, such as the numbers of versions.
    const refused = rules.filter((rule) => rule !== undefined);
    expect(refused.length).toBeGreaterThan(30);
    expect(new Set(refused)).toEqual(new Set(['package/bad-signature', 'package/untrusted-signer']));
  });
});

/** Another character of the alphabet of Base64 in the signature. */
function flip(manifest: string, offset: number): string {
  const begin = manifest.indexOf('-----BEGIN CMS-----\n') + 20;
  const length = manifest.indexOf('\n-----END CMS-----') - begin;
  const index = begin + (offset % length);
  const other = manifest[index] === 'A' ? 'B' : 'A';
  return manifest[index] === '\n'
    ? flip(manifest, offset + 1)
    : manifest.slice(0, index) + other + manifest.slice(index + 1);
}

it.skipIf(isMissing)('the trusted certificates have to be certificates', async () => {
  const file = await build('signer');
  await rm(extractTo, { recursive: true, force: true });
  const signature = { ...(await policy('root')), trustedCertificates: ['nonsense'] };
  await expect(readPackage(file, { extractTo, signature })).rejects.toThrow(/no certificate/);
  expect(existsSync(extractTo)).toBe(false);
});
