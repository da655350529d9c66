/** `npm run bench:store`: durable commits per second and p99 latency, beside the fdatasync rate of the same disk. */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { IotmanoError, randomIds, SYSTEM_TENANT, type HostId } from '../kernel/index.ts';
import {
  createMemoryStore,
  openSqliteStore,
  type StateStore,
  type Write,
} from '../orchestrator/store/index.ts';
import { describeEnvironment } from './environment.ts';
import { median, rounded } from './statistics.ts';

const { values } = parseArgs({
  options: {
    scale: { type: 'string', default: '1' },
    directory: { type: 'string', default: tmpdir() },
  },
});
const scale = Number(values.scale);
if (!(scale > 0)) throw new IotmanoError('invalid-parameter', '--scale must be a number above 0');
const environment = { ...describeEnvironment(), scale };

const ROUNDS = 5;
const ROUND_MILLISECONDS = 1000 * scale;
const WRITERS = [1, 8, 64] as const;
/** Records that the writers go over: more than fit in the caches of one page. */
const RECORDS = Math.round(20_000 * scale);

interface Round {
  readonly perSecond: number;
  readonly p99Ms: number;
  readonly maxStallMs: number;
}

/** About 600 bytes as JSON: the size of a small assignment or an observed workload. */
function observedWrite(id: number, serial: number): Write {
  const workload = {
    key: { tenant: 'default', vnfInstanceId: `vnf-${id}`, unit: 'main', generation: 1 },
    specHash: `sha256:${'0123456789abcdef'.repeat(4)}`,
    instances: [0, 1].map((slot) => ({
      slot,
      epoch: 1,
      state: 'RUNNING',
      since: '2030-01-01T00:00:00.000Z',
      restarts: serial,
      ports: { http: 20_000 + slot, metrics: 21_000 + slot },
      pid: 4711 + slot,
    })),
  };
  const document = {
    hostId: `host-${id % 1000}` as HostId,
    workload: workload as never,
    reportedAt: '2030-01-01T00:00:00.000Z',
  };
  return { op: 'put', kind: 'observed', id: `host-${id % 1000}.${id}`, tenant: SYSTEM_TENANT, document };
}

/** One writer thread that writes 4 KiB and waits for the disk, over and over. */
function fdatasyncPerSecond(directory: string): number {
  const path = join(directory, 'fdatasync');
  const file = openSync(path, 'w');
  const page = Buffer.alloc(4096, 1);
  const end = performance.now() + ROUND_MILLISECONDS / 2;
  let count = 0;
  for (; performance.now() < end; count += 1) {
    writeSync(file, page, 0, page.length, (count % 1000) * page.length);
    fdatasyncSync(file);
  }
  closeSync(file);
  rmSync(path);
  return count / (ROUND_MILLISECONDS / 2000);
}

async function millisecondsToOpen(directory: string): Promise<number> {
  const first = await openSqliteStore({ directory, ids: randomIds, onFatal: failOnFatal });
  for (let start = 0; start < 100_000 * scale; start += 1000) {
    await first.commit(Array.from({ length: 1000 }, (_, at) => observedWrite(start + at, 0))).durable;
  }
  await first.close();
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const started = performance.now();
    const store = await openSqliteStore({ directory, ids: randomIds, onFatal: failOnFatal });
    times.push(performance.now() - started);
    await store.close();
  }
  return median(times);
}

/**
 * How late a thread that does nothing else comes round at worst: what the machine itself, and the sharing of its cores, adds.
 */
function watchMachine(): { worst(): Promise<number>; end(): Promise<number> } {
  const source = `
    const { parentPort } = require('node:worker_threads');
    let worst = 0, last = performance.now();
    setInterval(() => { const now = performance.now(); worst = Math.max(worst, now - last - 1); last = now; }, 1);
    parentPort.on('message', () => { parentPort.postMessage(worst); worst = 0; });
  `;
  const worker = new Worker(source, { eval: true });
  return {
    worst: async () => {
      worker.postMessage('tell', []);
      const [worst] = (await once(worker, 'message')) as [number];
      return worst;
    },
    end: () => worker.terminate(),
  };
}

/** How late the event loop came round at worst. */
function watchEventLoop(): () => number {
  let worst = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    worst = Math.max(worst, now - last - 1);
    last = now;
  }, 1);
  return () => {
    clearInterval(timer);
    return Math.max(worst, performance.now() - last - 1);
  };
}

