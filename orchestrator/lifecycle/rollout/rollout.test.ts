import { describe, expect, it, vi } from 'vitest';
import { DEFAULT_TENANT, type HostId, type VnfInstanceId } from '../../../kernel/index.ts';
import type { IoTFunctionDescriptor } from '../../../descriptors/index.ts';
import {
  buildFunction,
  buildProvider,
  buildUnit,
  requirement,
} from '../../../test/kit/descriptor-builder.ts';
import { createLifecycleBench, type LifecycleBench } from '../../../test/kit/lifecycle-bench.ts';
import { onboardFunction } from '../../../test/kit/simulated-host.ts';
import { wantedVnfcs } from '../../domain/index.ts';
import type { ChangeVnfPkg } from './change-request.ts';

const FAST = { retireMilliseconds: 0 };
const THREE = { flavours: [{ name: 'default', levels: [{ name: 'small', instances: { main: 3 } }] }] };
const QUICK: IoTFunctionDescriptor['upgrade'] = {
  strategy: 'rolling',
  maxUnavailable: 0,
  maxSurge: 1,
  healthyForSeconds: 0,
  autoRollback: true,
};

/** Version 2 of a descriptor of version 1, onboarded beside it. */
function nextVersion(
  bench: LifecycleBench,
  descriptor: IoTFunctionDescriptor,
  changes: Partial<IoTFunctionDescriptor> = {},
): string {
  const { metadata } = descriptor;
  const id = `${metadata.id}-2`;
  const next = {
    ...descriptor,
    ...changes,
    metadata: { ...metadata, id, softwareVersion: '2.0.0', ...changes.metadata },
  };
  onboardFunction(bench.store, next, DEFAULT_TENANT, `pkg-${metadata.productName}-2`);
  return id;
}

async function run(
  bench: LifecycleBench,
  descriptor: IoTFunctionDescriptor,
  additionalParams: object = {},
): Promise<string> {
  onboardFunction(bench.store, descriptor);
  const { id } = bench.lifecycle.vnf.create(DEFAULT_TENANT, { vnfdId: descriptor.metadata.id });
  bench.lifecycle.vnf.instantiate(DEFAULT_TENANT, id, { flavourId: 'default', additionalParams });
  await bench.converge();
  return id;
}

function change(bench: LifecycleBench, id: string, request: ChangeVnfPkg): string {
  return bench.lifecycle.vnf.changePackage(DEFAULT_TENANT, id, request);
}

function operation(bench: LifecycleBench, id: string) {
  return bench.lifecycle.opOccs.get(DEFAULT_TENANT, id).document;
}

function instance(bench: LifecycleBench, id: string) {
  return bench.lifecycle.vnf.get(DEFAULT_TENANT, id).document;
}

function running(bench: LifecycleBench): readonly string[] {
  return bench.hosts.flatMap((host) => host.running().map((name) => `${host.hostId} ${name}`));
}

