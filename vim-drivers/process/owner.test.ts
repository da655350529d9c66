import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { layoutOf, type Layout } from './layout.ts';
import { ownDirectory } from './owner.ts';

let layout: Layout;

beforeEach(async () => {
  layout = layoutOf(await mkdtemp(join(tmpdir(), 'iotmano-owner-')));
});
afterEach(() => rm(layout.root, { recursive: true }));

it('a directory whose owner has ended is taken over where there is no room for another file', async () => {
  const file = join(layout.root, 'old');
  const old = await open(file, 'w+');
  await old.write('boot 999999999 1\n');
  // No file can be made in this folder, as on a full disk, but what is there can be written.
  await ownDirectory({ ...layout, ownerFile: `/proc/self/fd/${old.fd}` }, 'boot');
  await old.close();
  expect(await readFile(file, 'utf8')).toMatch(new RegExp(`^boot ${process.pid} \\d+\\n$`));
});

it('a directory is given back', async () => {
  const giveBack = await ownDirectory(layout, 'boot');
  expect(await readFile(layout.ownerFile, 'utf8')).toContain(String(process.pid));
  await giveBack();
  await expect(readFile(layout.ownerFile)).rejects.toThrow('ENOENT');
});
