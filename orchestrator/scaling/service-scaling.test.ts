import { describe, expect, it } from 'vitest';
import { DEFAULT_TENANT, type NsInstanceId } from '../../kernel/index.ts';
import { onboardFunction } from '../../test/kit/simulated-host.ts';
import { aspectsOfService } from '../services/index.ts';
import { POLICY } from './testkit/scaling-bench.ts';
import {
  SERVICE_POLICY,
  createServiceScalingBench,
  type ServiceScalingBench,
} from './testkit/service-scaling-bench.ts';

const UPGRADE = {
  strategy: 'rolling',
  maxUnavailable: 0,
  maxSurge: 1,
  healthyForSeconds: 0,
  autoRollback: true,
} as const;

const aspectOf = ({ scaling, id }: ServiceScalingBench) =>
  scaling.useCases.get(DEFAULT_TENANT, 'service', id, 'load');

const levelOf = ({ bench: { services }, id }: ServiceScalingBench): number | undefined =>
  aspectsOfService(services.context, services.ns.get(DEFAULT_TENANT, id))[0]?.level;

const byHand = ({ bench, id }: ServiceScalingBench, level: string): string =>
  bench.services.ns.scale(DEFAULT_TENANT, id, {
    scaleType: 'SCALE_NS',
    scaleNsData: {
      scaleNsToLevelData: { nsScaleInfo: [{ nsScalingAspectId: 'load', nsScaleLevelId: level }] },
    },
  });

/** An automatic step out, whatever load there is. */
function startStep({ services }: ServiceScalingBench['bench'], id: string): string {
  const outcome = services.automaticScalings.start(
    id as NsInstanceId,
    { type: 'SCALE_OUT', aspectId: 'load', numberOfSteps: 1, additionalParams: {} },
    () => undefined,
    () => [],
  );
  return outcome.type === 'started' ? outcome.operationId : outcome.type;
}