describe('a rolling change of version', () => {
  it('replaces all copies, and the instance is of the new package', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }, { hostId: 'h2' }], FAST);
    const worker = buildFunction('worker', { ...THREE, upgrade: QUICK });
    const id = await run(bench, worker);
    const op = change(bench, id, { vnfdId: nextVersion(bench, worker) });
    await bench.converge();
    expect(operation(bench, op)).toMatchObject({
      state: 'COMPLETED',
      rollout: { from: 'worker 1.0.0', to: 'worker 2.0.0' },
    });
    expect(running(bench).map((text) => /-g\d+/.exec(text)?.[0])).toEqual(['-g2', '-g2', '-g2']);
    expect(instance(bench, id)).toMatchObject({ vnfPkgId: 'pkg-worker-2', generation: 2 });
    expect(instance(bench, id)).not.toHaveProperty('replaced');
    expect(instance(bench, id)).not.toHaveProperty('withheld');
    expect(operation(bench, op).affectedVnfcs).toHaveLength(6);
  });

  it('waits until a new copy has been well for as long as the policy asks', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }], FAST);
    const worker = buildFunction('worker', { upgrade: { ...QUICK, healthyForSeconds: 10 } });
    const id = await run(bench, worker);
    const op = change(bench, id, { vnfdId: nextVersion(bench, worker) });
    await bench.converge();
    expect(running(bench)).toEqual([`h1 ${id}-main-g1-0@1 RUNNING`, `h1 ${id}-main-g2-1@1 RUNNING`]);
    await bench.clock.advance(9_000);
    await bench.converge();
    expect(operation(bench, op).state).toBe('PROCESSING');
    await bench.clock.advance(2_000);
    await bench.converge();
    expect(operation(bench, op).state).toBe('COMPLETED');
    expect(running(bench)).toEqual([`h1 ${id}-main-g2-1@1 RUNNING`]);
  });

  it('tells those who are bound to it of the new copy, and no more of the old one, before that ends', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }, { hostId: 'h2' }], { retireMilliseconds: 2_000 });
    const broker = buildProvider('broker', { upgrade: QUICK });
    const id = await run(bench, broker);
    const client = await run(bench, buildFunction('client', { requires: [requirement('broker')] }), {
      bind: { broker: id },
    });
    const told = () =>
      bench.lifecycle.context.index
        .assignmentsOf(client as VnfInstanceId)[0]
        ?.document.workload.bindings.requires['broker']?.endpoints.map(({ instance: copy }) => copy);
    const [old] = told() ?? [];
    const op = change(bench, id, { vnfdId: nextVersion(bench, broker) });
    await bench.converge();
    expect(running(bench).filter((text) => text.includes(id))).toHaveLength(2);
    expect(told()).toHaveLength(1);
    expect(told()).not.toContain(old);
    await bench.clock.advance(2_500);
    await bench.converge();
    expect(operation(bench, op).state).toBe('COMPLETED');
    expect(running(bench).filter((text) => text.includes(id))).toHaveLength(1);
  });

  it('does not end an old copy while the host of a client has not confirmed that it knows', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }, { hostId: 'h2' }], FAST);
    const broker = buildProvider('broker', { upgrade: QUICK });
    const id = await run(bench, broker, { constraints: { hosts: ['h1'] } });
    await run(bench, buildFunction('client', { requires: [requirement('broker')] }), {
      bind: { broker: id },
      constraints: { hosts: ['h2'] },
    });
    bench.host('h2').isSilent = true;
    const op = change(bench, id, { vnfdId: nextVersion(bench, broker) });
    await bench.converge();
    expect(bench.host('h1').running()).toHaveLength(2);
    expect(operation(bench, op).state).toBe('PROCESSING');
    bench.host('h2').isSilent = false;
    await bench.converge();
    expect(operation(bench, op).state).toBe('COMPLETED');
    expect(bench.host('h1').running()).toHaveLength(1);
  });

  it('is refused with the reasons where nothing has room beside the old version, and touches nothing', async () => {
    const memoryBytes = 2 ** 30 + 2 ** 29;
    const unit = buildUnit({ resources: { cpuMillis: 100, memoryBytes } });
    const bench = createLifecycleBench([{ hostId: 'h1' }], FAST);
    const big = buildFunction('big', { units: [unit], upgrade: QUICK });
    const id = await run(bench, big);
    const before = instance(bench, id);
    const vnfdId = nextVersion(bench, big);
    const op = change(bench, id, { vnfdId });
    await bench.converge();
    expect(operation(bench, op)).toMatchObject({
      state: 'ROLLED_BACK',
      error: {
        code: 'no-host-fits',
        detail: expect.stringMatching(/beside the version that runs.*maxUnavailable 1/),
      },
    });
    expect(instance(bench, id)).toEqual(before);
    const again = change(bench, id, {
      vnfdId,
      additionalParams: { upgrade: { maxUnavailable: 1, maxSurge: 0 } },
    });
    await bench.converge();
    expect(operation(bench, again).state).toBe('COMPLETED');
    expect(running(bench)).toEqual([`h1 ${id}-main-g2-0@1 RUNNING`]);
  });

  it('places what a lost host had as the new version', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }, { hostId: 'h2' }, { hostId: 'h3' }], FAST);
    const spread = {
      tiers: [],
      architectures: [],
      jurisdictions: [],
      require: [],
      prefer: [],
      spread: [{ by: 'host' }],
    };
    const worker = buildFunction('worker', {
      ...THREE,
      placement: spread,
      upgrade: { ...QUICK, healthyForSeconds: 10 },
    });
    const id = await run(bench, worker);
    const op = change(bench, id, { vnfdId: nextVersion(bench, worker) });
    await bench.converge();
    bench.host('h1').isSilent = true;
    bench.liveness.silence.set('h1' as HostId, 1e6);
    for (let round = 0; round < 12; round += 1) {
      await bench.converge();
      await bench.clock.advance(6_000);
    }
    expect(operation(bench, op).state).toBe('COMPLETED');
    const wanted = instance(bench, id).wanted.flatMap(({ generation, hosts }) =>
      hosts.flatMap(({ hostId, instances }) => instances.map(() => `${hostId} g${generation}`)),
    );
    expect(wanted).toHaveLength(3);
    expect(wanted.every((text) => text.endsWith('g2') && !text.startsWith('h1'))).toBe(true);
  });
});

