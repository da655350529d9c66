import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { findMemoryDirectory } from './memory-directory.ts';

let parent: string;

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'memory-'));
  for (const name of ['a', 'b']) mkdirSync(join(parent, name));
});

afterEach(() => {
  rmSync(parent, { recursive: true, force: true });
});

it('is in memory, for its owner only, the same for a data directory at every start, and another one for another', async () => {
  const [first, again, other] = [
    await findMemoryDirectory(join(parent, 'a'), undefined),
    await findMemoryDirectory(join(parent, 'a'), undefined),
    await findMemoryDirectory(join(parent, 'b'), undefined),
  ];
  if (first === undefined || other === undefined)
    throw new Error('this machine has no file system in memory');
  expect(again).toBe(first);
  expect(other).not.toBe(first);
  expect([0x01021994, 0x858458f6]).toContain((await statfs(first)).type);
  for (const path of [first, dirname(first)]) expect(statSync(path).mode & 0o777).toBe(0o700);
  rmSync(join(parent, 'b'), { recursive: true });
  // Whoever comes next takes away what nobody can need any more.
  await findMemoryDirectory(join(parent, 'a'), undefined);
  expect([existsSync(first), existsSync(other)]).toEqual([true, false]);
});