async function measure(store: StateStore, writers: number): Promise<Round> {
  const latencies: number[] = [];
  const started = performance.now();
  const end = started + ROUND_MILLISECONDS;
  let serial = 0;
  const writeOn = async (writer: number) => {
    for (let now = performance.now(); now < end;) {
      serial += 1;
      // Spread over the records in an order that is neither theirs nor random.
      const id = (serial * 7919 + writer * 104_729) % RECORDS;
      await store.commit([observedWrite(id, serial)]).durable;
      const done = performance.now();
      latencies.push(done - now);
      now = done;
    }
  };
  const stopWatching = watchEventLoop();
  await Promise.all(Array.from({ length: writers }, (_, writer) => writeOn(writer)));
  const seconds = (performance.now() - started) / 1000;
  const maxStallMs = stopWatching();
  const p99Ms = latencies.toSorted((a, b) => a - b)[Math.floor(latencies.length * 0.99)] ?? Number.NaN;
  return { perSecond: latencies.length / seconds, p99Ms, maxStallMs };
}

async function fill(store: StateStore): Promise<void> {
  for (let start = 0; start < RECORDS; start += 1000) {
    const writes = Array.from({ length: Math.min(1000, RECORDS - start) }, (_, at) =>
      observedWrite(start + at, 0),
    );
    await store.commit(writes).durable;
  }
}

function failOnFatal(error: IotmanoError): never {
  throw error;
}

const machine = watchMachine();
const directory = mkdtempSync(join(values.directory, 'iotmano-bench-store-'));
const figures = {
  commitsPerSecond: {} as Record<string, Record<string, number>>,
  p99Ms: {} as Record<string, Record<string, number>>,
  /** The worst of the rounds, by writers; then the median of the rounds' worst; then the same of an idle thread. */
  maxStallMs: {} as Record<string, number>,
  medianStallMs: {} as Record<string, number>,
  idleThreadMedianStallMs: {} as Record<string, number>,
  fsyncPerSecond: 0,
  ratioToFsync: 0,
  openMs: 0,
};

try {
  const fsyncs: number[] = [];
  const stores = {
    memory: createMemoryStore({ onFatal: failOnFatal, changeLogLimit: 10_000 }) as StateStore,
    sqlite: await openSqliteStore({ directory, ids: randomIds, onFatal: failOnFatal }),
  };
  for (const [name, store] of Object.entries(stores)) {
    await fill(store);
    const perSecond: Record<string, number> = {};
    const p99Ms: Record<string, number> = {};
    for (const writers of WRITERS) {
      const rounds: Round[] = [];
      const idleStalls: number[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        if (name === 'sqlite') fsyncs.push(fdatasyncPerSecond(directory));
        await machine.worst();
        rounds.push(await measure(store, writers));
        idleStalls.push(await machine.worst());
      }
      perSecond[writers] = Math.round(median(rounds.map((round) => round.perSecond)));
      p99Ms[writers] = rounded(median(rounds.map((round) => round.p99Ms)));
      const stalls = rounds.map((round) => round.maxStallMs);
      if (name === 'sqlite') {
        figures.maxStallMs[writers] = rounded(Math.max(...stalls), 1);
        figures.medianStallMs[writers] = rounded(median(stalls), 1);
        figures.idleThreadMedianStallMs[writers] = rounded(median(idleStalls), 1);
      }
      process.stderr.write(
        `${name}, ${writers} writers: ${perSecond[writers]} commits/s, p99 ${p99Ms[writers]} ms, stalls ${stalls.map((stall) => stall.toFixed(1)).join(' ')} ms, of an idle thread ${idleStalls.map((stall) => stall.toFixed(1)).join(' ')} ms\n`,
      );
    }
    figures.commitsPerSecond[name] = perSecond;
    figures.p99Ms[name] = p99Ms;
    await store.close();
  }
  figures.fsyncPerSecond = Math.round(median(fsyncs));
  figures.ratioToFsync = rounded((figures.commitsPerSecond['sqlite']?.[64] ?? 0) / figures.fsyncPerSecond);
  figures.openMs = Math.round(await millisecondsToOpen(join(directory, 'large')));
  process.stderr.write(`opening with ${100_000 * scale} records: ${figures.openMs} ms\n`);
  process.stderr.write(`fdatasync of the same disk: ${figures.fsyncPerSecond}/s\n`);
} finally {
  await machine.end();
  rmSync(directory, { recursive: true, force: true });
}
process.stdout.write(`${JSON.stringify({ bench: 'store', figures, environment })}\n`);
