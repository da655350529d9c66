/**
 * `npm run bench:cse`: oneM2M requests per second and p99 through the virtual CSE of the catalogue, as real processes of the
 * bundled functions over a real broker, durable; and the memory of each function.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { IotmanoError } from '../kernel/index.ts';
import { bundleFunction, functionNames } from '../vnf-catalog/build-packages.ts';
import { TestCse } from '../vnf-catalog/testkit/test-cse.ts';
import { describeEnvironment } from './environment.ts';
import { median, rounded } from './statistics.ts';

const { values } = parseArgs({ options: { scale: { type: 'string', default: '1' } } });
const scale = Number(values.scale);
if (!(scale > 0)) throw new IotmanoError('invalid-parameter', '--scale must be a number above 0');
const environment = { ...describeEnvironment(), scale };

const ROUNDS = 5;
const ROUND_MILLISECONDS = 1_000 * scale;
const CONNECTIONS = [1, 8, 32] as const;
const CONTAINERS = 32;
/** Discovery is measured without contentInstances, and when there are at least so many: it is to cost the same. */
const INSTANCES = 10_000;
/** As the descriptors start the functions. */
const NODE_OPTIONS = '--max-semi-space-size=2 --max-old-space-size=96';

interface Round {
  readonly perSecond: number;
  readonly p99Ms: number;
}

type Send = (connection: number) => Promise<number>;

const agent = new Agent({ keepAlive: true, maxSockets: Math.max(...CONNECTIONS) });
let requests = 0;

/** One request; gives its response status code. */
function send(gateway: URL, method: string, path: string, ty?: number, content?: unknown): Promise<number> {
  requests += 1;
  const body = content === undefined ? undefined : JSON.stringify(content);
  const type = ty === undefined ? {} : { 'Content-Type': `application/json;ty=${ty}` };
  const length = body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) };
  const identity = { 'X-M2M-Origin': 'Cbench', 'X-M2M-RI': `bench-${requests}`, 'X-M2M-RVI': '4' };
  const { hostname: host, port } = gateway;
  return new Promise((resolve, reject) => {
    const headers = { ...identity, ...type, ...length };
    const outgoing = httpRequest({ host, port, method, path, agent, headers }, (response) => {
      response.resume();
      response.once('end', () => resolve(Number(response.headers['x-m2m-rsc'])));
    });
    outgoing.once('error', reject);
    outgoing.end(body);
  });
}

async function measure(connections: number, one: Send): Promise<Round> {
  const milliseconds: number[] = [];
  const started = performance.now();
  const end = started + ROUND_MILLISECONDS;
  const drive = async (connection: number): Promise<void> => {
    while (performance.now() < end) {
      const sent = performance.now();
      const rsc = await one(connection);
      if (rsc < 2000 || rsc >= 3000) throw new IotmanoError('internal', `a request was answered with ${rsc}`);
      milliseconds.push(performance.now() - sent);
    }
  };
  await Promise.all(Array.from({ length: connections }, (_, connection) => drive(connection)));
  const seconds = (performance.now() - started) / 1000;
  const sorted = milliseconds.toSorted((a, b) => a - b);
  return { perSecond: sorted.length / seconds, p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? 0 };
}

/** Medians over the rounds. */
async function figuresOf(name: string, connections: number, one: Send): Promise<Round> {
  const rounds: Round[] = [];
  for (let round = 0; round < ROUNDS; round += 1) rounds.push(await measure(connections, one));
  const figures = {
    perSecond: Math.round(median(rounds.map(({ perSecond }) => perSecond))),
    p99Ms: rounded(median(rounds.map(({ p99Ms }) => p99Ms))),
  };
  process.stderr.write(
    `${name} ${connections} connections: ${figures.perSecond}/s, p99 ${figures.p99Ms} ms\n`,
  );
  return figures;
}

async function run(cse: TestCse): Promise<Record<string, unknown>> {
  const gateway = new URL(cse.gateways[0] ?? '');
  await send(gateway, 'POST', '/cse-in', 2, {
    'm2m:ae': { rn: 'bench', api: 'Nbench', rr: false, srv: ['4'] },
  });
  for (let index = 0; index < CONTAINERS; index += 1) {
    await send(gateway, 'POST', '/cse-in/bench', 3, { 'm2m:cnt': { rn: `c${index}` } });
  }
  const atRest = await memoryOf(cse);
  const value = { 'm2m:cin': { con: { row: 1, time: '2015-09-01 13:45:00', value: 3.06 } } };
  const container = (connection: number): string => `/cse-in/bench/c${connection % CONTAINERS}`;
  const create: Send = (connection) => send(gateway, 'POST', container(connection), 4, value);
  const discover: Send = () => send(gateway, 'GET', '/cse-in?fu=1&ty=3');
  const discoveryWithout = await figuresOf('discovery without contentInstances', 8, discover);
  for (let created = 0; created < INSTANCES; created += 32)
    await Promise.all(Array.from({ length: 32 }, (_, connection) => create(connection)));
  const kinds: Readonly<Record<string, Send>> = {
    create,
    latest: (connection) => send(gateway, 'GET', `${container(connection)}/la`),
    discovery: discover,
  };
  const perSecond: Record<string, Record<string, number>> = {};
  const p99Ms: Record<string, Record<string, number>> = {};
  for (const [name, one] of Object.entries(kinds)) {
    for (const connections of CONNECTIONS) {
      const figures = await figuresOf(name, connections, one);
      (perSecond[name] ??= {})[connections] = figures.perSecond;
      (p99Ms[name] ??= {})[connections] = figures.p99Ms;
    }
  }
  const discoveryPerSecond = {
    without: discoveryWithout.perSecond,
    [`with${INSTANCES}`]: perSecond['discovery']?.[8],
  };
  return { perSecond, p99Ms, discoveryPerSecond, rssMiB: { atRest, afterLoad: await memoryOf(cse) } };
}

async function memoryOf(cse: TestCse): Promise<Record<string, number>> {
  const memory: Record<string, number> = {};
  for (const name of cse.members()) memory[name] = rssMiB(cse.pid(name));
  memory['nats-server'] = rssMiB(cse.natsServerPid());
  return memory;
}

function rssMiB(pid: number): number {
  const kib = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Math.round(Number(kib) / 102.4) / 10;
}

const folder = mkdtempSync(join(tmpdir(), 'bench-cse-'));
let cse: TestCse | undefined;
try {
  for (const name of functionNames()) await bundleFunction(name, folder);
  cse = await TestCse.start({ built: folder, nodeOptions: NODE_OPTIONS });
  const figures = await run(cse);
  process.stdout.write(`${JSON.stringify({ bench: 'cse', figures, environment })}\n`);
} finally {
  agent.destroy();
  await cse?.stop();
  rmSync(folder, { recursive: true, force: true });
}