describe('a new version that is not well', () => {
  async function failing(policy: Partial<IoTFunctionDescriptor['upgrade']> = {}) {
    const bench = createLifecycleBench([{ hostId: 'h1' }, { hostId: 'h2' }], FAST);
    const worker = buildFunction('worker', { ...THREE, upgrade: { ...QUICK, ...policy } });
    const id = await run(bench, worker);
    for (const host of bench.hosts) host.failStarts('-g2-', 'exited with code 1');
    const before = instance(bench, id);
    const op = change(bench, id, { vnfdId: nextVersion(bench, worker) });
    await bench.converge();
    return { bench, id, op, before };
  }

  it('is rolled back by itself, with nothing of it left and a record of why', async () => {
    const { bench, id, op, before } = await failing();
    expect(operation(bench, op)).toMatchObject({
      state: 'ROLLED_BACK',
      error: {
        detail: expect.stringMatching(
          /worker 2.0.0 is not well: .*exited with code 1; going back to worker 1.0.0/,
        ),
      },
    });
    expect(running(bench).every((text) => text.includes('-g1-') && text.endsWith('RUNNING'))).toBe(true);
    expect(running(bench)).toHaveLength(3);
    const after = instance(bench, id);
    expect([after.vnfPkgId, after.wanted]).toEqual([before.vnfPkgId, before.wanted]);
    expect(after).not.toHaveProperty('replaced');
    expect(
      [...bench.store.list('assignment')].every(({ document }) => document.workload.key.generation === 1),
    ).toBe(true);
  });

  it('is rolled back when it starts and never gets well', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }], { ...FAST, stallMilliseconds: 60_000 });
    const worker = buildFunction('worker', { upgrade: { ...QUICK, healthyForSeconds: 5 } });
    const id = await run(bench, worker);
    const op = change(bench, id, { vnfdId: nextVersion(bench, worker) });
    await bench.converge();
    bench.host('h1').strike('-g2-', 'UNHEALTHY', 'GET /ready answered 503');
    await bench.converge();
    await bench.clock.advance(64_000);
    expect(operation(bench, op).state).toBe('PROCESSING');
    await bench.clock.advance(4_000);
    await bench.converge();
    expect(operation(bench, op)).toMatchObject({
      state: 'ROLLED_BACK',
      error: { detail: expect.stringMatching(/503/) },
    });
    expect(running(bench)).toEqual([`h1 ${id}-main-g1-0@1 RUNNING`]);
  });

  it('waits for a decision where the policy says so: tried again, it completes', async () => {
    const { bench, op } = await failing({ autoRollback: false });
    expect(operation(bench, op).state).toBe('FAILED_TEMP');
    for (const host of bench.hosts) host.healStarts();
    bench.lifecycle.opOccs.retry(DEFAULT_TENANT, op);
    await bench.converge();
    expect(operation(bench, op)).toMatchObject({ state: 'COMPLETED' });
    expect(operation(bench, op)).not.toHaveProperty('error');
    expect(running(bench).every((text) => text.includes('-g2-'))).toBe(true);
    expect(running(bench)).toHaveLength(3);
  });

  it('waits for a decision: given up, it leaves both versions, and the next change goes to one of them', async () => {
    const { bench, id, op } = await failing({ autoRollback: false });
    bench.lifecycle.opOccs.fail(DEFAULT_TENANT, op);
    expect(operation(bench, op).state).toBe('FAILED');
    // What is added meanwhile is of the version that is known to be well.
    expect(instance(bench, id)).toMatchObject({
      vnfPkgId: 'pkg-worker',
      replaced: { vnfPkgId: 'pkg-worker-2' },
    });
    const back = change(bench, id, { vnfdId: 'vnfd-worker' });
    await bench.converge();
    expect(operation(bench, back).state).toBe('COMPLETED');
    expect(running(bench).every((text) => text.includes('-g1-'))).toBe(true);
    expect(instance(bench, id)).not.toHaveProperty('replaced');
  });

  it('is cancelled into FAILED_TEMP, from where it is rolled back', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }], FAST);
    const worker = buildFunction('worker', { upgrade: { ...QUICK, healthyForSeconds: 60 } });
    const id = await run(bench, worker);
    const op = change(bench, id, { vnfdId: nextVersion(bench, worker) });
    await bench.converge();
    bench.lifecycle.opOccs.cancel(DEFAULT_TENANT, op, 'GRACEFUL');
    await bench.converge();
    expect(operation(bench, op)).toMatchObject({ state: 'FAILED_TEMP', error: { detail: /cancelled/ } });
    bench.lifecycle.opOccs.rollback(DEFAULT_TENANT, op);
    await bench.converge();
    expect(operation(bench, op).state).toBe('ROLLED_BACK');
    expect(running(bench)).toEqual([`h1 ${id}-main-g1-0@1 RUNNING`]);
  });

  it('has no way back where the old version does not read its state', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }], FAST);
    const store = buildFunction('store', {
      state: { writers: 'many', schema: 1, migratesFrom: [] },
      upgrade: QUICK,
    });
    const id = await run(bench, store);
    bench.host('h1').failStarts('-g2-', 'exited with code 1');
    const vnfdId = nextVersion(bench, store, { state: { writers: 'many', schema: 2, migratesFrom: [1] } });
    const op = change(bench, id, { vnfdId });
    await bench.converge();
    expect(operation(bench, op)).toMatchObject({
      state: 'FAILED_TEMP',
      error: {
        detail: expect.stringMatching(
          /no way back: store 2.0.0 has state of schema 2, which store 1.0.0 does not read/,
        ),
      },
    });
    expect(() => bench.lifecycle.opOccs.rollback(DEFAULT_TENANT, op)).toThrow(/no way back/);
  });
});

