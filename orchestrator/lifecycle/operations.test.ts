import { describe, expect, it } from 'vitest';
import { DEFAULT_TENANT, type HostId } from '../../kernel/index.ts';
import { buildFunction } from '../../test/kit/descriptor-builder.ts';
import { createLifecycleBench, type LifecycleBench } from '../../test/kit/lifecycle-bench.ts';
import { onboardFunction } from '../../test/kit/simulated-host.ts';

const SCALABLE = buildFunction('worker', {
  scaling: [{ aspect: 'load', deltas: { main: 1 }, min: 1, max: 3 }],
});

function create(bench: LifecycleBench, descriptor = SCALABLE): string {
  onboardFunction(bench.store, descriptor);
  return bench.lifecycle.vnf.create(DEFAULT_TENANT, {
    vnfdId: descriptor.metadata.id,
    vnfInstanceName: 'worker',
  }).id;
}

function instantiate(bench: LifecycleBench, id: string): string {
  return bench.lifecycle.vnf.instantiate(DEFAULT_TENANT, id, { flavourId: 'default' });
}

async function run(bench: LifecycleBench, descriptor = SCALABLE): Promise<string> {
  const id = create(bench, descriptor);
  instantiate(bench, id);
  await bench.converge();
  return id;
}

function operation(bench: LifecycleBench, id: string) {
  return bench.lifecycle.opOccs.get(DEFAULT_TENANT, id).document;
}

describe('scaling by hand', () => {
  it('adds and takes away steps of an aspect, and leaves the others where they are', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }, { hostId: 'h2' }]);
    const id = await run(bench);
    bench.lifecycle.vnf.scale(DEFAULT_TENANT, id, { type: 'SCALE_OUT', aspectId: 'load', numberOfSteps: 2 });
    await bench.converge();
    const running = () =>
      bench.hosts.flatMap((host) => host.running().map((name) => `${host.hostId} ${name}`));
    expect(running()).toEqual([
      `h1 ${id}-main-g1-0@1 RUNNING`,
      `h1 ${id}-main-g1-1@1 RUNNING`,
      `h2 ${id}-main-g1-2@1 RUNNING`,
    ]);
    bench.lifecycle.vnf.scale(DEFAULT_TENANT, id, { type: 'SCALE_IN', aspectId: 'load' });
    await bench.converge();
    expect(running()).toHaveLength(2);
    expect(running()).toContain(`h1 ${id}-main-g1-0@1 RUNNING`);
  });

  it('takes away first what its host has given up, and leaves what runs as it is', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }, { hostId: 'h2' }]);
    const id = await run(bench);
    bench.lifecycle.vnf.scale(DEFAULT_TENANT, id, { type: 'SCALE_OUT', aspectId: 'load', numberOfSteps: 2 });
    await bench.converge();
    bench.host('h1').strike('-g1-0', 'FAILED', 'exited with code 3');
    bench.host('h1').step(bench.store);
    bench.lifecycle.vnf.scale(DEFAULT_TENANT, id, { type: 'SCALE_IN', aspectId: 'load' });
    await bench.converge();
    const running = bench.hosts.flatMap((host) =>
      host.running().map((name) => `${host.hostId} ${name.slice(id.length)}`),
    );
    expect(running).toEqual(['h1 -main-g1-1@1 RUNNING', 'h2 -main-g1-2@1 RUNNING']);
  });

  it('is refused beyond the limits of the aspect, and for an aspect that there is not', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }]);
    const id = await run(bench);
    const scale = (aspectId: string, numberOfSteps: number) => () =>
      bench.lifecycle.vnf.scale(DEFAULT_TENANT, id, { type: 'SCALE_OUT', aspectId, numberOfSteps });
    expect(scale('load', 3)).toThrow(/goes from 1 to 3; SCALE_OUT by 3 would lead to 4/);
    expect(scale('size', 1)).toThrow(/has no scaling aspect "size"; it has: load/);
  });

  it('goes back to what was before when it is rolled back', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }]);
    const id = await run(bench);
    bench.host('h1').failStarts('-1', 'port 80 is taken');
    const scaled = bench.lifecycle.vnf.scale(DEFAULT_TENANT, id, { type: 'SCALE_OUT', aspectId: 'load' });
    await bench.converge();
    expect(operation(bench, scaled)).toMatchObject({
      state: 'FAILED_TEMP',
      error: { detail: /port 80 is taken/ },
    });
    bench.lifecycle.opOccs.rollback(DEFAULT_TENANT, scaled);
    await bench.converge();
    expect(operation(bench, scaled).state).toBe('ROLLED_BACK');
    expect(bench.host('h1').running()).toEqual([`${id}-main-g1-0@1 RUNNING`]);
    expect(bench.lifecycle.vnf.get(DEFAULT_TENANT, id).document.instantiationState).toBe('INSTANTIATED');
  });
});

