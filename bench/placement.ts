/**
 * `npm run bench:placement`: how many instances a second the placement engine gives a host, by number of hosts, on one core: in one plan, from the snapshot
 * on, indexing included; and one by one in random order, on an index that is kept.
 */
import { parseArgs } from 'node:util';
import { createRandom, IotmanoError } from '../kernel/index.ts';
import { HostIndex, planPlacement, type PlacementRequest } from '../orchestrator/placement/index.ts';
import { describeEnvironment } from './environment.ts';
import { buildHosts, buildRequests } from './placement/inventory.ts';
import { median, rounded } from './statistics.ts';

const { values } = parseArgs({
  options: {
    scale: { type: 'string', default: '1' },
    hosts: { type: 'string', multiple: true, default: ['1000', '10000', '100000'] },
    rounds: { type: 'string', default: '5' },
  },
});
const scale = Number(values.scale);
const rounds = Number(values.rounds);
const sizes = values.hosts.map(Number);
if (!(scale > 0)) throw new IotmanoError('invalid-parameter', '--scale must be a number above 0');
if (![rounds, ...sizes].every((count) => Number.isInteger(count) && count > 0))
  throw new IotmanoError('invalid-parameter', '--hosts and --rounds must be whole numbers above 0');
const environment = { ...describeEnvironment(), scale };
const INSTANCES = Math.max(200, Math.round(100_000 * scale));

function heapAfterCollection(): number {
  // What the first collection finalises, the second frees.
  globalThis.gc?.();
  globalThis.gc?.();
  return process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
}

/** All instances in one plan. */
function planAtOnce(hosts: ReturnType<typeof buildHosts>, requests: readonly PlacementRequest[]): number {
  const begin = performance.now();
  const result = planPlacement({ hosts }, { requests, rules: [] });
  const seconds = (performance.now() - begin) / 1000;
  if (!result.fits)
    throw new IotmanoError('internal', `the benchmark does not fit: ${JSON.stringify(result.shortfalls[0])}`);
  const placed = result.additions.reduce((total, { instances }) => total + instances, 0);
  return placed / seconds;
}

interface OneByOne {
  readonly perSecond: number;
  readonly p99Ms: number;
  readonly bytesPerHost: number;
  readonly bytesPerInstance: number;
}

/** What an index takes for each host, before anything is asked of it. */
function bytesOfHosts(hosts: ReturnType<typeof buildHosts>): number {
  const before = heapAfterCollection();
  const index = HostIndex.of({ hosts });
  const bytes = (heapAfterCollection() - before) / hosts.length;
  if (index.size !== hosts.length) throw new IotmanoError('internal', 'the index has lost hosts');
  return bytes;
}

/** What an index grows by for each instance that it holds. */
function bytesOfInstances(
  hosts: ReturnType<typeof buildHosts>,
  order: readonly { readonly request: PlacementRequest }[],
  rows: Int32Array,
): number {
  const index = HostIndex.of({ hosts });
  const before = heapAfterCollection();
  for (const [at, { request }] of order.entries()) {
    const [demand] = request.units;
    if (demand !== undefined) index.book(request.functionId, demand, rows[at] ?? 0, 1);
    index.settle();
  }
  const bytes = (heapAfterCollection() - before) / order.length;
  if (index.size !== hosts.length) throw new IotmanoError('internal', 'the index has lost hosts');
  return bytes;
}

/** Every instance as a plan of its own, in random order, carried out at once. */
function planOneByOne(hosts: ReturnType<typeof buildHosts>, requests: readonly PlacementRequest[]): OneByOne {
  const random = createRandom(3);
  const order = requests
    .flatMap((request) => Array.from({ length: request.units[0]?.instances ?? 0 }, () => request))
    .map((request) => ({ request, at: random() }))
    .toSorted((a, b) => a.at - b.at);
  const times = new Float64Array(order.length);
  const rows = new Int32Array(order.length);
  const counts = new Map<PlacementRequest, number>();
  const before = heapAfterCollection();
  const begin = performance.now();
  const index = HostIndex.of({ hosts });
  for (const [at, { request }] of order.entries()) {
    const count = (counts.get(request) ?? 0) + 1;
    counts.set(request, count);
    const units = request.units.map((unit) => ({ ...unit, instances: count }));
    const from = performance.now();
    const result = planPlacement(index, { requests: [{ ...request, units }], rules: [] });
    const [placed] = result.fits ? result.additions : [];
    const row = placed === undefined ? undefined : index.rowOf(placed.hostId);
    const [demand] = units;
    if (row === undefined || demand === undefined)
      throw new IotmanoError('internal', `no host for ${request.name}: ${JSON.stringify(result)}`);
    index.book(request.functionId, demand, row, 1);
    index.settle();
    rows[at] = row;
    times[at] = performance.now() - from;
  }
  const seconds = (performance.now() - begin) / 1000;
  times.sort();
  const bytesPerInstance = bytesOfInstances(hosts, order, rows);
  const all = heapAfterCollection() - before - bytesPerInstance * order.length;
  // What is used after it was measured was there when it was measured.
  if (index.size !== hosts.length) throw new IotmanoError('internal', 'the index has lost hosts');
  return {
    perSecond: order.length / seconds,
    p99Ms: times[Math.floor(times.length * 0.99)] ?? 0,
    bytesPerHost: all / hosts.length,
    bytesPerInstance,
  };
}

const figures = {
  /** In one plan, from the snapshot on. */
  perSecond: {} as Record<string, number>,
  /** One by one, carrying out included. */
  oneByOnePerSecond: {} as Record<string, number>,
  /** Of one plan for one instance. */
  p99Ms: {} as Record<string, number>,
  /** Of the index, with the candidates that it keeps for 200 functions. */
  bytesPerHost: {} as Record<string, number>,
  /** Of the index alone. */
  bytesPerHostAlone: {} as Record<string, number>,
  bytesPerInstance: {} as Record<string, number>,
};
const requests = buildRequests(INSTANCES);
for (const count of sizes) {
  const hosts = buildHosts(count, INSTANCES);
  const atOnce: number[] = [];
  for (let round = 0; round < rounds; round += 1) atOnce.push(planAtOnce(hosts, requests));
  const single: OneByOne[] = [];
  for (let round = 0; round < Math.min(3, rounds); round += 1) single.push(planOneByOne(hosts, requests));
  figures.perSecond[count] = Math.round(median(atOnce));
  figures.oneByOnePerSecond[count] = Math.round(median(single.map(({ perSecond }) => perSecond)));
  figures.p99Ms[count] = rounded(median(single.map(({ p99Ms }) => p99Ms)), 3);
  figures.bytesPerHost[count] = Math.round(median(single.map(({ bytesPerHost }) => bytesPerHost)));
  figures.bytesPerHostAlone[count] = Math.round(bytesOfHosts(hosts));
  figures.bytesPerInstance[count] = Math.round(
    median(single.map(({ bytesPerInstance }) => bytesPerInstance)),
  );
  process.stderr.write(
    `${count} hosts: ${figures.perSecond[count]}/s in one plan, ${figures.oneByOnePerSecond[count]}/s one by one, p99 ${figures.p99Ms[count]} ms\n`,
  );
}
process.stdout.write(`${JSON.stringify({ bench: 'placement', figures, environment })}\n`);
