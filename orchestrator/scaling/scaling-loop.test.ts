import { describe, expect, it } from 'vitest';
import { DEFAULT_TENANT } from '../../kernel/index.ts';
import { POLICY, createScalingBench, type ScalingBench } from './testkit/scaling-bench.ts';

const scale = ({ bench, id }: ScalingBench, type: 'SCALE_OUT' | 'SCALE_IN', numberOfSteps = 1) =>
  bench.lifecycle.vnf.scale(DEFAULT_TENANT, id, { type, aspectId: 'load', numberOfSteps });

const aspectOf = ({ scaling, id }: ScalingBench) =>
  scaling.useCases.get(DEFAULT_TENANT, 'function', id, 'load');

describe('automatic scaling', () => {
  it('starts the same operation as an operator, told as automatic, with its reason and figures', async () => {
    const bench = await createScalingBench();
    await bench.tell(35);
    expect(bench.copies()).toBe(4);
    expect(bench.scalings()).toMatchObject([
      {
        state: 'COMPLETED',
        isAutomaticInvocation: true,
        operationParams: {
          type: 'SCALE_OUT',
          aspectId: 'load',
          numberOfSteps: 3,
          additionalParams: {
            policy: 'target',
            level: 1,
            wishedLevel: 4,
            reason: 'load is 35 at a target of 10: 3.5 steps',
            figures: { load: 35, demandSteps: 3.5 },
          },
        },
      },
    ]);
  });

  it('scales in once load has been low for as long as its cool-down and stabilisation ask', async () => {
    const bench = await createScalingBench();
    await bench.tell(35);
    for (let second = 0; second < 40; second += 1) await bench.tell(2);
    expect(bench.copies()).toBe(4);
    for (let second = 0; second < 100; second += 1) await bench.tell(2);
    expect(bench.copies()).toBe(1);
    const types = new Set(bench.scalings().map(({ operationParams }) => operationParams['type']));
    expect([...types]).toEqual(['SCALE_OUT', 'SCALE_IN']);
  });

  it('scales nothing in while a host is silent, nor on what was told long ago', async () => {
    const bench = await createScalingBench({ ...POLICY, cooldown: { in: '0s' }, stabilization: '0s' });
    await bench.tell(35);
    for (let second = 0; second < 20; second += 1) await bench.tell(1, { silent: ['h2'] });
    expect(bench.copies()).toBe(4);
    await bench.wait(600);
    expect(bench.copies()).toBe(4);
    for (let second = 0; second < 15; second += 1) await bench.tell(1);
    expect(bench.copies()).toBe(1);
  });

  it('ends by itself where instances do not come up, and an alarm says so', async () => {
    const bench = await createScalingBench();
    for (const host of bench.bench.hosts) host.failStarts('-1', 'port 80 is taken');
    await bench.tell(15);
    expect(bench.scalings()[0]).toMatchObject({
      state: 'FAILED',
      isAutomaticInvocation: true,
      error: { detail: expect.stringContaining('port 80 is taken') as string },
    });
    expect(bench.bench.alarms).toContainEqual(expect.objectContaining({ name: 'scaling-failed' }));
  });

  it('does nothing where a function covers hosts, which follows them instead', async () => {
    const bench = await createScalingBench({ type: 'target', indicator: 'load', target: 10 });
    const { store } = bench.bench;
    const record = store.get('vnf-instance', bench.id);
    if (record === undefined) throw new RangeError('no function');
    const document = { ...record.document, coverage: 'tier = cloud' };
    store.commit([{ op: 'put', kind: 'vnf-instance', id: bench.id, tenant: record.tenant, document }]);
    await store.whenDurable();
    await bench.tell(35);
    expect(bench.scalings()).toEqual([]);
    expect(() =>
      bench.scaling.useCases.modify(DEFAULT_TENANT, 'function', bench.id, 'load', { hold: {} }),
    ).toThrow(/runs once on each host/);
  });

  it('remembers its steps and what its policy has learned when another leader takes over', async () => {
    const bench = await createScalingBench();
    await bench.tell(35);
    await bench.restart();
    expect(aspectOf(bench).document?.state).toMatchObject({
      type: 'target',
      changes: [{ from: 1, to: 4 }],
    });
    // The cool-down goes on where it was.
    for (let second = 0; second < 15; second += 1) await bench.tell(1);
    expect(bench.copies()).toBe(4);
  });

  it('saves every minute what a policy learns', async () => {
    const bench = await createScalingBench({ ...POLICY, type: 'learning' });
    for (let second = 0; second < 65; second += 1) await bench.tell(9.5);
    expect(aspectOf(bench).document?.state).toMatchObject({
      type: 'learning',
      policy: { spent: { extra: 0 } },
    });
  });

  it('leaves nothing of a function that is deleted', async () => {
    const bench = await createScalingBench();
    await bench.tell(35);
    bench.bench.lifecycle.vnf.terminate(DEFAULT_TENANT, bench.id, {});
    await bench.bench.converge();
    bench.bench.lifecycle.vnf.delete(DEFAULT_TENANT, bench.id);
    await bench.bench.converge();
    expect([...bench.bench.store.list('scaling-aspect')]).toEqual([]);
  });
});