describe('a termination of what a host was told to start and has not reported', () => {
  async function terminateUnseen() {
    const bench = createLifecycleBench([{ hostId: 'h1' }]);
    const id = create(bench);
    const started = instantiate(bench, id);
    bench.lifecycle.engine.lookAtAll();
    await bench.store.whenDurable();
    expect([...bench.store.list('assignment')]).toHaveLength(1);
    bench.host('h1').isSilent = true;
    bench.lifecycle.opOccs.cancel(DEFAULT_TENANT, started, 'FORCEFUL');
    await bench.converge();
    bench.lifecycle.opOccs.fail(DEFAULT_TENANT, started);
    const ending = bench.lifecycle.vnf.terminate(DEFAULT_TENANT, id, { terminationType: 'FORCEFUL' });
    await bench.converge();
    return { bench, ending };
  }

  it('is over only when the host has said that it has applied the removal', async () => {
    const { bench, ending } = await terminateUnseen();
    expect([...bench.store.list('assignment')]).toEqual([]);
    expect(operation(bench, ending).state).toBe('PROCESSING');
    expect(bench.lifecycle.progressOf(ending)?.waitingFor).toEqual(
      'h1 has not confirmed yet that it runs nothing of this any more',
    );
    bench.host('h1').isSilent = false;
    await bench.converge();
    expect(operation(bench, ending).state).toBe('COMPLETED');
  });

  it('is over when the host is lost: it will run nothing that it is not assigned', async () => {
    const { bench, ending } = await terminateUnseen();
    bench.liveness.silence.set('h1' as HostId, 1e6);
    await bench.converge();
    expect(operation(bench, ending).state).toBe('COMPLETED');
  });
});

