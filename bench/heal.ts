/**
 * `npm run bench:heal`: `kill -9` of an instance, of a host with its agent and all that it runs, and of the orchestrator with 100,000 records in its
 * store, until requests of devices are answered again. The function that is killed runs once only, so that nobody stands in for it.
 */
import { parseArgs } from 'node:util';
import { IotmanoError } from '../kernel/index.ts';
import { describeEnvironment } from './environment.ts';
import { fillStore } from './heal/fill-store.ts';
import {
  LOST_AFTER_SECONDS,
  killHost,
  killInstance,
  killOrchestrator,
  type Healed,
  type HostHealed,
  type OrchestratorBack,
  type Scene,
} from './heal/kill.ts';
import { startProbe, type Probe } from './heal/probe.ts';
import { openRealCse, type RealCse } from './real-cse/open-real-cse.ts';
import { roundsOf } from './statistics.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    records: { type: 'string', default: '100000' },
    short: { type: 'boolean', default: false },
  },
});
function wholeAbove0(option: 'rounds' | 'records'): number {
  const value = Number(values[option]);
  if (Number.isInteger(value) && value > 0) return value;
  throw new IotmanoError('invalid-parameter', `--${option} must be a whole number above 0`);
}
const rounds = values.short ? 1 : wholeAbove0('rounds');
const records = values.short ? 2000 : wholeAbove0('records');

const SERVICE = 'bench-heal';
const PATIENCE_SECONDS = 60;

let cse: RealCse | undefined;
let probe: Probe | undefined;
async function close(): Promise<void> {
  const open = cse;
  cse = undefined;
  probe?.stop();
  await open?.close();
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => void close().finally(() => process.exit(1)));

const tell = (what: string, figures: object): void => {
  const told = Object.entries(figures).map(([name, value]) => `${name} ${Number(value).toFixed(2)}`);
  process.stderr.write(`${what}: ${told.join(', ')}\n`);
};

/** Instance and host in turn: on another host an instance has not been restarted yet, and its first restart comes at once. */
async function killPlaces(scene: Scene): Promise<{ instances: Healed[]; hosts: HostHealed[] }> {
  const instances: Healed[] = [];
  const hosts: HostHealed[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const instance = await killInstance(scene);
    tell('instance', instance);
    instances.push(instance);
    const host = await killHost(scene);
    tell('host', host);
    hosts.push(host);
  }
  return { instances, hosts };
}

async function killLeader(scene: Scene): Promise<{ backs: OrchestratorBack[]; stored: number }> {
  const { system } = scene.cse;
  await createOneMore(scene);
  await system.orchestrator().stop(10);
  const stored = await fillStore(system.data, records);
  await system.startOrchestrator();
  process.stderr.write(`${stored} records in the store\n`);
  const backs: OrchestratorBack[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const back = await killOrchestrator(scene);
    tell('orchestrator', back);
    backs.push(back);
  }
  return { backs, stored };
}

/** A function instance that is not instantiated, which others are made after. */
async function createOneMore({ cse: { system } }: Scene): Promise<void> {
  const [pkg] = await system.get<{ vnfdId: string }[]>('/vnfpkgm/v2/vnf_packages');
  const { status, body } = await system.request('POST', '/vnflcm/v2/vnf_instances', { vnfdId: pkg?.vnfdId });
  if (status !== 201)
    throw new IotmanoError('internal', `the creation was answered with ${status}: ${JSON.stringify(body)}`);
}

const environment = describeEnvironment();
try {
  cse = await openRealCse();
  await cse.deploy(SERVICE, { serviceMilliseconds: 0, concurrency: 0 });
  probe = startProbe(await cse.pointOfAccess(SERVICE));
  const scene: Scene = { cse, service: SERVICE, probe };
  await probe.firstAnswer(performance.now(), PATIENCE_SECONDS);
  const { instances, hosts } = await killPlaces(scene);
  const { backs, stored } = await killLeader(scene);
  const seconds = <T>(all: readonly T[], figure: (one: T) => number) => roundsOf(all.map(figure));
  const figures = {
    instanceSeconds: seconds(instances, (one) => one.seconds),
    instanceBeyondOwnStartSeconds: seconds(instances, (one) => one.seconds - one.ownStartSeconds),
    instanceOwnStartSeconds: seconds(instances, (one) => one.ownStartSeconds),
    hostSeconds: seconds(hosts, (one) => one.seconds),
    hostSecondsBeyondPatience: seconds(hosts, (one) => one.beyondPatienceSeconds),
    hostBeyondPatienceAndOwnStartSeconds: seconds(
      hosts,
      (one) => one.beyondPatienceSeconds - one.ownStartSeconds,
    ),
    hostOwnStartSeconds: seconds(hosts, (one) => one.ownStartSeconds),
    orchestratorSeconds: seconds(backs, (one) => one.readySeconds),
    orchestratorActedSeconds: seconds(backs, (one) => one.actedSeconds),
    failedWithoutOrchestrator: backs.reduce((sum, { failed }) => sum + failed, 0),
    askedWithoutOrchestrator: backs.reduce((sum, { ended }) => sum + ended, 0),
    records: stored,
    lostAfterSeconds: LOST_AFTER_SECONDS,
  };
  process.stdout.write(`${JSON.stringify({ bench: 'heal', figures, environment })}\n`);
} finally {
  await close();
}
