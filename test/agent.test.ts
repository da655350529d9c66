/** The orchestrator's end of Mco, a real agent process and real functions: nothing that runs is lost when either end is killed. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseId, type HostId } from '../kernel/index.ts';
import { assignmentId } from '../orchestrator/domain/index.ts';
import { keyOf, workloadOf } from '../orchestrator/mco/testkit/assignments.ts';
import { startMcoBench, type McoBench } from '../orchestrator/mco/testkit/mco-bench.ts';
import { createMemoryStore, type StateStore } from '../orchestrator/store/index.ts';
import type { ObservedInstance, Workload, WorkloadKey } from '../vim-drivers/index.ts';

const HOST_ID = parseId<HostId>('gw-1', 'hostId');
const FUNCTION = `
  const { createServer } = require('node:http');
  createServer((request, response) => {
    if (request.url === '/metrics') response.end('# TYPE served_total counter\\nserved_total 1\\n');
    else response.end(String(process.pid));
  }).listen(Number(process.env.PORT), '127.0.0.1');
`;

let directory: string;
let store: StateStore;
let bench: McoBench;
let agent: ChildProcess | undefined;
let log = '';
let artifact: { readonly path: string; readonly digest: string; readonly sizeBytes: number };

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'agent-system-'));
  artifact = packFunction();
  store = createMemoryStore();
  bench = await startBench();
});

afterEach(async () => {
  await stopAgent('SIGTERM');
  await runAgent({ stopFunctions: true }).catch(() => undefined);
  await stopAgent('SIGTERM');
  await bench.close();
  rmSync(directory, { recursive: true, force: true });
}, 60_000);

function startBench(): Promise<McoBench> {
  return startMcoBench({ store, artifacts: { openArtifact: async () => artifact } });
}

function packFunction(): typeof artifact {
  const source = join(directory, 'source');
  mkdirSync(source);
  writeFileSync(join(source, 'main.cjs'), FUNCTION);
  const path = join(directory, 'function.tgz');
  execFileSync('tar', ['-czf', path, '-C', source, 'main.cjs']);
  const content = readFileSync(path);
  return {
    path,
    digest: `sha256:${createHash('sha256').update(content).digest('hex')}`,
    sizeBytes: content.length,
  };
}

/** Runs the agent as an operator does, and waits until it says that it runs. */
async function runAgent({
  stopFunctions = false,
  token,
}: { stopFunctions?: boolean; token?: string } = {}): Promise<void> {
  const own = `agent run --host-id ${HOST_ID} --address 127.0.0.1 --label site=north --log-level warn`.split(
    ' ',
  );
  const flags = [
    ...own,
    '--server',
    bench.url,
    '--data',
    join(directory, 'agent'),
    ...(token === undefined ? [] : ['--token', token]),
    ...(stopFunctions ? ['--stop-functions'] : []),
  ];
  const child = spawn(process.execPath, [join(import.meta.dirname, '../bin/iotmano.js'), ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  agent = child;
  const started = Promise.withResolvers<void>();
  const read = (chunk: Buffer): void => {
    log += chunk.toString();
    if (log.includes(`agent of ${HOST_ID} runs`)) started.resolve();
  };
  log = '';
  child.stdout.on('data', read);
  child.stderr.on('data', read);
  child.once('close', (code) => started.reject(new Error(`the agent ended with ${code}: ${log}`)));
  await started.promise;
}

async function stopAgent(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  const child = agent;
  agent = undefined;
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, 'close');
  child.kill(signal);
  await closed;
}

function workload(key: WorkloadKey): Workload {
  const base = workloadOf(key);
  const { digest, sizeBytes } = artifact;
  return {
    ...base,
    spec: {
      ...base.spec,
      artifact: { type: 'process', command: ['node', 'main.cjs'], files: { digest, sizeBytes } },
      resources: { cpuMillis: 100, memoryBytes: 256 * 1024 ** 2 },
      security: { ...base.spec.security, nonRoot: false },
    },
  };
}

async function assign(key: WorkloadKey): Promise<void> {
  const id = assignmentId(HOST_ID, key);
  const document = { hostId: HOST_ID, workload: workload(key), lostAfterSeconds: 3 };
  await store.commit([{ op: 'put', kind: 'assignment', id, tenant: key.tenant, document }]).durable;
}

async function unassign(key: WorkloadKey): Promise<void> {
  const id = assignmentId(HOST_ID, key);
  const expectedRevision = store.get('assignment', id)?.revision ?? 0;
  await store.commit([{ op: 'delete', kind: 'assignment', id, expectedRevision }]).durable;
}

function instanceOf(key: WorkloadKey): ObservedInstance | undefined {
  return store.get('observed', assignmentId(HOST_ID, key))?.document.workload.instances[0];
}

function observedRevision(key: WorkloadKey): number {
  return store.get('observed', assignmentId(HOST_ID, key))?.revision ?? 0;
}

async function eventually<T>(what: string, look: () => T | undefined | false, seconds = 20): Promise<T> {
  const until = performance.now() + seconds * 1000;
  for (;;) {
    const found = look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > until)
      throw new Error(`it never came to pass that ${what}; the agent says: ${log}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Asks the function itself for its pid. */
async function ask(instance: ObservedInstance): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${instance.ports['http'] ?? 0}/`);
  return Number(await response.text());
}

const running = (key: WorkloadKey): Promise<ObservedInstance> =>
  eventually('the function is reported RUNNING', () => {
    const instance = instanceOf(key);
    return instance?.state === 'RUNNING' && instance;
  });

describe('an agent, its functions and its orchestrator', () => {
  // MCO-O-050
  it('lets a function live through kill -9 of the agent, and finds it again with the same pid', async () => {
    const key = keyOf(1);
    await runAgent({ token: await bench.token(HOST_ID) });
    await eventually(
      'the host states its facts',
      () => store.get('host-facts', HOST_ID)?.document.labels['site'] === 'north',
    );
    await assign(key);
    const before = await running(key);
    expect(await ask(before)).toBe(before.pid);

    await stopAgent('SIGKILL');
    expect(await ask(before)).toBe(before.pid);
    const revision = observedRevision(key);
    await assign(keyOf(2));
    await runAgent();
    await running(keyOf(2));
    expect(instanceOf(key)).toEqual(before);
    expect(observedRevision(key)).toBeGreaterThanOrEqual(revision);
    expect(await ask(before)).toBe(before.pid);
  }, 60_000);

  it('starts a killed function again and reports it', async () => {
    const key = keyOf(1);
    await runAgent({ token: await bench.token(HOST_ID) });
    await assign(key);
    const before = await running(key);
    process.kill(before.pid ?? 0, 'SIGKILL');
    const after = await eventually('another process runs', () => {
      const instance = instanceOf(key);
      return instance?.state === 'RUNNING' && instance.pid !== before.pid && instance;
    });
    expect(after).toMatchObject({ restarts: 1, ports: before.ports });
    expect(await ask(after)).toBe(after.pid);
  }, 60_000);

  // MCO-O-049
  it('runs on without the orchestrator, over a restart of the agent too, and tells it all when that is back', async () => {
    const key = keyOf(1);
    await runAgent({ token: await bench.token(HOST_ID) });
    await assign(key);
    const before = await running(key);
    await bench.close();
    await stopAgent('SIGKILL');
    await runAgent();
    expect(await ask(before)).toBe(before.pid);
    process.kill(before.pid ?? 0, 'SIGKILL');
    const pid = await eventually('it is started again while nobody commands', () => pidOnPort(before), 20);
    expect(pid).not.toBe(before.pid);
    await stopAgent('SIGKILL');
    bench = await startBench();
    await runAgent();
    await eventually('the orchestrator learns of it', () => instanceOf(key)?.pid === pid);
  }, 60_000);

  // MCO-O-025
  it('ends a function that is no longer assigned, and says so', async () => {
    const key = keyOf(1);
    await runAgent({ token: await bench.token(HOST_ID) });
    await assign(key);
    const { pid = 0 } = await running(key);
    await unassign(key);
    await eventually('it is reported gone', () => instanceOf(key) === undefined);
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  }, 60_000);

  it('ends on SIGTERM at once, with code 0, and leaves its functions alone', async () => {
    const key = keyOf(1);
    await runAgent({ token: await bench.token(HOST_ID) });
    await assign(key);
    const instance = await running(key);
    const child = agent;
    await stopAgent('SIGTERM');
    expect(child?.exitCode).toBe(0);
    expect(await ask(instance)).toBe(instance.pid);
  }, 60_000);
});

/** The pid of what listens where the instance did; undefined where nothing does. */
function pidOnPort(instance: ObservedInstance): number | undefined {
  try {
    const answer = execFileSync(
      process.execPath,
      [
        '-e',
        `fetch('http://127.0.0.1:${instance.ports['http'] ?? 0}/').then(async (r) => console.log(await r.text()))`,
      ],
      { stdio: ['ignore', 'pipe', 'ignore'], timeout: 2000 },
    );
    return Number(answer);
  } catch {
    return undefined;
  }
}
