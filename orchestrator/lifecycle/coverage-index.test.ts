import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DEFAULT_TENANT,
  SYSTEM_TENANT,
  type HostId,
  type VnfInstanceId,
  type VnfPkgId,
} from '../../kernel/index.ts';
import { buildFunction } from '../../test/kit/descriptor-builder.ts';
import {
  createFakeLiveness,
  createLifecycleBench,
  type FakeLiveness,
} from '../../test/kit/lifecycle-bench.ts';
import { onboardFunction } from '../../test/kit/simulated-host.ts';
import {
  assignmentId,
  toWantedUnits,
  type ObservedDocument,
  type VnfInstanceDocument,
  type WantedVnfc,
} from '../domain/index.ts';
import type { StateStore, StateView } from '../store/index.ts';
import type { ObservedState } from '../../vim-drivers/index.ts';
import { assessConvergence, type Convergence } from './assess-convergence.ts';
import { createCoverageIndex } from './coverage-index.ts';
import { createFunctionCatalog } from './function-catalog.ts';
import { judgeHost } from './liveness.ts';
import { hostsOfWanted } from './plan-wanted.ts';
import { openWithdrawals } from './withdrawals.ts';

const ID = 'everywhere' as VnfInstanceId;
const DESCRIPTOR = buildFunction('gateway');

interface World {
  readonly store: StateStore;
  readonly liveness: FakeLiveness;
  readonly vnfPkgId: VnfPkgId;
}

function createWorld(hosts: number): World {
  const hostIds = Array.from({ length: hosts }, (_, at) => ({ hostId: `h${at}` }));
  const { store } = createLifecycleBench(hostIds);
  onboardFunction(store, DESCRIPTOR);
  const vnfPkgId = [...store.list('vnf-package')][0]?.id as VnfPkgId;
  return { store, liveness: createFakeLiveness(), vnfPkgId };
}

function copyOn(host: number, epoch = 1): WantedVnfc {
  return { unit: 'main', generation: 1, slot: 0, epoch, hostId: `h${host}` as HostId };
}

function setInstance(
  { store, vnfPkgId }: World,
  copies: readonly WantedVnfc[],
  changes: Partial<VnfInstanceDocument> = {},
): void {
  const document: VnfInstanceDocument = {
    name: 'gateway',
    description: '',
    vnfPkgId,
    instantiationState: 'INSTANTIATED',
    config: {},
    constraints: {},
    coverage: 'tier = device-edge',
    bind: {},
    credentials: {},
    wanted: toWantedUnits(copies),
    generations: 1,
    metadata: {},
    ...changes,
  };
  store.commit([{ op: 'put', kind: 'vnf-instance', id: ID, tenant: DEFAULT_TENANT, document }]);
}

function report(store: StateStore, host: number, state: ObservedState | undefined, generation = 1): void {
  const hostId = `h${host}` as HostId;
  const key = { tenant: DEFAULT_TENANT, vnfInstanceId: ID, unit: 'main', generation };
  const id = assignmentId(hostId, key);
  const known = store.get('observed', id);
  if (state === undefined) {
    if (known !== undefined)
      store.commit([{ op: 'delete', kind: 'observed', id, expectedRevision: known.revision }]);
    return;
  }
  const at = '2030-01-01T00:00:00.000Z';
  const document: ObservedDocument = {
    hostId,
    workload: {
      key,
      specHash: 'x',
      instances: [{ slot: 0, epoch: 1, state, since: at, restarts: 0, ports: {}, reason: `is ${state}` }],
    },
    reportedAt: at,
  };
  store.commit([{ op: 'put', kind: 'observed', id, tenant: DEFAULT_TENANT, document }]);
}

/** What a look at all copies finds. */
function lookAtAll({ store, liveness }: World): Convergence {
  const instance = store.get('vnf-instance', ID)?.document;
  if (instance === undefined) throw new RangeError('there is no instance');
  const observed = [...store.list('observed')].map(({ document }) => document);
  const withdrawnFrom = openWithdrawals(store, instance).map(({ hostId }) => hostId);
  const hosts = [
    ...observed.map(({ hostId }) => hostId),
    ...hostsOfWanted(instance.wanted),
    ...withdrawnFrom,
  ];
  const isLost = (hostId: HostId) => judgeHost(store, liveness, DESCRIPTOR, hostId).isLost;
  return assessConvergence({
    wanted: instance.wanted,
    displaced: instance.displaced ?? [],
    observed,
    mode: 'service',
    lostHosts: new Set(hosts.filter(isLost)),
    withdrawnFrom,
    isCoverage: true,
  });
}