describe('scaling by hand', () => {
  it('wins until its time is over', async () => {
    const bench = await createScalingBench({ ...POLICY, hold: '10m' });
    scale(bench, 'SCALE_OUT');
    await bench.bench.converge();
    await bench.tell(35);
    expect(bench.copies()).toBe(2);
    await bench.wait(601);
    await bench.tell(35);
    expect(bench.copies()).toBe(5);
  });

  it('wins until it is released, also over a new leader', async () => {
    const bench = await createScalingBench();
    scale(bench, 'SCALE_OUT');
    await bench.bench.converge();
    await bench.restart();
    await bench.tell(35);
    expect(bench.copies()).toBe(2);
    bench.scaling.useCases.modify(DEFAULT_TENANT, 'function', bench.id, 'load', { hold: null });
    await bench.tell(35);
    expect(bench.copies()).toBe(5);
  });

  it('is not needed for a hold: one is set with an end, or without', async () => {
    const bench = await createScalingBench();
    const { useCases } = bench.scaling;
    useCases.modify(DEFAULT_TENANT, 'function', bench.id, 'load', {
      hold: { until: '2030-01-01T00:00:30Z' },
    });
    await bench.tell(35);
    expect(bench.copies()).toBe(1);
    await bench.wait(30);
    await bench.tell(35);
    expect(bench.copies()).toBe(4);
    expect(() =>
      useCases.modify(DEFAULT_TENANT, 'function', bench.id, 'load', {
        hold: { until: '2029-01-01T00:00:00Z' },
      }),
    ).toThrow(/is not in the future/);
  });
});

describe('a policy that is changed while it acts', () => {
  it('takes effect at the next look, merged into the one in force, and is taken back with null', async () => {
    const bench = await createScalingBench();
    const { useCases } = bench.scaling;
    useCases.modify(DEFAULT_TENANT, 'function', bench.id, 'load', { policy: { target: 20 } });
    await bench.bench.converge();
    await bench.tell(35);
    expect(bench.copies()).toBe(2);
    expect(aspectOf(bench).document?.policy).toEqual({ ...POLICY, target: 20 });
    useCases.modify(DEFAULT_TENANT, 'function', bench.id, 'load', { policy: null });
    await bench.bench.converge();
    await bench.wait(8);
    expect(bench.copies()).toBe(4);
  });

  it('begins anew where it was changed, whatever the one before has found out', async () => {
    const bench = await createScalingBench();
    const { useCases } = bench.scaling;
    const schedule = (at: string, level: number) =>
      useCases.modify(DEFAULT_TENANT, 'function', bench.id, 'load', {
        policy: { type: 'schedule', times: [{ at, level }] },
      });
    schedule('0 0 1 1 *', 1);
    await bench.bench.converge();
    await bench.tell(10);
    expect(bench.copies()).toBe(1);
    schedule('* * * * *', 3);
    await bench.bench.converge();
    await bench.tell(10);
    expect(bench.copies()).toBe(3);
  });

  it('may be of another type, and is refused with its faults where it is not valid', async () => {
    const bench = await createScalingBench();
    const { useCases } = bench.scaling;
    const policy = { type: 'threshold', indicator: 'load', up: 30, down: 5 };
    useCases.modify(DEFAULT_TENANT, 'function', bench.id, 'load', { policy });
    expect(aspectOf(bench).document?.policy).toEqual(policy);
    const wrong = () =>
      useCases.modify(DEFAULT_TENANT, 'function', bench.id, 'load', {
        policy: { indicator: 'laod', down: 50 },
      });
    expect(wrong).toThrow(
      expect.objectContaining({
        code: 'invalid-descriptor',
        context: {
          faults: [
            expect.objectContaining({ rule: 'unknown-indicator', pointer: '/indicator' }),
            expect.objectContaining({ rule: 'limits-cross', pointer: '/down' }),
          ],
        },
      }) as Error,
    );
  });
});

