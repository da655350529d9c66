import { describe, expect, it } from 'vitest';
import { DEFAULT_TENANT, type HostId, type VnfInstanceId } from '../../kernel/index.ts';
import type { IoTFunctionDescriptor } from '../../descriptors/index.ts';
import { buildFunction, buildProvider, buildUnit, requirement } from '../../test/kit/descriptor-builder.ts';
import { createLifecycleBench, type LifecycleBench } from '../../test/kit/lifecycle-bench.ts';
import { onboardFunction } from '../../test/kit/simulated-host.ts';

const OFFLINE: IoTFunctionDescriptor['offline'] = {
  onDisconnect: 'keep',
  relocate: 'allowed',
  coldBoot: true,
  prefetch: [],
};

async function run(
  bench: LifecycleBench,
  descriptor: IoTFunctionDescriptor,
  bind: Record<string, string> = {},
): Promise<VnfInstanceId> {
  onboardFunction(bench.store, descriptor);
  const { productName, id: vnfdId } = descriptor.metadata;
  const { id } = bench.lifecycle.vnf.create(DEFAULT_TENANT, { vnfdId, vnfInstanceName: productName });
  bench.lifecycle.vnf.instantiate(DEFAULT_TENANT, id, { flavourId: 'default', additionalParams: { bind } });
  await bench.converge();
  return id as VnfInstanceId;
}

/** The host is not heard from for so long, and its agent does nothing. */
function silence(bench: LifecycleBench, hostId: string, seconds: number): void {
  bench.host(hostId).isSilent = true;
  bench.liveness.silence.set(hostId as HostId, seconds * 1000);
}

function wake(bench: LifecycleBench, hostId: string): void {
  bench.host(hostId).isSilent = false;
  bench.liveness.silence.delete(hostId as HostId);
}

function heals(bench: LifecycleBench) {
  return bench.lifecycle.opOccs
    .list(DEFAULT_TENANT)
    .map(({ document }) => document)
    .filter(({ operation }) => operation === 'HEAL');
}

describe('a host that falls silent', () => {
  it('loses a function after its patience to another host, as an automatic operation with its cause', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }, { hostId: 'h2' }]);
    const id = await run(bench, buildFunction('worker'));
    silence(bench, 'h1', 9);
    await bench.converge();
    expect(bench.host('h2').running()).toEqual([]);
    silence(bench, 'h1', 11);
    await bench.converge();
    expect(bench.host('h2').running()).toEqual([`${id}-main-g1-0@2 RUNNING`]);
    expect(heals(bench)).toMatchObject([
      {
        state: 'COMPLETED',
        isAutomaticInvocation: true,
        operationParams: { cause: expect.stringContaining('host h1 is not heard from') },
      },
    ]);
  });

  it('stops what is no longer its own when it returns', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }, { hostId: 'h2' }]);
    await run(bench, buildFunction('worker'));
    silence(bench, 'h1', 11);
    await bench.converge();
    expect(bench.host('h1').running()).toHaveLength(1);
    wake(bench, 'h1');
    await bench.converge();
    expect(bench.host('h1').running()).toEqual([]);
    expect(bench.host('h2').running()).toHaveLength(1);
    expect([...bench.store.list('observed')]).toHaveLength(1);
  });

  it('is as good as any other while the lease holds that it was granted when nothing on it was impatient', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }]);
    bench.liveness.silence.set('h1' as HostId, 11_000);
    bench.liveness.leased.add('h1' as HostId);
    const id = await run(bench, buildFunction('worker'));
    expect(bench.host('h1').running()).toEqual([`${id}-main-g1-0@1 RUNNING`]);
    expect(heals(bench)).toEqual([]);
  });

  it('keeps its functions while the brake is on', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }, { hostId: 'h2' }]);
    await run(bench, buildFunction('worker'));
    bench.liveness.braked.add('h1' as HostId);
    silence(bench, 'h1', 3600);
    await bench.converge();
    expect(bench.host('h2').running()).toEqual([]);
    bench.liveness.braked.clear();
    await bench.converge();
    expect(bench.host('h2').running()).toHaveLength(1);
  });

  it('keeps a function that may not be relocated, and shows it as LOST', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }, { hostId: 'h2' }]);
    const id = await run(bench, buildFunction('worker', { offline: { ...OFFLINE, relocate: 'forbidden' } }));
    silence(bench, 'h1', 3600);
    await bench.converge();
    expect(bench.host('h2').running()).toEqual([]);
    expect(bench.lifecycle.viewVnfcs(bench.lifecycle.vnf.get(DEFAULT_TENANT, id))).toMatchObject([
      { hostId: 'h1', state: 'LOST' },
    ]);
  });

  it('keeps a single writer until its dead-man’s delay, its grace and a margin have passed', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }, { hostId: 'h2' }]);
    await run(
      bench,
      buildFunction('writer', {
        state: { writers: 'single', migratesFrom: [] },
        offline: { ...OFFLINE, onDisconnect: 'stop-after', stopAfterSeconds: 9 },
      }),
    );
    silence(bench, 'h1', 11.5);
    await bench.converge();
    expect(bench.host('h2').running()).toEqual([]);
    silence(bench, 'h1', 12.5);
    await bench.converge();
    expect(bench.host('h2').running()).toHaveLength(1);
  });

  it('never loses a single writer that nothing would stop there', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }, { hostId: 'h2' }]);
    await run(
      bench,
      buildFunction('writer', { state: { writers: 'single', migratesFrom: [] }, offline: OFFLINE }),
    );
    silence(bench, 'h1', 1e6);
    await bench.converge();
    expect(bench.host('h2').running()).toEqual([]);
  });

  it('raises an alarm when nothing else fits, and heals once something does', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }, { hostId: 'h2', host: { draining: true } }]);
    await run(bench, buildFunction('worker'));
    silence(bench, 'h1', 11);
    await bench.converge();
    expect(heals(bench)).toEqual([]);
    expect(bench.alarms).toContainEqual(
      expect.objectContaining({
        name: 'no-host-for-healing',
        text: expect.stringContaining('being drained'),
      }),
    );
    const host = bench.store.get('host', 'h2');
    if (host === undefined) throw new RangeError('h2 is not enrolled');
    bench.store.commit([
      {
        op: 'put',
        kind: 'host',
        id: 'h2',
        tenant: host.tenant,
        document: { ...host.document, draining: false },
      },
    ]);
    await bench.converge();
    expect(bench.host('h2').running()).toHaveLength(1);
  });

  it('is followed by the endpoints of those that depend on what it ran', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }, { hostId: 'h2' }]);
    const broker = await run(
      bench,
      buildProvider('broker', {
        placement: { ...anywhere(), prefer: [{ expression: 'host = h1', weight: 1 }] },
      }),
    );
    const client = await run(
      bench,
      buildFunction('client', {
        requires: [requirement('broker')],
        placement: { ...anywhere(), require: ['host = h2'] },
      }),
      { broker },
    );
    const endpoints = () =>
      bench.lifecycle.context.index
        .assignmentsOf(client)[0]
        ?.document.workload.bindings.requires['broker']?.endpoints.map(({ host }) => host);
    expect(endpoints()).toEqual(['h1.test']);
    silence(bench, 'h1', 11);
    await bench.converge();
    expect(endpoints()).toEqual(['h2.test']);
  });
});