describe('automatic scaling of a service', () => {
  it('starts the same operation as an operator, told as automatic, which scales all of its functions', async () => {
    const bench = await createServiceScalingBench();
    await bench.tell(35);
    expect(bench.copies()).toEqual([2, 4]);
    expect(bench.scalings()).toMatchObject([
      {
        state: 'COMPLETED',
        isAutomaticInvocation: true,
        scaling: { aspect: 'load', from: 1, to: 3 },
        operationParams: { scaleType: 'SCALE_NS', additionalParams: { policy: 'target', wishedLevel: 3 } },
      },
    ]);
    const children = bench.bench.lifecycle.opOccs
      .list(DEFAULT_TENANT)
      .filter(({ document }) => document.operation === 'SCALE');
    expect(children.map(({ document }) => document.isAutomaticInvocation)).toEqual([true, true]);
  });

  it('takes the lowest level that has instances enough, however far apart levels are', async () => {
    const bench = await createServiceScalingBench();
    await bench.tell(45);
    expect(bench.copies()).toEqual([4, 8]);
    await bench.tell(9);
    expect(bench.copies()).toEqual([4, 8]);
  });

  it('scales in once load has been low for as long as its cool-down and stabilisation ask', async () => {
    const policy = { ...SERVICE_POLICY, cooldown: { in: '0s' }, stabilization: '0s' };
    const bench = await createServiceScalingBench({ aspect: { policy } });
    await bench.tell(35);
    expect(bench.copies()).toEqual([2, 4]);
    for (let second = 0; second < 12; second += 1) await bench.tell(4);
    expect(bench.copies()).toEqual([1, 1]);
  });

  it('leaves nothing to the policies of the functions that it scales', async () => {
    const own = [{ aspect: 'load', deltas: { main: 1 }, min: 1, max: 8, policy: { ...POLICY, target: 1 } }];
    const bench = await createServiceScalingBench({ worker: { scaling: own } });
    await bench.tell(9);
    expect(bench.copies()).toEqual([1, 1]);
    const { scaling, idOf } = bench;
    const found = scaling.useCases.get(DEFAULT_TENANT, 'function', idOf('worker'), 'load');
    expect(found.scaled.kind).toBe('function');
    await bench.tell(35);
    expect(bench.copies()).toEqual([2, 4]);
  });

  it('keeps within what a tenant may have, as far as whole levels go', async () => {
    const bench = await createServiceScalingBench({ limits: { instancesOfTenant: { [DEFAULT_TENANT]: 5 } } });
    await bench.tell(80);
    expect(bench.copies()).toEqual([1, 2]);
  });

  it('raises an alarm at the function that finds no room, tries fewer levels, and clears it when it is not needed', async () => {
    const bench = await createServiceScalingBench({
      limits: { instancesOnVim: { h1: 3 } },
      hosts: [{ hostId: 'h1' }],
    });
    await bench.tell(35);
    expect(bench.copies()).toEqual([1, 2]);
    await bench.wait(5);
    await bench.tell(35);
    expect(bench.alarms()).toEqual(['no-room-for-scaling']);
    await bench.restart();
    for (let second = 0; second < 15; second += 1) await bench.tell(8);
    expect(bench.alarms()).toEqual([]);
  });

  it('goes back with all of it when instances do not come up, and tries again later', async () => {
    const bench = await createServiceScalingBench();
    const failing = `${bench.idOf('worker')}-main-g1`;
    for (const host of bench.bench.hosts) host.failStarts(failing, 'exited with code 1');
    await bench.tell(35);
    await bench.bench.converge();
    expect(bench.scalings()).toMatchObject([{ state: 'ROLLED_BACK', isAutomaticInvocation: true }]);
    expect(bench.copies()).toEqual([1, 1]);
    expect(bench.bench.services.ns.get(DEFAULT_TENANT, bench.id).document.activeOpOcc).toBeUndefined();
    await bench.tell(35);
    expect(bench.alarms()).toContain('no-room-for-scaling');
    expect(bench.scalings()).toHaveLength(1);
  });

  it('ends where it cannot go back either, and the functions are healed', async () => {
    const { bench, id, idOf, scalings, copies } = await createServiceScalingBench();
    const { services, lifecycle, hosts } = bench;
    startStep(bench, id);
    services.engine.lookAtAll();
    lifecycle.engine.lookAtAll();
    for (const host of hosts) host.strike(`${idOf('worker')}-`, 'FAILED', 'out of memory');
    await bench.converge();
    expect(scalings()).toMatchObject([
      { state: 'FAILED', error: { detail: expect.stringMatching(/^worker: it cannot go back/) as unknown } },
    ]);
    expect(services.ns.get(DEFAULT_TENANT, id).document.activeOpOcc).toBeUndefined();
    expect(copies()).toEqual([1, 1]);
    expect(hosts.flatMap((host) => host.running()).every((copy) => copy.endsWith('RUNNING'))).toBe(true);
  });

  it('leaves no function busy where it was cancelled before an instance failed', async () => {
    const { bench, id, idOf, scalings, copies } = await createServiceScalingBench();
    const { services, lifecycle, store, hosts } = bench;
    for (const host of hosts) host.failStarts(`${idOf('worker')}-main-g1`, 'exited with code 1');
    const op = startStep(bench, id);
    services.engine.lookAtAll();
    lifecycle.engine.lookAtAll();
    services.opOccs.cancel(DEFAULT_TENANT, op, 'GRACEFUL');
    await bench.converge();
    expect(scalings()).toMatchObject([{ state: 'FAILED' }]);
    const [child] = lifecycle.opOccs
      .list(DEFAULT_TENANT)
      .filter(({ document }) => document.operation === 'SCALE');
    expect(child?.document).toMatchObject({ state: 'FAILED', nsLcmOpOccId: op });
    for (const host of hosts) host.healStarts();
    await bench.clock.advance(60_000);
    await bench.converge();
    expect(store.get('vnf-instance', idOf('worker'))?.document.activeOpOcc).toBeUndefined();
    expect(copies()).toEqual([1, 2]);
  });

  it('does not start what was terminated, when a termination of the service was given up', async () => {
    const world = await createServiceScalingBench();
    const { bench, id, idOf } = world;
    const { services, store } = bench;
    const op = services.ns.terminate(DEFAULT_TENANT, id, {});
    const stateOf = (name: string) => store.get('vnf-instance', idOf(name))?.document.instantiationState;
    services.engine.lookAtAll();
    services.opOccs.cancel(DEFAULT_TENANT, op, 'GRACEFUL');
    await bench.converge();
    services.opOccs.fail(DEFAULT_TENANT, op);
    await bench.converge();
    expect([services.ns.get(DEFAULT_TENANT, id).document.state, stateOf('store')]).toEqual([
      'INSTANTIATED',
      'INSTANTIATED',
    ]);
    await world.wait(6);
    expect(world.copies()).toEqual([1, 0]);
    expect(() => byHand(world, '2')).toThrow(/cse-worker is NOT_INSTANTIATED, and a service is scaled only/);
    expect(world.scalings()).toEqual([]);
  });

  it('waits until an upgrade of a function is over, without an alarm', async () => {
    const world = await createServiceScalingBench();
    const { bench, id, idOf } = world;
    const { lifecycle, store } = bench;
    const worker = store.get('vnf-package', 'pkg-worker')?.document.descriptor;
    if (worker === undefined) throw new RangeError('no package pkg-worker');
    const metadata = { ...worker.metadata, id: 'vnfd-worker-2', softwareVersion: '1.1.0' };
    onboardFunction(store, { ...worker, metadata, upgrade: UPGRADE }, DEFAULT_TENANT, 'pkg-worker-2');
    lifecycle.vnf.changePackage(DEFAULT_TENANT, idOf('worker'), {
      vnfdId: 'vnfd-worker-2',
    });
    lifecycle.engine.lookAtAll();
    lifecycle.engine.lookAtAll();
    expect(levelOf(world)).toBe(1);
    expect(startStep(bench, id)).toBe('busy');
    await bench.converge();
    expect(world.scalings()).toEqual([]);
    expect(world.alarms()).toEqual([]);
    await world.tell(35);
    expect(world.copies()).toEqual([2, 4]);
  });

  it('remembers its steps when another leader takes over', async () => {
    const bench = await createServiceScalingBench();
    await bench.tell(35);
    await bench.restart();
    await bench.tell(9);
    expect(aspectOf(bench).document?.state).toMatchObject({ changes: [{ from: 1, to: 3 }] });
  });
});

