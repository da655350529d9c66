import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { create, Header } from 'tar';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { IotmanoError } from '../../kernel/index.ts';
import type { ArtifactReference } from '../contract.ts';
import { createArtifactShelf, type ArtifactShelf } from './artifacts.ts';
import { layoutOf, type Layout } from './layout.ts';

interface Entry {
  readonly path: string;
  readonly type?: 'File' | 'SymbolicLink' | 'Link' | 'CharacterDevice' | 'FIFO';
  readonly linkpath?: string;
  readonly content?: string;
  /** What the header says, where that is a lie. */
  readonly size?: number;
}

/** A gzipped tar with whatever is asked for: the library's own writer makes no hostile ones. */
function archiveOf(entries: readonly Entry[]): Buffer {
  const blocks = entries.map(({ path, type = 'File', linkpath, content = '', size }) => {
    const header = new Header({
      path,
      type,
      mode: 0o644,
      size: size ?? content.length,
      ...(linkpath === undefined ? {} : { linkpath }),
    });
    const block = Buffer.alloc(512);
    header.encode(block, 0);
    const body = Buffer.alloc(Math.ceil(content.length / 512) * 512);
    body.write(content);
    return Buffer.concat([block, body]);
  });
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
}

describe('the shelf of artifacts', () => {
  let root: string;
  let layout: Layout;
  let shelf: ArtifactShelf;
  let opened: number;
  const reference: ArtifactReference = { digest: `sha256:${'a'.repeat(64)}`, sizeBytes: 1 };

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'iotmano-shelf-'));
    layout = layoutOf(root);
    await mkdir(layout.artifacts);
    opened = 0;
    const open = async (): Promise<string> => {
      opened += 1;
      return join(root, 'files.tgz');
    };
    shelf = createArtifactShelf(layout, { open }, { entries: 100, bytes: 1024 * 1024 });
  });
  afterEach(async () => {
    await shelf.collect(new Set());
    await rm(root, { recursive: true });
  });

  it('unpacks once, read-only, executables stay executable, and links inside stay', async () => {
    const source = join(root, 'source');
    await mkdir(join(source, 'bin'), { recursive: true });
    await writeFile(join(source, 'bin', 'run'), 'x', { mode: 0o755 });
    await writeFile(join(source, 'main.js'), 'y');
    await symlink('../main.js', join(source, 'bin', 'main'));
    await create({ gzip: true, cwd: source, file: join(root, 'files.tgz') }, ['.']);
    const [one, two] = await Promise.all([shelf.unpacked(reference), shelf.unpacked(reference)]);
    expect(two).toBe(one);
    expect(await shelf.unpacked(reference)).toBe(one);
    expect(opened).toBe(1);
    expect((await lstat(join(one, 'bin', 'run'))).mode & 0o777).toBe(0o555);
    expect((await lstat(join(one, 'main.js'))).mode & 0o777).toBe(0o444);
    expect(await readFile(join(one, 'bin', 'main'), 'utf8')).toBe('y');
  });

  it.each<readonly [string, readonly Entry[], RegExp]>([
    ['a path that leaves it', [{ path: '../evil', content: 'x' }], /leaves the archive/],
    ['a path that leaves it later', [{ path: 'a/../../evil', content: 'x' }], /leaves the archive/],
    ['an absolute path', [{ path: '/etc/evil', content: 'x' }], /leaves the archive/],
    ['a link to the outside', [{ path: 'a', type: 'SymbolicLink', linkpath: '../../etc' }], /leads out/],
    ['an absolute link', [{ path: 'a', type: 'SymbolicLink', linkpath: '/etc/passwd' }], /leads out/],
    ['a hard link to the outside', [{ path: 'a', type: 'Link', linkpath: '../../etc/passwd' }], /leads out/],
    [
      'a link that leads nowhere',
      [{ path: 'a', type: 'SymbolicLink', linkpath: 'b' }],
      /leads out of the archive, or nowhere/,
    ],
    [
      'links that lead out together',
      [
        { path: 'd/e/f', content: 'x' },
        { path: 'd/up', type: 'SymbolicLink', linkpath: '..' },
        { path: 'out', type: 'SymbolicLink', linkpath: 'd/up/..' },
      ],
      /leads out/,
    ],
    ['a device', [{ path: 'a', type: 'CharacterDevice' }], /CharacterDevice/],
    ['a pipe', [{ path: 'a', type: 'FIFO' }], /FIFO/],
    [
      'too many entries',
      Array.from({ length: 101 }, (_, index) => ({ path: `f${index}` })),
      /more than 100 entries/,
    ],
    ['too much', [{ path: 'a', content: 'x'.repeat(2 * 1024 * 1024) }], /larger than/],
    ['a size that is a lie', [{ path: 'a', size: 8 * 1024 ** 4 }], /larger than|refused/],
  ])('refuses %s, and leaves nothing', async (_what, entries, message) => {
    await writeFile(join(root, 'files.tgz'), archiveOf(entries));
    await expect(shelf.unpacked(reference)).rejects.toMatchObject({ code: 'artifact-unusable', message });
    expect(await readdir(layout.artifacts)).toEqual([]);
    expect(existsSync(join(root, 'evil'))).toBe(false);
  });

  it.each<readonly [string, Buffer]>([
    ['noise', randomBytes(5000)],
    ['nothing', Buffer.alloc(0)],
    ['half an archive', archiveOf([{ path: 'a', content: 'x'.repeat(50_000) }]).subarray(0, 80)],
    ['gzipped noise', gzipSync(randomBytes(5000))],
  ])('refuses %s', async (_what, bytes) => {
    await writeFile(join(root, 'files.tgz'), bytes);
    await expect(shelf.unpacked(reference)).rejects.toMatchObject({ code: 'artifact-unusable' });
    expect(await readdir(layout.artifacts)).toEqual([]);
  });

  it('refuses a digest that could be a path', async () => {
    for (const digest of ['sha256:../../etc', 'md5:00', `sha256:${'A'.repeat(64)}`])
      await expect(shelf.unpacked({ digest, sizeBytes: 1 })).rejects.toMatchObject({
        code: 'artifact-unusable',
      });
  });

  it('tries again after the source could not give the file', async () => {
    let isAway = true;
    const open = async (): Promise<string> => {
      if (isAway) throw new IotmanoError('unavailable', 'the source is away');
      return join(root, 'files.tgz');
    };
    const other = createArtifactShelf(layout, { open });
    await expect(other.unpacked(reference)).rejects.toMatchObject({ code: 'unavailable' });
    isAway = false;
    await writeFile(join(root, 'files.tgz'), archiveOf([{ path: 'a', content: 'x' }]));
    expect(await readdir(await other.unpacked(reference))).toEqual(['a']);
  });

  it('lets go of what nobody uses', async () => {
    await writeFile(join(root, 'files.tgz'), archiveOf([{ path: 'a/b', content: 'x' }]));
    await shelf.unpacked(reference);
    await shelf.collect(new Set([reference.digest]));
    expect(await readdir(layout.artifacts)).toHaveLength(1);
    await shelf.collect(new Set());
    expect(await readdir(layout.artifacts)).toEqual([]);
  });
});