function anywhere() {
  return { tiers: [], architectures: [], jurisdictions: [], require: [], prefer: [] };
}

describe('a copy that its host has given up', () => {
  it('is started on another host, with an alarm', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }, { hostId: 'h2' }]);
    const id = await run(bench, buildFunction('worker'));
    bench.host('h1').strike('', 'FAILED', 'exited with code 1');
    await bench.converge();
    expect(bench.host('h2').running()).toEqual([`${id}-main-g1-0@2 RUNNING`]);
    expect(bench.host('h1').running()).toEqual([]);
    expect(bench.alarms).toContainEqual(
      expect.objectContaining({
        name: 'instance-failed',
        text: expect.stringContaining('exited with code 1'),
      }),
    );
  });

  it('leaves no alarm behind when its function is terminated', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }]);
    const id = await run(bench, buildFunction('worker'));
    bench.host('h1').failStarts('', 'exited with code 1');
    bench.host('h1').strike('', 'FAILED', 'exited with code 1');
    await bench.converge();
    expect([...bench.standingAlarms]).toContain('instance-failed');
    bench.lifecycle.vnf.terminate(DEFAULT_TENANT, id, { terminationType: 'GRACEFUL' });
    await bench.converge();
    expect([...bench.standingAlarms]).toEqual([]);
  });

  it('is started again in place where there is no other host, ever more slowly', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }], { healBackoffMilliseconds: 1000 });
    const id = await run(bench, buildFunction('worker'));
    bench.host('h1').failStarts('', 'exited with code 1');
    bench.host('h1').strike('', 'FAILED', 'exited with code 1');
    await bench.converge();
    expect(heals(bench)).toMatchObject([
      { state: 'FAILED', error: { detail: expect.stringContaining('code 1') } },
    ]);
    await bench.clock.advance(999);
    await bench.converge();
    expect(heals(bench)).toHaveLength(1);
    await bench.clock.advance(1);
    await bench.converge();
    expect(heals(bench)).toHaveLength(2);
    await bench.clock.advance(1999);
    await bench.converge();
    expect(heals(bench)).toHaveLength(2);
    bench.host('h1').healStarts();
    await bench.clock.advance(1);
    await bench.converge();
    expect(bench.host('h1').running()).toEqual([`${id}-main-g1-0@4 RUNNING`]);
  });
});

