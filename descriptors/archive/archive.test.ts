import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildPackage, checkPackage, PACKAGE_RULES, readPackage } from './index.ts';
import { BARE_DESCRIPTOR, ECHO_DESCRIPTOR, makeEchoFolder } from './testkit/echo-package.ts';
import { makeZip as makeZipFile, sha256, type Member, type ZipOptions } from './testkit/make-zip.ts';

let directory: string;
let extractTo: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'iotmano-archive-'));
  extractTo = join(directory, 'unpacked');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** Every hostile or broken package: refused by a rule that is named, with nothing left. */
async function expectRefused(file: string, rule: string, limits = {}): Promise<void> {
  const { descriptor, files, faults } = await readPackage(file, { extractTo, limits });
  expect(faults.map((fault) => fault.rule)).toContain(rule);
  expect(faults.every(({ message, remedy }) => message.length > 0 && remedy.length > 0)).toBe(true);
  expect(descriptor).toBeUndefined();
  expect(files).toEqual([]);
  expect(existsSync(extractTo)).toBe(false);
}

const makeZip = (members: readonly Member[], options: ZipOptions = {}) =>
  makeZipFile(join(directory, 'package.zip'), members, options);

const MEMBERS: readonly Member[] = [
  { path: 'Definitions/descriptor.yaml', content: ECHO_DESCRIPTOR },
  { path: 'Artifacts/echo.tgz', content: 'not really a tar' },
];

/** Replaces bytes wherever they stand: names have the same length before and after. */
async function patch(file: string, from: string, to: string | Buffer): Promise<void> {
  const bytes = await readFile(file);
  const replacement = Buffer.from(to);
  for (let at = bytes.indexOf(from); at !== -1; at = bytes.indexOf(from, at + 1)) replacement.copy(bytes, at);
  await writeFile(file, bytes);
}

const makeFolder = () => makeEchoFolder(directory);

describe('buildPackage', () => {
  it('makes a package that reads back with every file and its digest', async () => {
    const file = join(directory, 'echo.zip');
    expect(await buildPackage(await makeFolder(), file)).toEqual([]);
    const content = await readPackage(file, { extractTo });
    expect(content.faults).toEqual([]);
    expect(content.descriptor).toMatchObject({ metadata: { productName: 'echo' } });
    expect(content.manifest?.metadata).toMatchObject({ vnf_product_name: 'echo' });
    expect(content.files.map(({ path }) => path)).toEqual([
      'Definitions/descriptor.yaml',
      'Artifacts/echo.tgz',
      'Artifacts/more/readme.txt',
    ]);
    for (const { location = '', digest, sizeBytes } of content.files) {
      const bytes = await readFile(location);
      expect([sha256(bytes), bytes.length]).toEqual([digest, sizeBytes]);
    }
  });

  it('gives the same bytes for the same input', async () => {
    const folder = await makeFolder();
    await buildPackage(folder, join(directory, 'a.zip'));
    await new Promise((resolve) => setTimeout(resolve, 2100));
    await buildPackage(folder, join(directory, 'b.zip'));
    expect(sha256(await readFile(join(directory, 'a.zip')))).toBe(
      sha256(await readFile(join(directory, 'b.zip'))),
    );
  });

  it('writes nothing when an artifact of the descriptor is missing, and says where the descriptor names it', async () => {
    const folder = await makeFolder();
    await rm(join(folder, 'artifacts/echo.tgz'));
    const faults = await buildPackage(folder, join(directory, 'a.zip'));
    expect(faults).toMatchObject([
      { rule: 'missing-artifact', pointer: '/units/0/artifacts/0/files', line: 13 },
    ]);
    expect((await readdir(directory)).toSorted()).toEqual(['folder']);
  });

  it('does not make a package that would be refused as a bomb', async () => {
    const folder = await makeFolder();
    await writeFile(join(folder, 'artifacts/zeros.bin'), Buffer.alloc(4 * 1024 * 1024));
    const faults = await buildPackage(folder, join(directory, 'a.zip'));
    expect(faults).toMatchObject([{ rule: 'package/too-large', file: 'Artifacts/zeros.bin' }]);
    expect(await readdir(directory)).toEqual(['folder']);
  });

  it('refuses links in the folder', async () => {
    const folder = await makeFolder();
    await symlink('/etc/passwd', join(folder, 'artifacts/passwd'));
    expect((await buildPackage(folder, join(directory, 'a.zip'))).map(({ rule }) => rule)).toEqual([
      'package/link',
    ]);
  });

  it('takes the only YAML file as the descriptor, and refuses to choose between two', async () => {
    const folder = join(directory, 'other');
    await mkdir(folder);
    await writeFile(join(folder, 'echo.yaml'), BARE_DESCRIPTOR);
    expect(await buildPackage(folder, join(directory, 'a.zip'))).toEqual([]);
    await writeFile(join(folder, 'second.yaml'), ECHO_DESCRIPTOR);
    const faults = await buildPackage(folder, join(directory, 'b.zip'));
    expect(faults.map(({ rule }) => rule)).toEqual(['package/missing-descriptor']);
  });
});

