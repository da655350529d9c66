/** Load on real processes: a function scales out under it, stays as an operator wants, and scales in when it is gone. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestSystem, eventually, type Copy, type TestSystem } from '../kit/test-system.ts';

/** Counts the requests of the last second, and says when it was started and when it listened. */
const PROGRAM = [
  'const times = [];',
  'let listenedAt = 0;',
  "const server = require('node:http').createServer((request, response) => {",
  '  const now = Date.now();',
  "  if (request.url === '/work') times.push(now);",
  '  while (times.length > 0 && times[0] < now - 1000) times.shift();',
  "  if (request.url === '/metrics') response.end('# TYPE requests_per_second gauge\\nrequests_per_second ' + times.length + '\\n');",
  '  else response.end(JSON.stringify({ startedAt: performance.timeOrigin, listenedAt }));',
  '});',
  "process.on('SIGTERM', () => process.exit(0));",
  "server.listen(Number(process.env.PORT), '127.0.0.1', () => { listenedAt = Date.now(); });",
].join('\n');

const SERVED = {
  units: [
    {
      name: 'main',
      artifacts: [{ type: 'process', command: ['node', '-e', PROGRAM] }],
      resources: { cpu: '10m', memory: '64Mi' },
      env: { PORT: '{{ ports.http }}' },
      ports: [{ name: 'http', protocol: 'tcp' }],
      probes: { ready: { http: { port: 'http', path: '/' }, every: '1s', failAfter: 3 } },
      metrics: { port: 'http', every: '1s', indicators: [{ name: 'requests_per_second' }] },
      security: { nonRoot: false },
      stop: { signal: 'SIGTERM', grace: '1s' },
    },
  ],
  alarms: [{ name: 'busy', when: 'requests_per_second > 15', severity: 'MINOR' }],
  scaling: [
    {
      aspect: 'load',
      deltas: { main: 1 },
      min: 1,
      max: 4,
      policy: {
        type: 'target',
        indicator: 'requests_per_second',
        target: 20,
        window: '3s',
        stabilization: '3s',
        cooldown: { out: '1s', in: '3s' },
      },
    },
  ],
};

let system: TestSystem;
let load: Load;

/** An open loop: late answers do not slow it down. Every request goes to the next copy that is known to run. */
interface Load {
  perSecond: number;
  copies: readonly Copy[];
  stop(): void;
}

function createLoad(): Load {
  let turn = 0;
  let due = 0;
  const self: Load = { perSecond: 0, copies: [], stop: () => clearInterval(timer) };
  const timer = setInterval(() => {
    for (due += self.perSecond / 20; due >= 1; due -= 1) {
      const copy = self.copies[(turn += 1) % Math.max(1, self.copies.length)];
      if (copy !== undefined)
        void fetch(`http://127.0.0.1:${copy.ports['http'] ?? 0}/work`)
          .then((response) => response.text())
          .catch(() => {});
    }
  }, 50);
  return self;
}

async function runningCopies(): Promise<readonly Copy[]> {
  return (await system.copies('shop')).filter(({ state }) => state === 'RUNNING');
}

/** Keeps the load on whoever runs, until so many do. */
async function until(count: number): Promise<readonly Copy[]> {
  return eventually(
    `${count} copies run`,
    async () => {
      load.copies = await runningCopies();
      return load.copies.length === count && load.copies;
    },
    60,
  );
}

interface Occurrence {
  readonly id: string;
  readonly operation: string;
  readonly startTime: string;
  readonly isAutomaticInvocation: boolean;
  readonly operationParams: {
    readonly type: string;
    readonly additionalParams?: { readonly reason: string; readonly figures: object };
  };
}

async function scalings(): Promise<readonly Occurrence[]> {
  const all = await system.get<Occurrence[]>('/vnflcm/v2/vnf_lcm_op_occs?all_fields');
  return all
    .filter(({ operation }) => operation === 'SCALE')
    .toSorted((a, b) => a.startTime.localeCompare(b.startTime));
}

async function alarms(): Promise<string> {
  return (await system.iotmano(['alarms'])).stdout;
}

beforeAll(async () => {
  system = await createTestSystem();
  load = createLoad();
  await system.startOrchestrator();
  await system.addHosts('host-a', 'host-b');
  await system.onboard({ served: { more: SERVED } });
  await system.deploy('shop', [{ name: 'served' }]);
}, 60_000);

afterAll(async () => {
  load.stop();
  await system.cleanUp();
}, 30_000);

describe('a function under load', () => {
  it('scales out by itself, and tells why', async () => {
    load.copies = await system.running('shop', 1);
    const breachedAt = Date.now();
    load.perSecond = 70;
    const copies = await until(4);
    const servedAt = Date.now();
    const [first] = await scalings();
    expect(first).toMatchObject({
      isAutomaticInvocation: true,
      operationParams: {
        type: 'SCALE_OUT',
        additionalParams: { reason: expect.stringContaining('requests_per_second is') as string },
      },
    });
    await eventually('the alarm of the descriptor stands', async () => (await alarms()).includes('busy'));
    const own = await Promise.all(
      copies.map(async (copy) => {
        const response = await fetch(`http://127.0.0.1:${copy.ports['http'] ?? 0}/`);
        const told = (await response.json()) as { startedAt: number; listenedAt: number };
        return told.listenedAt - told.startedAt;
      }),
    );
    const decided = Date.parse(first?.startTime ?? '') - breachedAt;
    const ownStart = Math.round(Math.max(...own));
    process.stdout.write(
      `breach to decision ${decided} ms, to all four serving ${servedAt - breachedAt} ms, of which the slowest start took ${ownStart} ms\n`,
    );
  }, 90_000);

  it('stays as it was scaled by hand until that is released, and then scales in as load is gone', async () => {
    const [function_] =
      await system.get<{ id: string; vnfInstanceName: string }[]>('/vnflcm/v2/vnf_instances');
    const path = `/vnflcm/v2/vnf_instances/${function_?.id ?? ''}/scale`;
    const { status } = await system.request('POST', path, { type: 'SCALE_IN', aspectId: 'load' });
    expect(status).toBe(202);
    await until(3);
    load.perSecond = 0;
    await sleep(5_000);
    expect(await runningCopies()).toHaveLength(3);
    const name = function_?.vnfInstanceName ?? '';
    const shown = await system.iotmano(['scaling', 'show', name]);
    expect(shown.stderr).toContain('which was by hand');
    expect(await system.iotmano(['scaling', 'release', name])).toMatchObject({ code: 0 });
    await until(1);
    expect(await alarms()).not.toContain('busy');
    const last = (await scalings()).at(-1);
    expect(last).toMatchObject({ isAutomaticInvocation: true, operationParams: { type: 'SCALE_IN' } });
    const { stdout } = await system.iotmano(['scaling', 'list']);
    expect(stdout).toMatch(/served\S*\s+function\s+load\s+1\s+1-4\s+target/);
  }, 90_000);
});