describe('a host that is being drained', () => {
  const WRITER = buildFunction('writer', {
    state: { writers: 'single', migratesFrom: [] },
    offline: OFFLINE,
  });

  async function drain(bench: LifecycleBench, hostId: string): Promise<void> {
    const host = bench.store.get('host', hostId);
    if (host === undefined) throw new RangeError(`${hostId} is not enrolled`);
    const document = { ...host.document, draining: true };
    bench.store.commit([{ op: 'put', kind: 'host', id: hostId, tenant: host.tenant, document }]);
    await bench.converge();
  }

  it('is left by a single writer, which starts elsewhere only when the host has confirmed its end', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }, { hostId: 'h2' }]);
    const id = await run(bench, WRITER);
    bench.host('h1').isSilent = true;
    await drain(bench, 'h1');
    expect([...bench.store.list('assignment')]).toEqual([]);
    expect([bench.host('h1').running(), bench.host('h2').running()]).toEqual([
      [`${id}-main-g1-0@1 RUNNING`],
      [],
    ]);
    bench.host('h1').isSilent = false;
    await bench.converge();
    expect([bench.host('h1').running(), bench.host('h2').running()]).toEqual([
      [],
      [`${id}-main-g1-0@2 RUNNING`],
    ]);
    expect(heals(bench)).toMatchObject([{ state: 'COMPLETED' }]);
    expect(bench.store.get('vnf-instance', id)?.document.displaced).toEqual([]);
  });

  it('keeps the place of a single writer for it until it comes', async () => {
    const bench = createLifecycleBench([
      { hostId: 'h1' },
      { hostId: 'h2', facts: { memory: { totalBytes: 2 ** 27, allocatableBytes: 2 ** 27 } } },
    ]);
    const units = [buildUnit({ resources: { cpuMillis: 10, memoryBytes: 2 ** 27 } })];
    const id = await run(bench, { ...WRITER, units });
    bench.host('h1').isSilent = true;
    await drain(bench, 'h1');
    onboardFunction(bench.store, buildFunction('other', { units }));
    const other = bench.lifecycle.vnf.create(DEFAULT_TENANT, { vnfdId: 'vnfd-other' });
    const plan = bench.lifecycle.vnf.planInstantiation(DEFAULT_TENANT, other.id, { flavourId: 'default' });
    expect(plan.fits).toBe(false);
    bench.host('h1').isSilent = false;
    await bench.converge();
    expect(bench.host('h2').running()).toEqual([`${id}-main-g1-0@2 RUNNING`]);
    expect(bench.store.get('vnf-instance', id)?.document.displaced).toEqual([]);
  });

  it('keeps a single writer that fits nowhere else', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }]);
    const id = await run(bench, WRITER);
    await drain(bench, 'h1');
    expect(bench.host('h1').running()).toEqual([`${id}-main-g1-0@1 RUNNING`]);
  });

  it('has its single writer placed by a later operation where the place was taken meanwhile', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }, { hostId: 'h2' }, { hostId: 'h3' }]);
    bench.liveness.silence.set('h3' as HostId, 1e6);
    const id = await run(bench, WRITER);
    bench.host('h1').isSilent = true;
    await drain(bench, 'h1');
    bench.liveness.silence.set('h2' as HostId, 1e6);
    bench.host('h1').isSilent = false;
    await bench.converge();
    expect(heals(bench)).toMatchObject([{ state: 'FAILED' }]);
    bench.liveness.silence.delete('h3' as HostId);
    await bench.converge();
    expect(bench.host('h3').running()).toEqual([`${id}-main-g1-0@2 RUNNING`]);
  });

  it('is left by all copies of a function, each with its own slot', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }, { hostId: 'h2' }]);
    await run(bench, buildFunction('worker', { flavours: [TWO], offline: OFFLINE }));
    await drain(bench, 'h1');
    await drain(bench, 'h1');
    expect(bench.host('h1').running()).toEqual([]);
    const slots = bench
      .host('h2')
      .running()
      .map((name) => name.replace(/.*-(\d+)@.*/, '$1'));
    expect(slots).toEqual(['0', '1']);
  });
});

const TWO = { name: 'default', levels: [{ name: 'two', instances: { main: 2 } }] };

describe('hosts that fall silent one after the other', () => {
  it('are not given what another one has lost, though the inventory does not call them LOST yet', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }, { hostId: 'h2' }, { hostId: 'h3' }]);
    await run(bench, buildFunction('worker'));
    silence(bench, 'h2', 11);
    silence(bench, 'h1', 11);
    await bench.converge();
    expect(bench.host('h3').running()).toHaveLength(1);
    expect(heals(bench)).toHaveLength(1);
  });
});