describe('a bare descriptor', () => {
  it('is a package without files', async () => {
    const file = join(directory, 'echo.yaml');
    await writeFile(file, BARE_DESCRIPTOR);
    const { descriptor, files, faults } = await readPackage(file, { extractTo });
    expect([descriptor?.kind, files, faults]).toEqual(['IoTFunctionDescriptor', [], []]);
  });

  it('is refused when it names files', async () => {
    const file = join(directory, 'echo.yaml');
    await writeFile(file, ECHO_DESCRIPTOR);
    await expectRefused(file, 'missing-artifact');
  });

  it('that is not a text is refused', async () => {
    const file = join(directory, 'echo.yaml');
    await writeFile(file, Buffer.from([0, 1, 2, 255, 254]));
    await expectRefused(file, 'package/not-a-package');
  });

  it('that is empty is refused', async () => {
    const file = join(directory, 'echo.yaml');
    await writeFile(file, '');
    await expectRefused(file, 'schema/kind');
  });
});

describe('readPackage', () => {
  it('accepts a package that somebody else has zipped', async () => {
    const { faults, files } = await checkPackage(await makeZip(MEMBERS));
    expect(faults).toEqual([]);
    expect(files).toHaveLength(2);
  });

  it.each([
    ['../../../x.tgz', 'leaves the package'],
    ['/etc/cron.d/aaa', 'is absolute'],
    ['..\\..\\x\\y\\z.tg', 'holds a backslash'],
    ['C:/windows/a.tg', 'names a drive'],
    ['Artifacts/./x.t', '"."'],
    ['Artifacts//xx.t', 'empty part'],
    ['Artifacts/x\u0000x.t', 'not portable'],
  ])('refuses the path %j', async (path, why) => {
    const placeholder = 'p'.repeat(path.length);
    const file = await makeZip([...MEMBERS, { path: placeholder, content: 'x' }]);
    await patch(file, placeholder, path);
    const { faults } = await checkPackage(file);
    expect(faults.find(({ rule }) => rule === 'package/bad-path')?.message).toContain(why);
    await expectRefused(file, 'package/bad-path');
  });

  it('refuses a path that is not UTF-8', async () => {
    const file = await makeZip([...MEMBERS, { path: 'Artifacts/xxxx', content: 'x' }]);
    await patch(
      file,
      'Artifacts/xxxx',
      Buffer.concat([Buffer.from('Artifacts/'), Buffer.from([0xff, 0xfe, 0xff, 0xfe])]),
    );
    await expectRefused(file, 'package/bad-path');
  });

  it('refuses symbolic links', async () => {
    const link = { path: 'Artifacts/link', content: '/etc/passwd', options: { mode: 0o120777 } };
    await expectRefused(await makeZip([...MEMBERS, link]), 'package/link');
  });

  it('refuses entries with the same path', async () => {
    const file = await makeZip([...MEMBERS, { path: 'Artifacts/ech0.tgz', content: 'x' }]);
    await patch(file, 'Artifacts/ech0.tgz', 'Artifacts/echo.tgz');
    await expectRefused(file, 'package/duplicate');
  });

  it('refuses entries that differ only in case', async () => {
    await expectRefused(
      await makeZip([...MEMBERS, { path: 'Artifacts/ECHO.tgz', content: 'x' }]),
      'package/duplicate',
    );
  });

  it('refuses a file that is also a folder', async () => {
    await expectRefused(
      await makeZip([...MEMBERS, { path: 'Artifacts/echo.tgz/x', content: 'x' }]),
      'package/duplicate',
    );
  });

  it('refuses encrypted entries', async () => {
    const file = await makeZip(MEMBERS);
    const bytes = await readFile(file);
    for (const [mark, at] of [
      ['PK\u0003\u0004', 6],
      ['PK\u0001\u0002', 8],
    ] as const) {
      for (let i = bytes.indexOf(mark); i !== -1; i = bytes.indexOf(mark, i + 4))
        bytes.writeUInt16LE(bytes.readUInt16LE(i + at) | 1, i + at);
    }
    await writeFile(file, bytes);
    await expectRefused(file, 'package/encrypted');
  });

  it('refuses other compression methods', async () => {
    const file = await makeZip(MEMBERS);
    const bytes = await readFile(file);
    for (const [mark, at] of [
      ['PK\u0003\u0004', 8],
      ['PK\u0001\u0002', 10],
    ] as const) {
      for (let i = bytes.indexOf(mark); i !== -1; i = bytes.indexOf(mark, i + 4))
        bytes.writeUInt16LE(12, i + at);
    }
    await writeFile(file, bytes);
    await expectRefused(file, 'package/compression');
  });

  it('refuses a bomb by its ratio', async () => {
    await expectRefused(
      await makeZip([...MEMBERS, { path: 'Artifacts/bomb', content: Buffer.alloc(8 * 1024 * 1024) }]),
      'package/too-large',
    );
  });

  it('refuses more bytes in all than are allowed', async () => {
    await expectRefused(await makeZip(MEMBERS), 'package/too-large', { totalBytes: 100 });
  });

  it('refuses more entries than are allowed', async () => {
    await expectRefused(await makeZip(MEMBERS), 'package/too-large', { entries: 3 });
  });

  it('refuses a bomb that lies about its size', async () => {
    const file = await makeZip([
      ...MEMBERS,
      { path: 'Artifacts/bomb', content: Buffer.alloc(300_000, 'ab') },
    ]);
    const bytes = await readFile(file);
    const at = bytes.lastIndexOf('Artifacts/bomb') - 46;
    bytes.writeUInt32LE(1000, at + 24);
    await writeFile(file, bytes);
    await expectRefused(file, 'package/damaged');
  });

  it('refuses entries that share bytes', async () => {
    const file = await makeZip([
      ...MEMBERS,
      { path: 'Artifacts/bomb', content: 'a'.repeat(100), options: { compress: false } },
    ]);
    const bytes = await readFile(file);
    const first = bytes.lastIndexOf('Artifacts/echo.tgz') - 46;
    const second = bytes.lastIndexOf('Artifacts/bomb') - 46;
    bytes.writeUInt32LE(bytes.readUInt32LE(first + 42), second + 42);
    await writeFile(file, bytes);
    await expectRefused(file, 'package/overlap');
  });

  it('refuses a file whose digest is not in the manifest', async () => {
    await expectRefused(
      await makeZip([...MEMBERS, { path: 'Artifacts/more', content: 'x', digest: null }]),
      'package/missing-digest',
    );
  });

  it('refuses a file that differs from its digest', async () => {
    await expectRefused(
      await makeZip([...MEMBERS, { path: 'Artifacts/more', content: 'x', digest: sha256('y') }]),
      'package/wrong-digest',
    );
  });

  it('refuses a manifest that lists what is not there', async () => {
    const file = await makeZip(MEMBERS, { alsoListed: [['Artifacts/absent', sha256('x')]] });
    await expectRefused(file, 'package/missing-file');
  });

  it('refuses a package without TOSCA.meta, manifest or descriptor', async () => {
    await expectRefused(await makeZip(MEMBERS, { meta: false }), 'package/missing-meta');
    await expectRefused(await makeZip(MEMBERS, { manifest: false }), 'package/missing-manifest');
    await expectRefused(await makeZip(MEMBERS.slice(1)), 'package/missing-descriptor');
  });

  it('refuses a truncated package, wherever it is cut', async () => {
    const whole = await readFile(await makeZip(MEMBERS));
    const file = join(directory, 'cut.zip');
    for (let length = 2; length < whole.length; length += Math.ceil(whole.length / 25)) {
      await writeFile(file, whole);
      await truncate(file, length);
      await expectRefused(file, 'package/damaged');
    }
  });

  it('never throws on a package with a flipped bit, and accepts no changed content', async () => {
    const whole = await readFile(await makeZip(MEMBERS));
    const file = join(directory, 'flipped.zip');
    for (let bit = 17; bit < whole.length * 8; bit += Math.ceil((whole.length * 8) / 150)) {
      const bytes = Buffer.from(whole);
      bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      await writeFile(file, bytes);
      const { faults, descriptorText } = await checkPackage(file);
      expect(faults.length > 0 || descriptorText === ECHO_DESCRIPTOR).toBe(true);
    }
  });

  it('does not touch a directory that others use', async () => {
    const file = await makeZip(MEMBERS);
    await mkdir(extractTo);
    await writeFile(join(extractTo, 'precious'), 'x');
    await expect(readPackage(file, { extractTo })).rejects.toThrow(/not empty/);
    expect(await readdir(extractTo)).toEqual(['precious']);
  });

  it('stops when it is told to, and leaves nothing', async () => {
    const file = await makeZip(MEMBERS);
    const signal = AbortSignal.abort();
    await expect(readPackage(file, { extractTo, signal })).rejects.toThrow(/abort/i);
    expect(existsSync(extractTo)).toBe(false);
  });
});

it('every rule of packages says in a sentence what it is about', () => {
  for (const summary of Object.values(PACKAGE_RULES)) expect(summary).toMatch(/^(\*Warning\.\* )?[A-Z].*\.$/);
});