describe('a single writer', () => {
  const WRITER = {
    state: { writers: 'single' as const, migratesFrom: [] },
    units: [buildUnit({ volumes: [{ name: 'db', mount: '/data', sizeBytes: 1000, keep: true }] })],
    upgrade: { ...QUICK, strategy: 'recreate' as const },
  };

  it('is recreated: the new version starts in the same slot of the same host when the old one is gone', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }, { hostId: 'h2' }], FAST);
    const writer = buildFunction('writer', WRITER);
    const id = await run(bench, writer, { constraints: { hosts: ['h1', 'h2'] } });
    const hostId = bench.hosts.find((host) => host.running().length > 0)?.hostId;
    const op = change(bench, id, { vnfdId: nextVersion(bench, writer) });
    for (let round = 0; round < 20; round += 1) {
      bench.lifecycle.engine.lookAtAll();
      await bench.store.whenDurable();
      for (const host of bench.hosts) host.step(bench.store);
      expect(running(bench).length).toBeLessThanOrEqual(1);
    }
    await bench.converge();
    expect(operation(bench, op).state).toBe('COMPLETED');
    expect(running(bench)).toEqual([`${hostId} ${id}-main-g2-0@2 RUNNING`]);
  });

  it('comes back to the old version in the same place when the new one fails', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }], FAST);
    const writer = buildFunction('writer', WRITER);
    const id = await run(bench, writer);
    bench.host('h1').failStarts('-g2-', 'exited with code 1');
    const op = change(bench, id, { vnfdId: nextVersion(bench, writer) });
    await bench.converge();
    expect(operation(bench, op).state).toBe('ROLLED_BACK');
    expect(running(bench)).toEqual([`h1 ${id}-main-g1-0@3 RUNNING`]);
  });

  it('takes no strategy that runs two versions at once', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }], FAST);
    const writer = buildFunction('writer', WRITER);
    const id = await run(bench, writer);
    const vnfdId = nextVersion(bench, writer);
    expect(() =>
      change(bench, id, { vnfdId, additionalParams: { upgrade: { strategy: 'rolling' } } }),
    ).toThrow(/has a single writer, and rolling runs two versions at once/);
  });
});