describe('what scaling out finds no room for', () => {
  it('is done as far as there is room, and an alarm says why the rest is not', async () => {
    const bench = await createScalingBench(POLICY, { instancesOfTenant: { [DEFAULT_TENANT]: 2 } });
    await bench.tell(35);
    expect(bench.copies()).toBe(2);
    expect(aspectOf(bench).scaled.name).toBe('worker');
  });

  it('is tried with fewer steps', async () => {
    const bench = await createScalingBench(POLICY, { instancesOnVim: { h1: 2 } }, [{ hostId: 'h1' }]);
    await bench.tell(35);
    expect(bench.copies()).toBe(2);
    expect(bench.scalings()).toMatchObject([
      { operationParams: { numberOfSteps: 1, additionalParams: { wishedLevel: 4 } } },
    ]);
  });

  it('goes to no VIM beyond its limit, raises an alarm, and clears it when it is no longer needed', async () => {
    const bench = await createScalingBench(POLICY, { instancesOnVim: { h1: 1 } }, [{ hostId: 'h1' }]);
    await bench.tell(35);
    expect(bench.copies()).toBe(1);
    expect(bench.alarms()).toEqual(['no-room-for-scaling']);
    for (let second = 0; second < 15; second += 1) await bench.tell(5);
    expect(bench.alarms()).toEqual([]);
  });

  it('raises an alarm that another leader clears when it is no longer needed', async () => {
    const bench = await createScalingBench(POLICY, { instancesOnVim: { h1: 1 } }, [{ hostId: 'h1' }]);
    await bench.tell(35);
    await bench.restart();
    await bench.tell(35);
    expect(bench.alarms()).toEqual(['no-room-for-scaling']);
    await bench.restart();
    for (let second = 0; second < 15; second += 1) await bench.tell(5);
    expect(bench.alarms()).toEqual([]);
  });

  it('is alarming no more when the policy is taken away, with that as the reason', async () => {
    const bench = await createScalingBench(POLICY, { instancesOnVim: { h1: 1 } }, [{ hostId: 'h1' }]);
    await bench.tell(35);
    withoutScaling(bench);
    await bench.wait(1);
    expect(bench.alarms()).toEqual([]);
    expect([...bench.bench.store.list('alarm')][0]?.document.text).toMatch(/cleared: nothing scales/);
  });

  it('is alarming no more when the function is terminated, or was deleted while nobody looked', async () => {
    const bench = await createScalingBench(POLICY, { instancesOnVim: { h1: 1 } }, [{ hostId: 'h1' }]);
    await bench.tell(35);
    await bench.scaling.stop();
    const { vnf } = bench.bench.lifecycle;
    vnf.terminate(DEFAULT_TENANT, bench.id, {});
    await bench.bench.converge();
    vnf.delete(DEFAULT_TENANT, bench.id);
    expect(bench.alarms()).toEqual(['no-room-for-scaling']);
    await bench.restart();
    expect(bench.alarms()).toEqual([]);
  });
});

/** The function as of a version that has no aspects. */
function withoutScaling({ bench: { store }, id }: ScalingBench): void {
  const instance = store.get('vnf-instance', id);
  const pkg = store.get('vnf-package', instance?.document.vnfPkgId ?? '');
  if (instance === undefined || pkg?.document.descriptor === undefined) throw new RangeError('no package');
  const document = { ...pkg.document, descriptor: { ...pkg.document.descriptor, scaling: [] } };
  store.commit([
    { op: 'put', kind: 'vnf-package', id: pkg.id, tenant: pkg.tenant, document },
    { op: 'put', kind: 'vnf-instance', id, tenant: instance.tenant, document: instance.document },
  ]);
}
