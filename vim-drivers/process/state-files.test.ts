import { mkdtemp, mkdir, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { replaceFile } from './state-files.ts';

it('a file that cannot be replaced leaves nothing behind', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'iotmano-replace-'));
  await mkdir(join(directory, 'taken', 'by-something'), { recursive: true });
  await expect(replaceFile(join(directory, 'taken'), 'content')).rejects.toMatchObject({
    code: 'driver-failed',
  });
  expect(await readdir(directory)).toEqual(['taken']);
  await rm(directory, { recursive: true });
});