describe('a function that covers hosts', () => {
  const hosts = ['h1', 'h2', 'h3'].map((hostId) => ({ hostId }));

  it('is replaced on each host in turn, beside the old version where there is room', async () => {
    const bench = createLifecycleBench(hosts, FAST);
    const gateway = buildFunction('gateway', { upgrade: QUICK });
    const id = await run(bench, gateway, { coverage: 'tier = cloud' });
    const op = change(bench, id, { vnfdId: nextVersion(bench, gateway) });
    await bench.converge();
    expect(operation(bench, op).state).toBe('COMPLETED');
    expect(running(bench)).toEqual(hosts.map(({ hostId }) => `${hostId} ${id}-main-g2-0@1 RUNNING`));
  });

  it('ends on a host before the new version starts where the port is fixed, if it may be missing', async () => {
    const bench = createLifecycleBench(hosts, FAST);
    const unit = buildUnit({ ports: [{ name: 'http', protocol: 'tcp', number: 8080, expose: true }] });
    const gateway = buildFunction('gateway', { units: [unit], upgrade: QUICK });
    const id = await run(bench, gateway, { coverage: 'tier = cloud' });
    const vnfdId = nextVersion(bench, gateway);
    const refused = change(bench, id, { vnfdId });
    await bench.converge();
    expect(operation(bench, refused)).toMatchObject({ state: 'ROLLED_BACK', error: { detail: /8080/ } });
    const op = change(bench, id, { vnfdId, additionalParams: { upgrade: { maxUnavailable: 1 } } });
    await bench.converge();
    expect(operation(bench, op).state).toBe('COMPLETED');
    expect(running(bench)).toEqual(hosts.map(({ hostId }) => `${hostId} ${id}-main-g2-0@1 RUNNING`));
  });

  it('does not wait for a host that is not heard from, which gets the new version when it is back', async () => {
    const bench = createLifecycleBench(hosts, FAST);
    const gateway = buildFunction('gateway', { upgrade: QUICK });
    const id = await run(bench, gateway, { coverage: 'tier = cloud' });
    bench.host('h2').isSilent = true;
    bench.liveness.silence.set('h2' as HostId, 1e6);
    const op = change(bench, id, { vnfdId: nextVersion(bench, gateway) });
    await bench.converge();
    expect(operation(bench, op).state).toBe('COMPLETED');
    expect(bench.host('h2').running()).toEqual([`${id}-main-g1-0@1 RUNNING`]);
    bench.host('h2').isSilent = false;
    bench.liveness.silence.delete('h2' as HostId);
    await bench.converge();
    expect(bench.host('h2').running()).toEqual([`${id}-main-g2-0@1 RUNNING`]);
  });

  it.each([
    ['beside the old version', {}],
    ['after the old version', { maxUnavailable: 1, maxSurge: 0 }],
    ['recreated', { strategy: 'recreate' }],
  ] as const)(
    'changes where it is on hosts that are cordoned, and comes to no other of them: %s',
    async (_, how) => {
      const bench = createLifecycleBench([...hosts, { hostId: 'h4', host: { cordoned: true } }], FAST);
      const gateway = buildFunction('gateway', { upgrade: { ...QUICK, ...how } });
      const id = await run(bench, gateway, { coverage: 'tier = cloud' });
      const h2 = bench.store.get('host', 'h2');
      if (h2 === undefined) throw new RangeError('h2 is not enrolled');
      const document = { ...h2.document, cordoned: true };
      bench.store.commit([{ op: 'put', kind: 'host', id: 'h2', tenant: h2.tenant, document }]);
      await bench.converge();
      const op = change(bench, id, { vnfdId: nextVersion(bench, gateway) });
      await bench.converge();
      expect(operation(bench, op).state).toBe('COMPLETED');
      expect(running(bench)).toEqual(hosts.map(({ hostId }) => `${hostId} ${id}-main-g2-0@1 RUNNING`));
    },
  );

  it.each([
    ['one may be missing', { maxUnavailable: 1, maxSurge: 0 }],
    ['it is recreated', { strategy: 'recreate' }],
  ] as const)(
    'starts nothing beside a copy that has not left a host which falls silent: %s',
    async (_, policy) => {
      const bench = createLifecycleBench([...hosts, { hostId: 'h4', facts: { tier: 'device-edge' } }], FAST);
      const gateway = buildFunction('gateway', { upgrade: { ...QUICK, ...policy } });
      const id = await run(bench, gateway, { coverage: 'tier = cloud' });
      const op = change(bench, id, { vnfdId: nextVersion(bench, gateway) });
      bench.lifecycle.engine.lookAtAll();
      const [leaving] = instance(bench, id).displaced ?? [];
      if (leaving === undefined) throw new RangeError('nothing leaves');
      const host = bench.host(leaving.hostId);
      host.isSilent = true;
      bench.liveness.silence.set(leaving.hostId, 1e6);
      await bench.converge();
      expect(operation(bench, op).state).toBe('COMPLETED');
      const wantedHosts = () => wantedVnfcs(instance(bench, id).wanted).map(({ hostId }) => hostId);
      expect(wantedHosts()).toEqual(['h2', 'h3']);
      const facts = bench.store.get('host-facts', 'h4');
      if (facts === undefined) throw new RangeError('h4 has no facts');
      const document = { ...facts.document, tier: 'cloud' as const };
      bench.store.commit([{ op: 'put', kind: 'host-facts', id: 'h4', tenant: facts.tenant, document }]);
      await bench.converge();
      expect(wantedHosts()).toEqual(['h2', 'h3', 'h4']);
      // It is heard again, and has not said yet that the old copy is gone.
      bench.liveness.silence.delete(leaving.hostId);
      bench.lifecycle.engine.lookAtAll();
      expect(wantedHosts()).toEqual(['h2', 'h3', 'h4']);
      host.isSilent = false;
      await bench.converge();
      expect(running(bench)).toEqual(
        ['h1', 'h2', 'h3', 'h4'].map((hostId) => `${hostId} ${id}-main-g2-0@1 RUNNING`),
      );
      expect(instance(bench, id).displaced).toEqual([]);
    },
  );

  it('comes to a host that enrols meanwhile, as the new version', async () => {
    const bench = createLifecycleBench(
      [{ hostId: 'h1' }, { hostId: 'h2', facts: { tier: 'device-edge' } }],
      FAST,
    );
    const gateway = buildFunction('gateway', { upgrade: { ...QUICK, healthyForSeconds: 60 } });
    const id = await run(bench, gateway, { coverage: 'tier = cloud' });
    const op = change(bench, id, { vnfdId: nextVersion(bench, gateway) });
    await bench.converge();
    const facts = bench.store.get('host-facts', 'h2');
    if (facts === undefined) throw new RangeError('h2 has no facts');
    const document = { ...facts.document, tier: 'cloud' as const };
    bench.store.commit([{ op: 'put', kind: 'host-facts', id: 'h2', tenant: facts.tenant, document }]);
    await bench.converge();
    expect(operation(bench, op).state).toBe('PROCESSING');
    expect(bench.host('h2').running()).toEqual([`${id}-main-g2-0@1 RUNNING`]);
  });

  it.each([
    ['one may be missing', { maxUnavailable: 1, maxSurge: 0 }],
    ['it is recreated', { strategy: 'recreate' }],
  ] as const)('has never two versions on a host, and goes on to the next: %s', async (_, policy) => {
    const bench = createLifecycleBench(hosts, FAST);
    const gateway = buildFunction('gateway', { upgrade: { ...QUICK, ...policy } });
    const id = await run(bench, gateway, { coverage: 'tier = cloud' });
    const op = change(bench, id, { vnfdId: nextVersion(bench, gateway) });
    for (let look = 0; look < 30; look += 1) {
      await bench.clock.advance(1000);
      bench.lifecycle.engine.lookAtAll();
      await bench.store.whenDurable();
      const { wanted, displaced = [] } = instance(bench, id);
      const places = [...wantedVnfcs(wanted), ...displaced].map(({ hostId }) => hostId);
      expect(places.toSorted()).toEqual([...new Set(places)].toSorted());
      expect(displaced.length).toBeLessThanOrEqual(1);
      for (const host of bench.hosts) host.step(bench.store);
    }
    expect(operation(bench, op).state).toBe('COMPLETED');
    expect(running(bench)).toEqual(hosts.map(({ hostId }) => `${hostId} ${id}-main-g2-0@1 RUNNING`));
  });

  it('is looked at by reading what each host reports the same few times, however many hosts there are', async () => {
    const readsPerHost = async (count: number): Promise<number> => {
      const many = Array.from({ length: count }, (_, index) => ({ hostId: `h${index}` }));
      const bench = createLifecycleBench(many, FAST);
      const gateway = buildFunction('gateway', { upgrade: { ...QUICK, healthyForSeconds: 60 } });
      const id = await run(bench, gateway, { coverage: 'tier = cloud' });
      const op = change(bench, id, { vnfdId: nextVersion(bench, gateway) });
      await bench.converge();
      const get = vi.spyOn(bench.store, 'get');
      bench.lifecycle.engine.lookAtAll();
      expect(operation(bench, op).state).toBe('PROCESSING');
      return get.mock.calls.filter(([kind]) => kind === 'observed').length / count;
    };
    const few = await readsPerHost(5);
    expect(few).toBeGreaterThan(0);
    expect(await readsPerHost(40)).toBeLessThanOrEqual(few);
  });
});