function inOrder({ pending, failed, ...rest }: Convergence): object {
  return { ...rest, pending: pending.toSorted(), failed: failed.map(({ copy }) => copy.hostId).toSorted() };
}

const HOSTS = 4;
const host = fc.integer({ min: 0, max: HOSTS - 1 });
const state = fc.constantFrom<ObservedState | undefined>(
  'STARTING',
  'RUNNING',
  'RUNNING',
  'FAILED',
  'UNHEALTHY',
  undefined,
);

const change: fc.Arbitrary<(world: World) => void> = fc.oneof(
  fc.tuple(host, state, fc.constantFrom(1, 1, 2)).map(
    ([at, is, generation]) =>
      (world: World) =>
        report(world.store, at, is, generation),
  ),
  fc
    .tuple(fc.subarray([0, 1, 2, 3]), fc.subarray([0, 1, 2, 3]), fc.constantFrom(1, 1, 2))
    .map(([wanted, withdrawn, epoch]) => (world: World) => {
      const revision = world.store.acceptedRevision + 1;
      setInstance(
        world,
        wanted.map((at) => copyOn(at, epoch)),
        { withdrawn: withdrawn.map((at) => ({ hostId: `h${at}` as HostId, revision })) },
      );
    }),
  host.map((at) => ({ store }: World) => {
    const document = { revision: store.acceptedRevision };
    store.commit([{ op: 'put', kind: 'host-applied', id: `h${at}`, tenant: SYSTEM_TENANT, document }]);
  }),
  fc.tuple(host, fc.constantFrom(0, 1e6)).map(([at, silence]) => ({ liveness }: World) => {
    if (silence === 0) liveness.silence.delete(`h${at}` as HostId);
    else liveness.silence.set(`h${at}` as HostId, silence);
  }),
  host.map((at) => ({ store }: World) => {
    const known = store.get('host', `h${at}`);
    const id = `h${at}`;
    if (known === undefined) {
      const document = store.get('host', 'h9')?.document;
      if (document !== undefined)
        store.commit([{ op: 'put', kind: 'host', id, tenant: SYSTEM_TENANT, document }]);
    } else store.commit([{ op: 'delete', kind: 'host', id, expectedRevision: known.revision }]);
  }),
);

describe('how far a function with coverage is', () => {
  it('is what a look at all of its copies finds, whatever has changed since the last look', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(change, fc.boolean()), { minLength: 1, maxLength: 30 }), (changes) => {
        const world = createWorld(10);
        const { store, liveness } = world;
        setInstance(world, [copyOn(0)]);
        const index = createCoverageIndex({ state: store, catalog: createFunctionCatalog(store), liveness });
        for (const [apply, isLookedAt] of [...changes, [() => {}, true] as const]) {
          apply(world);
          const instance = store.get('vnf-instance', ID)?.document;
          if (!isLookedAt || instance === undefined) continue;
          expect(inOrder(index.convergenceOf(ID, instance))).toEqual(inOrder(lookAtAll(world)));
          const gone = hostsOfWanted(instance.wanted).filter((id) => store.get('host', id) === undefined);
          expect([...index.hostsGone(ID, instance)].toSorted()).toEqual(gone.toSorted());
        }
      }),
      { numRuns: 200 },
    );
  });

  it('costs, after the report of one host, a look at that host and at no other', () => {
    const world = createWorld(200);
    const { store, liveness } = world;
    const all = Array.from({ length: 200 }, (_, at) => at);
    setInstance(
      world,
      all.map((at) => copyOn(at)),
    );
    for (const at of all) report(store, at, 'STARTING');
    const lookedAt: string[] = [];
    const watched: StateView = Object.create(store, {
      listByPrefix: {
        value: (kind: 'observed', prefix: string) => {
          lookedAt.push(prefix);
          return store.listByPrefix(kind, prefix);
        },
      },
    }) as StateView;
    const index = createCoverageIndex({ state: watched, catalog: createFunctionCatalog(store), liveness });
    const look = () => {
      const instance = store.get('vnf-instance', ID)?.document;
      return instance === undefined ? undefined : index.convergenceOf(ID, instance);
    };
    expect(look()).toMatchObject({ reached: 0, isReached: false });
    expect(lookedAt).toHaveLength(200);
    lookedAt.length = 0;
    report(store, 17, 'RUNNING');
    expect(look()).toMatchObject({ reached: 1, isReached: false });
    expect(lookedAt).toEqual([`h17.${ID}-`]);
  });
});
