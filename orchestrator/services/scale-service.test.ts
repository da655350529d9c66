import { describe, expect, it } from 'vitest';
import { DEFAULT_TENANT } from '../../kernel/index.ts';
import type { IoTServiceDescriptor } from '../../descriptors/index.ts';
import {
  buildConstituent,
  buildFunction,
  buildProvider,
  buildService,
  requirement,
} from '../../test/kit/descriptor-builder.ts';
import { createLifecycleBench, type LifecycleBench } from '../../test/kit/lifecycle-bench.ts';
import { onboardFunction, onboardService } from '../../test/kit/simulated-host.ts';
import type { VnfLcmOpOccDocument } from '../domain/index.ts';
import { aspectsOfService } from './service-aspects.ts';

const SCALING = [{ aspect: 'load', deltas: { main: 1 }, min: 1, max: 6 }];
const LEVELS = [
  { broker: 1, gateway: 1 },
  { broker: 2, gateway: 3 },
  { broker: 3, gateway: 6 },
];

const UPGRADE = {
  strategy: 'rolling',
  maxUnavailable: 0,
  maxSurge: 3,
  healthyForSeconds: 0,
  autoRollback: true,
} as const;

interface World {
  readonly bench: LifecycleBench;
  readonly id: string;
}

async function deploy(
  aspect: Partial<IoTServiceDescriptor['aspects'][number]> = {},
  hosts: readonly object[] = [{}, {}],
): Promise<World> {
  const bench = createLifecycleBench(hosts.map((facts, index) => ({ hostId: `h${index + 1}`, facts })));
  onboardFunction(bench.store, buildProvider('broker', { scaling: SCALING }));
  onboardFunction(
    bench.store,
    buildFunction('gateway', { scaling: SCALING, requires: [requirement('broker')] }),
  );
  const functions = [buildConstituent('broker'), buildConstituent('gateway')];
  const aspects = [{ name: 'load', levels: LEVELS, ...aspect }];
  onboardService(bench.store, buildService('cse', functions, { aspects }));
  const { ns } = bench.services;
  const { id } = ns.create(DEFAULT_TENANT, { nsdId: 'nsd-cse', nsName: 'cse', nsDescription: '' });
  ns.instantiate(DEFAULT_TENANT, id, { nsFlavourId: 'default' });
  await bench.converge();
  return { bench, id };
}

const bySteps = (scalingDirection: 'SCALE_OUT' | 'SCALE_IN', numberOfSteps = 1) => ({
  scaleType: 'SCALE_NS' as const,
  scaleNsData: { scaleNsByStepsData: { scalingDirection, aspectId: 'load', numberOfSteps } },
});

const toLevel = (nsScaleLevelId: string, nsScalingAspectId = 'load') => ({
  scaleType: 'SCALE_NS' as const,
  scaleNsData: { scaleNsToLevelData: { nsScaleInfo: [{ nsScalingAspectId, nsScaleLevelId }] } },
});

const scale = ({ bench, id }: World, request: ReturnType<typeof bySteps> | ReturnType<typeof toLevel>) =>
  bench.services.ns.scale(DEFAULT_TENANT, id, request);

const stateOf = ({ bench }: World, op: string) => bench.services.opOccs.get(DEFAULT_TENANT, op).document;

function counts({ bench, id }: World): readonly number[] {
  const { constituents } = bench.services.ns.get(DEFAULT_TENANT, id).document;
  const running = bench.hosts.flatMap((host) => host.running());
  return ['broker', 'gateway'].map(
    (name) => running.filter((copy) => copy.startsWith(`${constituents[name]}-`)).length,
  );
}

/** SCALE operations of functions so far. */
function scalings({ bench }: World): readonly VnfLcmOpOccDocument[] {
  return bench.lifecycle.opOccs
    .list(DEFAULT_TENANT)
    .map(({ document }) => document)
    .filter(({ operation }) => operation === 'SCALE');
}