describe('a change that is refused before anything is touched', () => {
  it('several copies of what bears one writer', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }], FAST);
    const worker = buildFunction('worker', {
      flavours: [{ name: 'default', levels: [{ name: 'three', instances: { main: 3 } }] }],
    });
    const id = await run(bench, worker);
    const vnfdId = nextVersion(bench, worker, { state: { writers: 'single', migratesFrom: [] } });
    expect(() => change(bench, id, { vnfdId })).toThrow(/has a single writer: it runs one instance, not 3/);
  });

  it.each([
    ['another function', { metadata: { invariantId: 'urn:test:function:other' } }, /is another function/],
    [
      'state that it does not read',
      { state: { writers: 'many', schema: 3, migratesFrom: [2] } },
      /does not read state of schema 1, which .* has: it reads 3, 2/,
    ],
    ['a job', { run: { mode: 'job' } }, /is a job/],
    ['a capability that others are bound to', { provides: [] }, /which 2.0.0 does not provide/],
    [
      'a requirement that is bound to nothing',
      { requires: [requirement('clock')] },
      /requires "clock".*additionalParams.bind.clock/,
    ],
    [
      'a configuration that it does not take',
      { config: { schema: { type: 'object', required: ['zone'] }, defaults: {}, secrets: [], apply: {} } },
      /config of broker 2.0.0/,
    ],
  ])('%s', async (_what, changes, message) => {
    const bench = createLifecycleBench([{ hostId: 'h1' }], FAST);
    const broker = buildProvider('broker', { state: { writers: 'many', schema: 1, migratesFrom: [] } });
    const id = await run(bench, broker);
    await run(bench, buildFunction('client', { requires: [requirement('broker')] }), {
      bind: { broker: id },
    });
    const { metadata, ...rest } = changes as Partial<IoTFunctionDescriptor>;
    const state = { writers: 'many' as const, schema: 1, migratesFrom: [] };
    const next = { state, ...rest, ...(metadata === undefined ? {} : { metadata }) };
    const vnfdId = nextVersion(bench, broker, next);
    const before = bench.store.acceptedRevision;
    expect(() => change(bench, id, { vnfdId })).toThrow(message);
    expect(bench.store.acceptedRevision).toBe(before);
  });

  it('the version that it has already, and one that nobody has onboarded', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }], FAST);
    const id = await run(bench, buildFunction('worker'));
    expect(() => change(bench, id, { vnfdId: 'vnfd-worker' })).toThrow(/is of worker 1.0.0 already/);
    expect(() => change(bench, id, { vnfdId: 'vnfd-worker-9' })).toThrow(/no onboarded and enabled package/);
  });
});

