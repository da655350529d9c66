/**
 * A process to be killed: a lifecycle over a SQLite store with simulated hosts, which instantiates what is not, changes what is of the first version
 * to the second, and terminates what is of the second.
 * Usage: lifecycle-loop.ts DIRECTORY TOLD_INTO loop|settle. What is durable and would be answered, and what hosts start, goes into
 * TOLD_INTO, a line each. `settle` begins nothing new, and ends when nothing is under way.
 */
import { appendFileSync } from 'node:fs';
import { DEFAULT_TENANT, randomIds, silentLogger, systemClock } from '../../../kernel/index.ts';
import { buildFunction } from '../../../test/kit/descriptor-builder.ts';
import { createFakeLiveness } from '../../../test/kit/lifecycle-bench.ts';
import { createSimulatedHost, onboardFunction } from '../../../test/kit/simulated-host.ts';
import { openSqliteStore } from '../../store/index.ts';
import { createLifecycle, randomKeys } from '../index.ts';

const FUNCTIONS = 6;
const SECOND = 'pkg-worker-2';
const UPGRADE = {
  strategy: 'rolling',
  maxUnavailable: 0,
  maxSurge: 1,
  healthyForSeconds: 0,
  autoRollback: true,
} as const;
const MOST_ROUNDS = 100_000;

const [directory = '', toldInto = '', mode = 'loop'] = process.argv.slice(2);
const tell = (line: string): void => appendFileSync(toldInto, `${line}\n`);
const store = await openSqliteStore({
  directory,
  ids: randomIds,
  onFatal: () => process.exit(1),
  lockWaitMilliseconds: 5000,
});
const hosts = ['h1', 'h2'].map((hostId) =>
  createSimulatedHost({
    hostId,
    clock: systemClock,
    onDriverCall: (phase, call) => {
      if (phase === 'before') tell(call);
    },
  }),
);
const lifecycle = createLifecycle({
  store,
  clock: systemClock,
  ids: randomIds,
  keys: randomKeys,
  liveness: createFakeLiveness(),
  templates: () => '',
  logger: silentLogger,
  limits: { retireMilliseconds: 0 },
});
const { vnf, opOccs } = lifecycle;

if (store.count('host') === 0) for (const host of hosts) host.enrol(store);
if (store.count('vnf-package') === 0) {
  const worker = buildFunction('worker', { upgrade: UPGRADE });
  onboardFunction(store, worker);
  const metadata = { ...worker.metadata, id: 'vnfd-worker-2', softwareVersion: '2.0.0' };
  onboardFunction(store, { ...worker, metadata }, DEFAULT_TENANT, SECOND);
}
if (mode === 'loop')
  while (store.count('vnf-instance') < FUNCTIONS)
    vnf.create(DEFAULT_TENANT, { vnfdId: 'vnfd-worker', vnfInstanceName: 'worker' });
await store.whenDurable();
lifecycle.engine.start();
tell('open');

const completed = new Set<string>();

/** What is durable now, and was not told of before. */
function tellCompleted(): void {
  for (const { id, document } of opOccs.list(DEFAULT_TENANT)) {
    if (document.state !== 'COMPLETED' || completed.has(id)) continue;
    completed.add(id);
    tell(`completed ${id}`);
  }
}

/** Begins what can be begun; what is answered is durable. */
async function request(): Promise<void> {
  const begun = vnf.list(DEFAULT_TENANT).flatMap(({ id, document }) => {
    if (document.activeOpOcc !== undefined) return [];
    if (document.instantiationState === 'NOT_INSTANTIATED')
      return [vnf.instantiate(DEFAULT_TENANT, id, { flavourId: 'default' })];
    return document.vnfPkgId === SECOND
      ? [vnf.terminate(DEFAULT_TENANT, id, { terminationType: 'GRACEFUL' })]
      : [vnf.changePackage(DEFAULT_TENANT, id, { vnfdId: 'vnfd-worker-2' })];
  });
  await store.whenDurable();
  for (const id of begun) tell(`accepted ${id}`);
}

for (let round = 0; round < MOST_ROUNDS; round += 1) {
  if (mode === 'loop') await request();
  lifecycle.engine.lookAtAll();
  await store.whenDurable();
  const hasMoved = hosts.map((host) => host.step(store)).some(Boolean);
  await store.whenDurable();
  if (mode === 'loop') tellCompleted();
  const isBusy = vnf.list(DEFAULT_TENANT).some(({ document }) => document.activeOpOcc !== undefined);
  if (mode === 'settle' && !hasMoved && !isBusy) break;
}
await lifecycle.engine.stop();
await store.close();