describe('an operation that cannot go on', () => {
  it('fails temporarily with what the host says, and completes when it is tried again', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }]);
    bench.host('h1').failStarts('', 'exited with code 7');
    const id = create(bench);
    const started = instantiate(bench, id);
    await bench.converge();
    expect(operation(bench, started).error?.detail).toBe('main-0 on h1 was given up: exited with code 7');
    bench.host('h1').healStarts();
    bench.lifecycle.opOccs.retry(DEFAULT_TENANT, started);
    await bench.converge();
    expect(operation(bench, started)).toMatchObject({ state: 'COMPLETED' });
    expect(operation(bench, started)).not.toHaveProperty('error');
    expect(bench.host('h1').running()).toEqual([`${id}-main-g1-0@2 RUNNING`]);
  });

  it('fails temporarily when nothing moves for too long, and says what it waits for', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1', startSteps: 1e9 }], { stallMilliseconds: 60_000 });
    const id = create(bench);
    const started = instantiate(bench, id);
    await bench.converge();
    await bench.clock.advance(59_000);
    expect(operation(bench, started).state).toBe('PROCESSING');
    await bench.clock.advance(3_000);
    expect(operation(bench, started)).toMatchObject({
      state: 'FAILED_TEMP',
      error: { detail: 'no progress: main-0 on h1 is STARTING' },
    });
    bench.lifecycle.opOccs.fail(DEFAULT_TENANT, started);
    expect(operation(bench, started).state).toBe('FAILED');
    expect(bench.lifecycle.vnf.get(DEFAULT_TENANT, id).document.instantiationState).toBe('INSTANTIATED');
    bench.lifecycle.vnf.terminate(DEFAULT_TENANT, id, { terminationType: 'FORCEFUL' });
    await bench.converge();
    expect(bench.host('h1').running()).toEqual([]);
  });

  it('starts anew what never got well, when it is tried again', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }], { stallMilliseconds: 60_000 });
    const id = await run(bench);
    bench.host('h1').strike('', 'UNHEALTHY', 'GET /ready answered 503');
    await bench.converge();
    const scaled = bench.lifecycle.vnf.scale(DEFAULT_TENANT, id, { type: 'SCALE_OUT', aspectId: 'load' });
    await bench.converge();
    await bench.clock.advance(62_000);
    expect(operation(bench, scaled).error?.detail).toBe(
      'no progress: main-0 on h1 is UNHEALTHY: GET /ready answered 503',
    );
    bench.lifecycle.opOccs.retry(DEFAULT_TENANT, scaled);
    await bench.converge();
    expect(operation(bench, scaled).state).toBe('COMPLETED');
    expect(bench.host('h1').running()).toEqual([`${id}-main-g1-0@2 RUNNING`, `${id}-main-g1-1@1 RUNNING`]);
  });

  it('is placed anew when a host falls away while it runs', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }, { hostId: 'h2' }]);
    bench.host('h1').isSilent = true;
    const id = create(bench);
    const started = instantiate(bench, id);
    await bench.converge();
    expect(operation(bench, started).state).toBe('PROCESSING');
    bench.liveness.silence.set('h1' as never, 11_000);
    await bench.converge();
    expect(operation(bench, started).state).toBe('COMPLETED');
    expect(bench.host('h2').running()).toEqual([`${id}-main-g1-0@2 RUNNING`]);
  });

  it('can be cancelled: at once before it is granted, else into FAILED_TEMP', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1', startSteps: 1e9 }]);
    const id = create(bench);
    const first = instantiate(bench, id);
    bench.lifecycle.opOccs.cancel(DEFAULT_TENANT, first, 'GRACEFUL');
    expect(operation(bench, first).state).toBe('ROLLED_BACK');
    const second = instantiate(bench, id);
    bench.lifecycle.engine.lookAtAll();
    bench.lifecycle.opOccs.cancel(DEFAULT_TENANT, second, 'FORCEFUL');
    expect(operation(bench, second)).toMatchObject({ isCancelPending: true, cancelMode: 'FORCEFUL' });
    await bench.converge();
    expect(operation(bench, second)).toMatchObject({ state: 'FAILED_TEMP', isCancelPending: false });
    bench.lifecycle.opOccs.rollback(DEFAULT_TENANT, second);
    await bench.converge();
    expect(operation(bench, second).state).toBe('ROLLED_BACK');
    bench.lifecycle.vnf.delete(DEFAULT_TENANT, id);
  });

  it.each(['retry', 'rollback', 'fail'] as const)('refuses %s once it is over', async (task) => {
    const bench = createLifecycleBench([{ hostId: 'h1' }]);
    const id = create(bench);
    const started = instantiate(bench, id);
    await bench.converge();
    expect(() => bench.lifecycle.opOccs[task](DEFAULT_TENANT, started)).toThrow(/is COMPLETED and over/);
    expect(() => bench.lifecycle.opOccs[task]('other' as never, started)).toThrow(
      /there is no VNF LCM operation/,
    );
  });
});

describe('a job', () => {
  it('is instantiated once it has completed, and is not run again when its host is lost', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }, { hostId: 'h2' }]);
    const id = create(bench, buildFunction('worker', { run: { mode: 'job' } }));
    const started = instantiate(bench, id);
    await bench.converge();
    expect(operation(bench, started).state).toBe('PROCESSING');
    bench.host('h1').strike('', 'COMPLETED');
    await bench.converge();
    expect(operation(bench, started).state).toBe('COMPLETED');
    bench.host('h1').isSilent = true;
    bench.liveness.silence.set('h1' as never, 1e9);
    await bench.converge();
    expect(bench.host('h2').starts).toEqual([]);
  });
});

describe('healing by hand', () => {
  it('replaces the copies that are named, in place', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }]);
    const id = await run(bench);
    bench.lifecycle.vnf.scale(DEFAULT_TENANT, id, { type: 'SCALE_OUT', aspectId: 'load' });
    await bench.converge();
    bench.lifecycle.vnf.heal(DEFAULT_TENANT, id, { additionalParams: { vnfcInstanceIds: ['main-1'] } });
    await bench.converge();
    expect(bench.host('h1').running()).toEqual([`${id}-main-g1-0@1 RUNNING`, `${id}-main-g1-1@2 RUNNING`]);
    expect(() =>
      bench.lifecycle.vnf.heal(DEFAULT_TENANT, id, { additionalParams: { vnfcInstanceIds: ['main-9'] } }),
    ).toThrow(/has no VNFC instance main-9/);
  });
});