describe('a canary', () => {
  const compare = [{ indicator: 'failures', tolerance: 0.5, floor: 0.01 }];
  const CANARY = { ...QUICK, strategy: 'canary' as const, bakeSeconds: 60, waves: [{ count: 1 }], compare };

  const MEASURED = buildUnit({
    metrics: { port: 'http', path: '/metrics', indicators: [{ name: 'failures' }, { name: 'delay' }] },
  });

  it.each([
    [
      'an indicator that nobody declares',
      { compare: [...compare, { indicator: 'errors', tolerance: 0.5, floor: 0 }] },
      /^upgrade.compare\[1\].indicator: neither worker 1.0.0 nor worker 2.0.0 has an indicator "errors"; there are failures, delay/,
    ],
    [
      'a strategy that leaves nothing to compare with',
      { strategy: 'recreate' },
      /^upgrade.compare: recreate ends all of the old version/,
    ],
    [
      'such a strategy, and no waves',
      { strategy: 'recreate', waves: [] },
      /^upgrade.compare: recreate ends all of the old version/,
    ],
  ] as const)('is refused before anything is touched with %s', async (_what, upgrade, message) => {
    const bench = createLifecycleBench([{ hostId: 'h1' }], FAST);
    const worker = buildFunction('worker', { units: [MEASURED], upgrade: CANARY });
    const id = await run(bench, worker);
    const vnfdId = nextVersion(bench, worker);
    expect(() => change(bench, id, { vnfdId, additionalParams: { upgrade } })).toThrow(message);
  });

  async function watched(
    oldFailures: number,
    freshFailures: number | undefined,
    upgrade: IoTFunctionDescriptor['upgrade'] = CANARY,
  ) {
    const figures = new Map<number, number | undefined>([
      [1, oldFailures],
      [2, freshFailures],
    ]);
    const bench = createLifecycleBench(
      [{ hostId: 'h1' }, { hostId: 'h2' }],
      { ...FAST, stallMilliseconds: 60_000 },
      (id) => [{ name: 'failures', instances: copiesWithFigures(bench, id, figures) }],
    );
    const worker = buildFunction('worker', { ...THREE, units: [MEASURED], upgrade });
    const id = await run(bench, worker);
    const op = change(bench, id, { vnfdId: nextVersion(bench, worker) });
    await bench.converge();
    return { bench, id, op };
  }

  function copiesWithFigures(
    bench: LifecycleBench,
    id: string,
    figures: ReadonlyMap<number, number | undefined>,
  ) {
    return bench.lifecycle
      .viewVnfcs(bench.lifecycle.vnf.get(DEFAULT_TENANT, id))
      .flatMap(({ id: vnfcInstanceId, generation }) => {
        const value = figures.get(generation);
        return value === undefined ? [] : [{ vnfcInstanceId, value }];
      });
  }

  it('runs beside the old version, all of which goes on until it has been watched, and then is followed by the rest', async () => {
    const { bench, op } = await watched(0.02, 0.025);
    expect(
      running(bench)
        .map((text) => /-g\d/.exec(text)?.[0] ?? text)
        .toSorted(),
    ).toEqual(['-g1', '-g1', '-g1', '-g2']);
    await bench.clock.advance(59_000);
    await bench.converge();
    expect(running(bench)).toHaveLength(4);
    await bench.clock.advance(2_000);
    await bench.converge();
    expect(operation(bench, op)).toMatchObject({
      state: 'COMPLETED',
      rollout: {
        wavesDone: 1,
        comparison: [{ indicator: 'failures', old: 0.02, fresh: 0.025, isWorse: false }],
      },
    });
    expect(running(bench)).toHaveLength(3);
  });

  it('is rolled back when it is worse than the old version, with the figures', async () => {
    const { bench, op } = await watched(0.02, 0.09);
    await bench.clock.advance(61_000);
    await bench.converge();
    expect(operation(bench, op)).toMatchObject({
      state: 'ROLLED_BACK',
      error: { detail: expect.stringMatching(/failures: 0.02 in the old version, 0.09 in the new one/) },
      rollout: { comparison: [{ isWorse: true }] },
    });
    expect(running(bench).every((text) => text.includes('-g1-'))).toBe(true);
  });

  it('comes first with `rolling`, too, where versions are to be compared and no waves are given', async () => {
    const rolling = { ...QUICK, strategy: 'rolling' as const, bakeSeconds: 60, compare };
    const { bench, op } = await watched(0.02, 0.09, rolling);
    await bench.clock.advance(61_000);
    await bench.converge();
    expect(operation(bench, op)).toMatchObject({
      state: 'ROLLED_BACK',
      rollout: { comparison: [{ isWorse: true }] },
    });
  });

  it('is rolled back where nothing can be compared, once that has been waited for', async () => {
    const { bench, op } = await watched(0.02, undefined);
    await bench.clock.advance(61_000);
    await bench.converge();
    expect(operation(bench, op).state).toBe('PROCESSING');
    await bench.clock.advance(61_000);
    await bench.converge();
    expect(operation(bench, op)).toMatchObject({
      state: 'ROLLED_BACK',
      error: { detail: expect.stringMatching(/no figure in the new one/) },
    });
  });
});

describe('a blue-green change', () => {
  it('tells nobody of the new version until it is whole, and then of nothing else; the old one stays while it is watched', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }, { hostId: 'h2' }], FAST);
    const two = { flavours: [{ name: 'default', levels: [{ name: 'small', instances: { main: 2 } }] }] };
    const broker = buildProvider('broker', {
      ...two,
      upgrade: { ...QUICK, strategy: 'blue-green', bakeSeconds: 30, healthyForSeconds: 10 },
    });
    const id = await run(bench, broker);
    const client = await run(bench, buildFunction('client', { requires: [requirement('broker')] }), {
      bind: { broker: id },
    });
    const told = () =>
      bench.lifecycle.context.index
        .assignmentsOf(client as VnfInstanceId)[0]
        ?.document.workload.bindings.requires['broker']?.endpoints.map(({ instance: copy }) => copy);
    const before = told();
    const op = change(bench, id, { vnfdId: nextVersion(bench, broker) });
    await bench.converge();
    expect(running(bench).filter((text) => text.includes(id))).toHaveLength(4);
    expect(told()).toEqual(before);
    await bench.clock.advance(11_000);
    await bench.converge();
    expect(told()).toHaveLength(2);
    expect(told()?.some((copy) => before?.includes(copy))).toBe(false);
    expect(running(bench).filter((text) => text.includes(id))).toHaveLength(4);
    await bench.clock.advance(31_000);
    await bench.converge();
    expect(operation(bench, op).state).toBe('COMPLETED');
    expect(running(bench).filter((text) => text.includes(id))).toHaveLength(2);
  });
});

describe('a change that is paused', () => {
  it('begins no further step until it is resumed', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }], FAST);
    const worker = buildFunction('worker', { ...THREE, upgrade: { ...QUICK, healthyForSeconds: 10 } });
    const id = await run(bench, worker);
    const op = change(bench, id, { vnfdId: nextVersion(bench, worker) });
    await bench.converge();
    bench.lifecycle.opOccs.pause(DEFAULT_TENANT, op, true);
    await bench.clock.advance(600_000);
    await bench.converge();
    expect(operation(bench, op)).toMatchObject({ state: 'PROCESSING', rollout: { isPaused: true } });
    expect(running(bench)).toHaveLength(4);
    bench.lifecycle.opOccs.pause(DEFAULT_TENANT, op, false);
    await bench.converge();
    expect(operation(bench, op).state).toBe('PROCESSING');
    for (let round = 0; round < 8; round += 1) {
      await bench.converge();
      await bench.clock.advance(11_000);
    }
    expect(operation(bench, op).state).toBe('COMPLETED');
  });

  it('is refused for an operation that replaces no version', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1', startSteps: 1e9 }], FAST);
    onboardFunction(bench.store, buildFunction('worker'));
    const { id } = bench.lifecycle.vnf.create(DEFAULT_TENANT, { vnfdId: 'vnfd-worker' });
    const op = bench.lifecycle.vnf.instantiate(DEFAULT_TENANT, id, { flavourId: 'default' });
    expect(() => bench.lifecycle.opOccs.pause(DEFAULT_TENANT, op, true)).toThrow(
      /replaces no version step by step/,
    );
  });
});