/** The order in which functions have begun to be scaled, told by the store. */
function followOrder({ bench }: World): readonly string[] {
  const begun: string[] = [];
  bench.store.subscribe(({ entries }) => {
    for (const { kind, record } of entries) {
      const document = record?.document as VnfLcmOpOccDocument | undefined;
      if (kind !== 'vnf-lcm-op-occ' || document?.operation !== 'SCALE' || document.state !== 'STARTING')
        continue;
      begun.push(bench.store.get('vnf-instance', document.vnfInstanceId)?.document.constituent ?? '');
    }
  });
  return begun;
}

describe('scaling a service', () => {
  it('brings its functions to the ratio of the level, providers first out and last in', async () => {
    const world = await deploy();
    const order = followOrder(world);
    const out = scale(world, bySteps('SCALE_OUT', 2));
    await world.bench.converge();
    expect(stateOf(world, out)).toMatchObject({ state: 'COMPLETED', isAutomaticInvocation: false });
    expect(counts(world)).toEqual([3, 6]);
    scale(world, bySteps('SCALE_IN'));
    await world.bench.converge();
    expect(counts(world)).toEqual([2, 3]);
    expect(order).toEqual(['broker', 'gateway', 'gateway', 'broker']);
  });

  it('follows the order of the aspect where it has one', async () => {
    const world = await deploy({ order: ['gateway', 'broker'] });
    const order = followOrder(world);
    scale(world, toLevel('2'));
    await world.bench.converge();
    expect(order).toEqual(['gateway', 'broker']);
  });

  it('is the parent of the same operations as those of an operator', async () => {
    const world = await deploy();
    const op = scale(world, toLevel('2'));
    await world.bench.converge();
    expect(scalings(world)).toMatchObject([
      { state: 'COMPLETED', nsLcmOpOccId: op, operationParams: { type: 'SCALE_OUT', aspectId: 'load' } },
      { state: 'COMPLETED', nsLcmOpOccId: op },
    ]);
  });

  it('restores the ratio where a function was scaled by itself', async () => {
    const world = await deploy();
    const { constituents } = world.bench.services.ns.get(DEFAULT_TENANT, world.id).document;
    world.bench.lifecycle.vnf.scale(DEFAULT_TENANT, constituents['gateway'] ?? '', {
      type: 'SCALE_OUT',
      aspectId: 'load',
      numberOfSteps: 4,
    });
    await world.bench.converge();
    expect(counts(world)).toEqual([1, 5]);
    scale(world, toLevel('2'));
    await world.bench.converge();
    expect(counts(world)).toEqual([2, 3]);
  });

  it('is refused before anything is touched beyond its levels, and where there is no such aspect or level', async () => {
    const world = await deploy();
    const before = world.bench.store.acceptedRevision;
    expect(() => scale(world, bySteps('SCALE_OUT', 3))).toThrow(
      /from 1 to 3; SCALE_OUT by 3 would lead to 4/,
    );
    expect(() => scale(world, bySteps('SCALE_IN'))).toThrow(/would lead to 0/);
    expect(() => scale(world, toLevel('huge'))).toThrow(/has no level "huge"; it has the levels 1 to 3/);
    expect(() => scale(world, toLevel('1', 'size'))).toThrow(/has no scaling aspect "size"; it has: load/);
    expect(world.bench.store.acceptedRevision).toBe(before);
  });

  it('is refused with the reasons where not all functions have room, which the dry run tells as well', async () => {
    const memory = { totalBytes: 512 * 2 ** 20, allocatableBytes: 512 * 2 ** 20 };
    const world = await deploy({}, [{ memory }]);
    const { ns } = world.bench.services;
    const small = ns.planScale(DEFAULT_TENANT, world.id, toLevel('2'));
    expect(small.fits).toBe(true);
    expect(small.instances.filter(({ change }) => change === 'ADDED').map((each) => each.function)).toEqual([
      'broker',
      'gateway',
      'gateway',
    ]);
    expect(ns.planScale(DEFAULT_TENANT, world.id, toLevel('3')).fits).toBe(false);
    expect(() => scale(world, toLevel('3'))).toThrow(/gateway: .*memory/);
  });

  it('goes back with all that it has scaled when a function finds no room any more', async () => {
    const world = await deploy({}, [{}, {}]);
    const op = scale(world, toLevel('3'));
    world.bench.store.subscribe(({ entries }) => {
      const isGranted = entries.some(
        ({ kind, record }) =>
          kind === 'vnf-lcm-op-occ' &&
          (record?.document as VnfLcmOpOccDocument | undefined)?.state === 'PROCESSING',
      );
      if (isGranted) for (const host of ['h1', 'h2']) cordon(world, host);
    });
    await world.bench.converge();
    expect(stateOf(world, op).state).toBe('ROLLED_BACK');
    expect(counts(world)).toEqual([1, 1]);
  });

  it('waits for a decision when instances do not come up: a retry goes on, a rollback takes all of it back', async () => {
    const world = await deploy();
    const { constituents } = world.bench.services.ns.get(DEFAULT_TENANT, world.id).document;
    for (const host of world.bench.hosts)
      host.failStarts(`${constituents['gateway']}-main-g1`, 'exited with 1');
    const op = scale(world, toLevel('2'));
    await world.bench.converge();
    expect(stateOf(world, op)).toMatchObject({
      state: 'FAILED_TEMP',
      error: { detail: expect.stringMatching(/^gateway: .*exited with 1/) as unknown },
    });
    world.bench.services.opOccs.rollback(DEFAULT_TENANT, op);
    await world.bench.converge();
    expect(stateOf(world, op).state).toBe('ROLLED_BACK');
    expect(counts(world)).toEqual([1, 1]);
  });

  it('waits for a decision where a function cannot go back, each time that it is rolled back', async () => {
    const world = await deploy();
    const { constituents } = world.bench.services.ns.get(DEFAULT_TENANT, world.id).document;
    const op = scale(world, toLevel('2'));
    world.bench.store.subscribe(() => {
      for (const host of world.bench.hosts)
        host.strike(`${constituents['gateway']}-main-g1-0`, 'FAILED', 'out of memory');
    });
    for (let attempt = 0; attempt < 3; attempt += 1) {
      await world.bench.converge();
      expect(stateOf(world, op).state).toBe('FAILED_TEMP');
      world.bench.services.opOccs.rollback(DEFAULT_TENANT, op);
    }
    await world.bench.converge();
    expect(stateOf(world, op)).toMatchObject({
      state: 'FAILED_TEMP',
      error: {
        detail: expect.stringMatching(/^gateway: it cannot go back: .*out of memory/) as unknown,
      },
    });
  });

  it('waits for a decision where others have taken the room to go back, and goes back once there is room', async () => {
    const memory = { totalBytes: 512 * 2 ** 20, allocatableBytes: 512 * 2 ** 20 };
    const world = await deploy({}, [{ memory }]);
    const { bench } = world;
    const { services, lifecycle } = bench;
    scale(world, toLevel('2'));
    await bench.converge();
    const gateway = services.ns.get(DEFAULT_TENANT, world.id).document.constituents['gateway'] ?? '';
    const strike = (state: 'RUNNING' | 'FAILED') =>
      bench.host('h1').strike(`${gateway}-main-g1-0`, state, 'out of memory');
    const op = scale(world, toLevel('1'));
    services.engine.lookAtAll();
    lifecycle.engine.lookAtAll();
    strike('FAILED');
    await bench.converge();
    expect(stateOf(world, op).state).toBe('FAILED_TEMP');
    const others = await fillUp(bench);
    services.opOccs.rollback(DEFAULT_TENANT, op);
    await bench.converge();
    expect(stateOf(world, op)).toMatchObject({
      state: 'FAILED_TEMP',
      error: { detail: expect.stringMatching(/^gateway: host h1 has no room left/) as unknown },
    });
    for (const id of others) lifecycle.vnf.terminate(DEFAULT_TENANT, id, { terminationType: 'FORCEFUL' });
    strike('RUNNING');
    await bench.converge();
    services.opOccs.rollback(DEFAULT_TENANT, op);
    await bench.converge();
    expect(stateOf(world, op).state).toBe('ROLLED_BACK');
    expect(counts(world)).toEqual([2, 3]);
  });

  it('counts no copy that an upgrade has beside those that it replaces, and is refused until that is over', async () => {
    const world = await deploy();
    const { bench, id } = world;
    const { services, lifecycle, store } = bench;
    scale(world, toLevel('2'));
    await bench.converge();
    const next = buildFunction('gateway', {
      scaling: SCALING,
      upgrade: UPGRADE,
      requires: [requirement('broker')],
    });
    onboardFunction(
      store,
      { ...next, metadata: { ...next.metadata, id: 'vnfd-gateway-2', softwareVersion: '1.1.0' } },
      DEFAULT_TENANT,
      'pkg-gateway-2',
    );
    const { constituents } = services.ns.get(DEFAULT_TENANT, id).document;
    const change = lifecycle.vnf.changePackage(DEFAULT_TENANT, constituents['gateway'] ?? '', {
      vnfdId: 'vnfd-gateway-2',
    });
    lifecycle.engine.lookAtAll();
    lifecycle.engine.lookAtAll();
    for (const host of bench.hosts) host.step(store);
    expect(counts(world)).toEqual([2, 6]);
    const record = services.ns.get(DEFAULT_TENANT, id);
    const [current] = aspectsOfService(services.context, record);
    expect(current?.functions.map(({ steps }) => steps)).toEqual([2, 3]);
    expect(() => scale(world, bySteps('SCALE_OUT'))).toThrow(
      `cse-gateway replaces its instances by its CHANGE_VNFPKG ${change}; scale the service when that is over`,
    );
    await bench.converge();
    scale(world, bySteps('SCALE_OUT'));
    await bench.converge();
    expect(counts(world)).toEqual([3, 6]);
  });

  it('keeps others from scaling and changing its functions meanwhile', async () => {
    const world = await deploy();
    scale(world, toLevel('2'));
    const { constituents } = world.bench.services.ns.get(DEFAULT_TENANT, world.id).document;
    const byHand = () =>
      world.bench.lifecycle.vnf.scale(DEFAULT_TENANT, constituents['gateway'] ?? '', {
        type: 'SCALE_OUT',
        aspectId: 'load',
      });
    expect(byHand).toThrow(/is changed by the scaling \S+ of its service/);
  });
});

/** Functions of one instance each, until there is room for no further one. */
async function fillUp({ store, lifecycle, converge }: LifecycleBench): Promise<readonly string[]> {
  onboardFunction(store, buildFunction('other'));
  const ids: string[] = [];
  let state = 'INSTANTIATED';
  while (state === 'INSTANTIATED') {
    const { id } = lifecycle.vnf.create(DEFAULT_TENANT, { vnfdId: 'vnfd-other' });
    lifecycle.vnf.instantiate(DEFAULT_TENANT, id, { flavourId: 'default' });
    await converge();
    state = store.get('vnf-instance', id)?.document.instantiationState ?? '';
    if (state === 'INSTANTIATED') ids.push(id);
  }
  return ids;
}

function cordon({ bench: { store } }: World, hostId: string): void {
  const host = store.get('host', hostId);
  if (host === undefined || host.document.cordoned === true) return;
  const document = { ...host.document, cordoned: true };
  store.commit([{ op: 'put', kind: 'host', id: hostId, tenant: host.tenant, document }]);
}
