import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { randomIds } from '../../kernel/index.ts';
import { createFakeClock, type FakeClock } from '../../test/kit/fake-clock.ts';
import { createMemoryStore, type MemoryStore } from '../store/index.ts';
import { createAuthenticator, ensureAdminToken } from './index.ts';

let directory: string;
let store: MemoryStore;
let clock: FakeClock;

beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), 'iotmano-admin-')), 'data');
  store = createMemoryStore();
  clock = createFakeClock();
});
afterEach(() => rm(join(directory, '..'), { recursive: true, force: true }));

const ensure = (): Promise<string> =>
  ensureAdminToken({ store, clock, ids: randomIds, random: randomBytes }, directory);
const read = async (path: string): Promise<string> => (await readFile(path, 'utf8')).trim();

describe('the admin token', () => {
  test('is written for its owner only, and works', async () => {
    const path = await ensure();
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(createAuthenticator(store, clock, randomBytes(32))(await read(path))).toMatchObject({
      role: 'admin',
      tenant: 'default',
    });
    expect(store.durableRevision).toBe(1);
  });

  test('stays the same over restarts, and is closed to others again', async () => {
    const path = await ensure();
    const token = await read(path);
    await chmod(path, 0o644);
    store = createMemoryStore({ disk: store.disk });
    await ensure();
    expect([await read(path), (await stat(path)).mode & 0o777]).toEqual([token, 0o600]);
    expect([...store.list('access-token')]).toHaveLength(1);
  });

  test('is made anew where the file is gone, damaged, or of another store', async () => {
    const path = await ensure();
    const token = await read(path);
    await writeFile(path, 'nonsense');
    await ensure();
    const second = await read(path);
    store = createMemoryStore();
    await ensure();
    const third = await read(path);
    expect(new Set([token, second, third]).size).toBe(3);
    expect(createAuthenticator(store, clock, randomBytes(32))(second)).toBeUndefined();
    expect(createAuthenticator(store, clock, randomBytes(32))(third)?.role).toBe('admin');
  });
});
