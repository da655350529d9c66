import { describe, expect, it } from 'vitest';
import { DEFAULT_TENANT, type VnfInstanceId } from '../../kernel/index.ts';
import { buildFunction, buildUnit } from '../../test/kit/descriptor-builder.ts';
import { createLifecycleBench, type LifecycleBench } from '../../test/kit/lifecycle-bench.ts';
import { onboardFunction } from '../../test/kit/simulated-host.ts';

const WORKER = buildFunction('worker', {
  units: [buildUnit({ env: { ZONE: '{{ config.zone }}' } })],
  config: {
    schema: {
      type: 'object',
      additionalProperties: false,
      properties: { level: { type: 'string' }, zone: { type: 'string' }, key: { type: 'string' } },
    },
    defaults: { level: 'info', zone: 'north' },
    secrets: [],
    apply: { level: 'reload', zone: 'reload', key: 'restart' },
  },
  upgrade: { strategy: 'rolling', maxUnavailable: 0, maxSurge: 1, healthyForSeconds: 0, autoRollback: true },
});

async function run(bench: LifecycleBench): Promise<string> {
  onboardFunction(bench.store, WORKER);
  const { id } = bench.lifecycle.vnf.create(DEFAULT_TENANT, {
    vnfdId: 'vnfd-worker',
    vnfInstanceName: 'worker',
  });
  bench.lifecycle.vnf.instantiate(DEFAULT_TENANT, id, { flavourId: 'default' });
  await bench.converge();
  return id;
}

function modify(
  bench: LifecycleBench,
  id: string,
  vnfConfigurableProperties: Record<string, unknown>,
): string {
  return bench.lifecycle.vnf.modify(DEFAULT_TENANT, id, { vnfConfigurableProperties });
}

const state = (bench: LifecycleBench, op: string) =>
  bench.lifecycle.opOccs.get(DEFAULT_TENANT, op).document.state;

function told(bench: LifecycleBench, id: string) {
  return bench.lifecycle.context.index
    .assignmentsOf(id as VnfInstanceId)
    .map(({ document }) => document.workload.bindings.config);
}

describe('a change of configuration', () => {
  it('is taken over by running copies where the descriptor says so, and is over when their hosts have it', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }], { retireMilliseconds: 0 });
    const id = await run(bench);
    bench.host('h1').isSilent = true;
    const op = modify(bench, id, { level: 'debug' });
    await bench.converge();
    expect([state(bench, op), told(bench, id)]).toEqual(['PROCESSING', [{ level: 'debug', zone: 'north' }]]);
    bench.host('h1').isSilent = false;
    await bench.converge();
    expect(state(bench, op)).toBe('COMPLETED');
    expect(bench.host('h1').running()).toEqual([`${id}-main-g1-0@1 RUNNING`]);
  });

  it.each([
    ['the descriptor says so', { key: 'k' }],
    ['something that is fixed is made of the value', { zone: 'south' }],
  ])('replaces the copies, the old ones last, where %s', async (_why, values) => {
    const bench = createLifecycleBench([{ hostId: 'h1' }], { retireMilliseconds: 0 });
    const id = await run(bench);
    const op = modify(bench, id, values);
    await bench.converge();
    expect(state(bench, op)).toBe('COMPLETED');
    expect(bench.host('h1').running()).toEqual([`${id}-main-g2-1@1 RUNNING`]);
    expect(told(bench, id)).toEqual([{ level: 'info', zone: 'north', ...values }]);
  });

  it('goes back to the values before when copies with the new ones do not start', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }], { retireMilliseconds: 0 });
    const id = await run(bench);
    bench.host('h1').failStarts('-g2-', 'the key is wrong');
    const op = modify(bench, id, { key: 'wrong' });
    await bench.converge();
    expect(state(bench, op)).toBe('ROLLED_BACK');
    expect(bench.lifecycle.vnf.get(DEFAULT_TENANT, id).document.config).toEqual({});
    expect(told(bench, id)).toEqual([{ level: 'info', zone: 'north' }]);
  });

  it('can be cancelled while a host has not got it, and is undone by a rollback', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }], { retireMilliseconds: 0 });
    const id = await run(bench);
    bench.host('h1').isSilent = true;
    const op = modify(bench, id, { level: 'debug' });
    await bench.converge();
    bench.lifecycle.opOccs.cancel(DEFAULT_TENANT, op, 'GRACEFUL');
    await bench.converge();
    expect(state(bench, op)).toBe('FAILED_TEMP');
    bench.lifecycle.opOccs.rollback(DEFAULT_TENANT, op);
    bench.host('h1').isSilent = false;
    await bench.converge();
    expect([state(bench, op), told(bench, id)]).toEqual(['ROLLED_BACK', [{ level: 'info', zone: 'north' }]]);
  });

  it('is refused with the place and the remedy, and changes nothing', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }]);
    const id = await run(bench);
    const before = bench.store.acceptedRevision;
    expect(() => modify(bench, id, { level: 7 })).toThrow(/config of worker: \/level/);
    expect(bench.store.acceptedRevision).toBe(before);
  });
});

describe('a change of what people call it', () => {
  it('is made at once, also of what is not instantiated', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }]);
    onboardFunction(bench.store, WORKER);
    const { id } = bench.lifecycle.vnf.create(DEFAULT_TENANT, {
      vnfdId: 'vnfd-worker',
      metadata: { a: 1, b: 2 },
    });
    const op = bench.lifecycle.vnf.modify(DEFAULT_TENANT, id, {
      vnfInstanceName: 'other',
      metadata: { a: null, c: 3 },
    });
    await bench.converge();
    expect(state(bench, op)).toBe('COMPLETED');
    expect(bench.lifecycle.vnf.get(DEFAULT_TENANT, id).document).toMatchObject({
      name: 'other',
      metadata: { b: 2, c: 3 },
      instantiationState: 'NOT_INSTANTIATED',
    });
    expect(() => modify(bench, id, { level: 'debug' })).toThrow(/given when it is instantiated/);
  });
});
