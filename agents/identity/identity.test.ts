import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseId, type HostId, type StateId } from '../../kernel/index.ts';
import { lockDataDirectory, openIdentity } from './index.ts';

const hostId = parseId<HostId>('gw-1', 'hostId');
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'identity-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

describe('host identity', () => {
  // MCO-C-026
  it('keeps the same key pair and what it learnt over restarts', async () => {
    const first = await openIdentity(directory, hostId);
    await first.update({
      isEnrolled: true,
      m2mSpId: '//sp',
      stateId: parseId<StateId>('state-1', 'stateId'),
    });
    const second = await openIdentity(directory, hostId);
    expect(second.publicJwk).toEqual(first.publicJwk);
    expect(second.document).toEqual({ hostId, isEnrolled: true, m2mSpId: '//sp', stateId: 'state-1' });
  });

  // MCO-C-025
  it('keeps the key readable by its owner only, even when somebody widened that', async () => {
    await openIdentity(directory, hostId);
    const key = join(directory, 'host.key');
    expect(statSync(key).mode & 0o777).toBe(0o600);
    chmodSync(key, 0o644);
    await openIdentity(directory, hostId);
    expect(statSync(key).mode & 0o777).toBe(0o600);
  });

  it('refuses to be another host in the same directory, and says how to go on', async () => {
    await openIdentity(directory, hostId);
    const other = parseId<HostId>('gw-2', 'hostId');
    await expect(openIdentity(directory, other)).rejects.toThrow(/--host-id gw-1/);
  });

  it('refuses what a newer version has written', async () => {
    writeFileSync(join(directory, 'identity.json'), JSON.stringify({ schemaVersion: 99, hostId: 'gw-1' }));
    await expect(openIdentity(directory, hostId)).rejects.toMatchObject({ code: 'store-newer' });
  });

  it('says which file is broken instead of making a new identity over it', async () => {
    await openIdentity(directory, hostId);
    writeFileSync(join(directory, 'host.key'), 'garbage');
    await expect(openIdentity(directory, hostId)).rejects.toMatchObject({ code: 'store-failed' });
    expect(readFileSync(join(directory, 'host.key'), 'utf8')).toBe('garbage');
  });
});

describe('lock of the data directory', () => {
  // MCO-C-028
  it('refuses a second agent while the first one runs, and lets it in after', () => {
    const lock = lockDataDirectory(directory);
    expect(() => lockDataDirectory(directory)).toThrow(/another agent runs/);
    lock.release();
    lockDataDirectory(directory).release();
  });

  it('is gone with a process that was killed, but held while it ran', async () => {
    const script = `import { lockDataDirectory } from ${JSON.stringify(join(import.meta.dirname, 'lock.ts'))};
      lockDataDirectory(process.argv[1]); console.log('locked'); setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, directory], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    expect(() => lockDataDirectory(directory)).toThrow(/another agent runs/);
    child.kill('SIGKILL');
    await once(child, 'close');
    lockDataDirectory(directory).release();
  });
});
