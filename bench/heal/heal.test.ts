import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { DEFAULT_TENANT, randomIds, type VnfInstanceId } from '../../kernel/index.ts';
import { openSqliteStore } from '../../orchestrator/store/index.ts';
import { fillStore } from './fill-store.ts';
import { startProbe } from './probe.ts';
import { programBelow, startedAt } from './programs.ts';

const folders: string[] = [];
function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'bench-heal-'));
  folders.push(folder);
  return folder;
}
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

describe('a store that is filled', () => {
  const open = (folder: string) =>
    openSqliteStore({
      directory: join(folder, 'state'),
      ids: randomIds,
      onFatal: (error) => {
        throw error;
      },
    });

  it('has as many records as are asked for, each operation with the instance that it is of', async () => {
    const folder = newFolder();
    const store = await open(folder);
    const vnfInstanceId = randomIds.uuid() as VnfInstanceId;
    // Only what tells one record from another matters here.
    const instance = { name: 'one', instantiationState: 'NOT_INSTANTIATED', wanted: [] };
    const operation = { vnfInstanceId, operation: 'SCALE', state: 'COMPLETED', operationParams: {} };
    const shared = { op: 'create', tenant: DEFAULT_TENANT } as const;
    await store.commit([
      { ...shared, kind: 'vnf-instance', id: vnfInstanceId, document: instance as never },
      { ...shared, kind: 'vnf-lcm-op-occ', id: randomIds.uuid(), document: operation as never },
    ]).durable;
    await store.close();
    expect(await fillStore(folder, 2500)).toBe(2500);
    const filled = await open(folder);
    const operations = [...filled.list('vnf-lcm-op-occ')];
    expect(operations).toHaveLength(1250);
    expect(operations.every(({ document }) => filled.get('vnf-instance', document.vnfInstanceId))).toBe(true);
    await filled.close();
  });

  it('is refused where there is nothing to make records after', async () => {
    const folder = newFolder();
    await (await open(folder)).close();
    await expect(fillStore(folder, 10)).rejects.toThrow(/no instance or no operation/);
  });
});

describe('a probe', () => {
  it('counts what failed, and tells of the first answer to what was asked after the time in question', async () => {
    let isWell = false;
    const server = createServer((_request, response) => {
      response.setHeader('X-M2M-RSC', isWell ? '2000' : '5103');
      response.end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    const probe = startProbe(`http://127.0.0.1:${port}`);
    try {
      let failed = 0;
      while (failed < 3) {
        await new Promise((resolve) => setImmediate(resolve));
        failed += probe.count().failed;
      }
      isWell = true;
      const since = performance.now();
      expect(await probe.firstAnswer(since, 30)).toBeGreaterThan(since);
      const { ended, failed: still } = probe.count();
      expect(ended).toBeGreaterThan(still);
      isWell = false;
      await expect(probe.firstAnswer(performance.now() + 1e6, 0.05)).rejects.toThrow(
        /no request was answered/,
      );
    } finally {
      probe.stop();
      server.closeAllConnections();
      server.close();
    }
  });
});

describe('the program of a function', () => {
  it('is found below its folder, not its wrapper, with when it was started', async () => {
    const folder = newFolder();
    const wait = 'setInterval(() => {}, 1000)';
    const program = join(folder, 'data-storage/main.js');
    const wrapper = spawn('sh', ['-c', 'sleep 100', program], { stdio: 'ignore', detached: true });
    const child = spawn(process.execPath, ['-e', wait, program], { stdio: 'ignore' });
    try {
      await Promise.all([once(wrapper, 'spawn'), once(child, 'spawn')]);
      expect(programBelow(folder, 'data-storage')).toBe(child.pid);
      expect(programBelow(folder, 'request-processing')).toBeUndefined();
      const started = startedAt(child.pid ?? 0);
      expect(started).toBeGreaterThan(startedAt(process.pid));
      expect(started).toBeLessThan(performance.now() + 10);
    } finally {
      child.kill('SIGKILL');
      if (wrapper.pid !== undefined) process.kill(-wrapper.pid, 'SIGKILL');
    }
  });
});