describe('a service that is scaled by hand', () => {
  it('stays so until its time is over, or until it is released', async () => {
    const bench = await createServiceScalingBench();
    byHand(bench, '2');
    await bench.wait(1);
    await bench.tell(35);
    expect(bench.copies()).toEqual([1, 2]);
    bench.scaling.useCases.modify(DEFAULT_TENANT, 'service', bench.id, 'load', { hold: null });
    await bench.bench.converge();
    await bench.tell(35);
    expect(bench.copies()).toEqual([4, 8]);
  });

  it('is held as well while one of its functions was scaled by hand', async () => {
    const bench = await createServiceScalingBench({ aspect: { policy: { ...SERVICE_POLICY, hold: '1m' } } });
    bench.bench.lifecycle.vnf.scale(DEFAULT_TENANT, bench.idOf('worker'), {
      type: 'SCALE_OUT',
      aspectId: 'load',
    });
    await bench.wait(1);
    await bench.tell(35);
    expect(bench.copies()).toEqual([1, 2]);
    await bench.wait(61);
    await bench.tell(35);
    expect(bench.copies()).toEqual([4, 8]);
  });
});

describe('the policy of an aspect of a service', () => {
  it('may be set by an operator, within the levels of the aspect and the indicators of its functions', async () => {
    const bench = await createServiceScalingBench();
    const modify = (policy: object) => () =>
      bench.scaling.useCases.modify(DEFAULT_TENANT, 'service', bench.id, 'load', { policy: { ...policy } });
    expect(modify({ indicator: 'laod' })).toThrow(
      expect.objectContaining({
        context: { faults: [expect.objectContaining({ rule: 'unknown-indicator' })] },
      }) as Error,
    );
    expect(modify({ type: 'schedule', times: [{ at: '* * * * *', level: 5 }] })).toThrow(
      expect.objectContaining({
        context: { faults: [expect.objectContaining({ rule: 'time-outside-aspect' })] },
      }) as Error,
    );
    modify({ type: 'schedule', times: [{ at: '* * * * *', level: 3 }] })();
    await bench.bench.converge();
    await bench.tell(1);
    expect(bench.copies()).toEqual([2, 4]);
  });
});