describe('waves over hosts', () => {
  const hosts = ['h1', 'h2', 'h3', 'h4'].map((hostId, index) => ({
    hostId,
    facts: { labels: { ring: index === 2 ? 'canary' : 'all', timezone: index === 3 ? 'Asia/Tokyo' : 'UTC' } },
  }));
  const changed = (bench: LifecycleBench) =>
    bench.hosts
      .filter((host) => host.running().some((name) => name.includes('-g2-')))
      .map(({ hostId }) => hostId);

  it('come one after the other, each watched before the next', async () => {
    const bench = createLifecycleBench(hosts, FAST);
    const gateway = buildFunction('gateway', { upgrade: { ...QUICK, maxSurge: 4 } });
    const id = await run(bench, gateway, { coverage: 'tier = cloud' });
    const upgrade = { waves: [{ label: 'ring = canary' }, { share: 0.5 }], bakeSeconds: 60 };
    const op = change(bench, id, { vnfdId: nextVersion(bench, gateway), additionalParams: { upgrade } });
    await bench.converge();
    expect(changed(bench)).toEqual(['h3']);
    await bench.clock.advance(61_000);
    await bench.converge();
    expect(changed(bench)).toEqual(['h1', 'h2', 'h3']);
    await bench.clock.advance(61_000);
    await bench.converge();
    expect(changed(bench)).toEqual(['h1', 'h2', 'h3', 'h4']);
    expect(operation(bench, op).state).toBe('COMPLETED');
  });

  it('are compared only as long as there are copies of the old version', async () => {
    const bench = createLifecycleBench(hosts, FAST);
    const unit = buildUnit({
      metrics: { port: 'http', path: '/metrics', indicators: [{ name: 'failures' }] },
    });
    const gateway = buildFunction('gateway', { units: [unit], upgrade: { ...QUICK, maxSurge: 4 } });
    const id = await run(bench, gateway, { coverage: 'tier = cloud' });
    bench.host('h4').isSilent = true;
    bench.liveness.silence.set('h4' as HostId, 1e6);
    const compare = [{ indicator: 'failures', tolerance: 0.5, floor: 0 }];
    const upgrade = { waves: [{ share: 1 }], compare };
    const op = change(bench, id, { vnfdId: nextVersion(bench, gateway), additionalParams: { upgrade } });
    await bench.converge();
    expect(operation(bench, op).state).toBe('COMPLETED');
  });

  it('go on over failures on a small share of the hosts, and stop beyond it', async () => {
    const run4 = async (stopAt: number) => {
      const bench = createLifecycleBench(hosts, FAST);
      const gateway = buildFunction('gateway', { upgrade: { ...QUICK, maxSurge: 4 } });
      const id = await run(bench, gateway, { coverage: 'tier = cloud' });
      bench.host('h4').failStarts('-g2-', 'exited with code 1');
      const op = change(bench, id, {
        vnfdId: nextVersion(bench, gateway),
        additionalParams: { upgrade: { stopAt } },
      });
      await bench.converge();
      return operation(bench, op).state;
    };
    expect([await run4(0.25), await run4(0.1)]).toEqual(['COMPLETED', 'ROLLED_BACK']);
  });

  it('touch a host only in the window of its own day', async () => {
    const bench = createLifecycleBench(hosts, { ...FAST, tickMilliseconds: 600_000 });
    const gateway = buildFunction('gateway', { upgrade: QUICK });
    const id = await run(bench, gateway, { coverage: 'tier = cloud' });
    // The hour that it is now in UTC; in Tokyo it is nine hours later.
    const fromSeconds = Math.floor((bench.clock.now() / 1000) % 86_400);
    const upgrade = { window: { fromSeconds, forSeconds: 3600, clock: 'local' as const } };
    const op = change(bench, id, { vnfdId: nextVersion(bench, gateway), additionalParams: { upgrade } });
    await bench.converge();
    expect(changed(bench)).toEqual(['h1', 'h2', 'h3']);
    await bench.clock.advance(15 * 3_600_000 + 60_000);
    await bench.converge();
    expect(changed(bench)).toEqual(['h1', 'h2', 'h3', 'h4']);
    expect(operation(bench, op).state).toBe('COMPLETED');
  });

  it('are refused by label, and with a window, for a function that covers no hosts', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }], FAST);
    const worker = buildFunction('worker', { upgrade: QUICK });
    const id = await run(bench, worker);
    const upgrade = { waves: [{ label: 'ring = canary' }] };
    const vnfdId = nextVersion(bench, worker);
    expect(() => change(bench, id, { vnfdId, additionalParams: { upgrade } })).toThrow(
      /only a function with coverage/,
    );
  });
});
