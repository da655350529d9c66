import { describe, expect, it } from 'vitest';
import { DEFAULT_TENANT, SYSTEM_TENANT } from '../../../kernel/index.ts';
import type { IoTFunctionDescriptor } from '../../../descriptors/index.ts';
import { buildFunction, buildUnit } from '../../../test/kit/descriptor-builder.ts';
import { createLifecycleBench, type LifecycleBench } from '../../../test/kit/lifecycle-bench.ts';
import { onboardFunction } from '../../../test/kit/simulated-host.ts';
import { toWantedUnits, wantedVnfcs } from '../../domain/index.ts';

const CAREFUL: IoTFunctionDescriptor['upgrade'] = {
  strategy: 'rolling',
  maxUnavailable: 0,
  maxSurge: 1,
  healthyForSeconds: 0,
  autoRollback: false,
};

const levels = (unit: string) => [{ name: 'default', levels: [{ name: 'small', instances: { [unit]: 2 } }] }];

interface Versions {
  readonly writers?: IoTFunctionDescriptor['state']['writers'];
  /** The unit of the second version. */
  readonly unit?: string;
}

/** The first version has the unit `main`, the second one `core` instead, where nothing else is said. */
function twoVersions(
  bench: LifecycleBench,
  upgrade = CAREFUL,
  { writers = 'many', unit = 'core' }: Versions = {},
): void {
  const state = { ...buildFunction('worker').state, writers };
  const first = buildFunction('worker', { flavours: levels('main'), upgrade, state });
  onboardFunction(bench.store, first);
  const second = {
    ...first,
    metadata: { ...first.metadata, id: 'vnfd-worker-2', softwareVersion: '2.0.0' },
    units: [buildUnit({ name: unit })],
    flavours: levels(unit),
  };
  onboardFunction(bench.store, second, DEFAULT_TENANT, 'pkg-worker-2');
}

async function start(bench: LifecycleBench, additionalParams: object = {}): Promise<string> {
  const { vnf } = bench.lifecycle;
  const { id } = vnf.create(DEFAULT_TENANT, { vnfdId: 'vnfd-worker' });
  vnf.instantiate(DEFAULT_TENANT, id, { flavourId: 'default', additionalParams });
  await bench.converge();
  return id;
}

/** Changes to the second version, whose copies fail, and gives that up: copies of both are left. */
async function giveUp(bench: LifecycleBench, id: string): Promise<void> {
  for (const host of bench.hosts) host.failStarts('-core-', 'exited with code 1');
  const op = bench.lifecycle.vnf.changePackage(DEFAULT_TENANT, id, { vnfdId: 'vnfd-worker-2' });
  await bench.converge();
  for (const host of bench.hosts) host.healStarts();
  bench.lifecycle.opOccs.fail(DEFAULT_TENANT, op);
  await bench.converge();
}

function unitsOn(bench: LifecycleBench, hostIds: readonly string[]): readonly string[] {
  return hostIds.flatMap((hostId) =>
    bench
      .host(hostId)
      .running()
      .map((text) => `${hostId} ${/-(main|core)-g\d/.exec(text)?.[1] ?? text}`),
  );
}

const document = (bench: LifecycleBench, id: string) => bench.lifecycle.vnf.get(DEFAULT_TENANT, id).document;

describe('a function of two versions with units of other names', () => {
  it('keeps as many copies of each when a host is lost', async () => {
    const bench = createLifecycleBench(['h1', 'h2', 'h3'].map((hostId) => ({ hostId })));
    twoVersions(bench);
    const id = await start(bench);
    await giveUp(bench, id);
    const countOf = (unit: string) =>
      wantedVnfcs(document(bench, id).wanted).filter((copy) => copy.unit === unit);
    expect([countOf('main').length, countOf('core').length]).toEqual([2, 2]);
    const [lost] = countOf('main').map(({ hostId }) => hostId);
    if (lost === undefined) throw new RangeError('nothing is wanted');
    bench.host(lost).isSilent = true;
    bench.liveness.silence.set(lost, 1e6);
    await bench.converge();
    const others = bench.hosts.map(({ hostId }) => hostId).filter((hostId) => hostId !== lost);
    expect(
      unitsOn(bench, others)
        .map((text) => text.slice(3))
        .toSorted(),
    ).toEqual(['core', 'core', 'main', 'main']);
    expect(countOf('main').every(({ generation }) => generation === 1)).toBe(true);
    expect(document(bench, id)).not.toHaveProperty('activeOpOcc');
  });

  it('comes to further hosts in the version that was before, and leaves to each host what it has', async () => {
    const bench = createLifecycleBench([
      { hostId: 'h1' },
      { hostId: 'h2' },
      { hostId: 'h3', facts: { tier: 'device-edge' } },
    ]);
    twoVersions(bench, { ...CAREFUL, maxSurge: 0, maxUnavailable: 1 });
    const id = await start(bench, { coverage: 'tier = cloud' });
    await giveUp(bench, id);
    expect(unitsOn(bench, ['h1', 'h2', 'h3'])).toEqual(['h1 core', 'h2 main']);
    setTier(bench, 'h3', 'cloud');
    await bench.converge();
    expect(unitsOn(bench, ['h1', 'h2', 'h3'])).toEqual(['h1 core', 'h2 main', 'h3 main']);
    setTier(bench, 'h1', 'device-edge');
    await bench.converge();
    expect(unitsOn(bench, ['h1', 'h2', 'h3'])).toEqual(['h2 main', 'h3 main']);
  });
});

describe('a function of two versions that covers hosts, of which one has not let go of its copy yet', () => {
  const ONE_AFTER_THE_OTHER = { ...CAREFUL, maxSurge: 0 };
  const COVERAGE = { coverage: 'tier = cloud' };

  it.each(['many', 'single'] as const)(
    'wants nothing there beside a copy of the other version, and covers the host when that is gone: %s writers',
    async (writers) => {
      const bench = createLifecycleBench(['h1', 'h2', 'h3'].map((hostId) => ({ hostId })));
      const { opOccs, vnf, engine } = bench.lifecycle;
      twoVersions(bench, { ...ONE_AFTER_THE_OTHER, maxUnavailable: 1 }, { writers });
      const id = await start(bench, COVERAGE);
      bench.host('h2').failStarts('-core-', 'exited with code 1');
      const op = vnf.changePackage(DEFAULT_TENANT, id, { vnfdId: 'vnfd-worker-2' });
      await bench.converge();
      bench.host('h2').healStarts();
      bench.host('h1').isSilent = true;
      opOccs.rollback(DEFAULT_TENANT, op);
      await look(bench);
      opOccs.cancel(DEFAULT_TENANT, op, 'GRACEFUL');
      engine.lookAtAll();
      opOccs.fail(DEFAULT_TENANT, op);
      await bench.converge();
      expect(unitsOn(bench, ['h1'])).toEqual(['h1 core']);
      expect(document(bench, id).displaced?.map(({ unit, hostId }) => `${hostId} ${unit}`)).toEqual([
        'h1 core',
      ]);
      expect(wantedOn(bench, id)).toEqual(['h2 core', 'h3 main']);
      bench.host('h1').isSilent = false;
      await bench.converge();
      expect(unitsOn(bench, ['h1', 'h2', 'h3'])).toEqual(['h1 main', 'h2 core', 'h3 main']);
      expect(document(bench, id).displaced).toEqual([]);
    },
  );

  it('waits for a copy of the version that the host is to have, too, and then comes to rest', async () => {
    const bench = createLifecycleBench(['h1', 'h2', 'h3'].map((hostId) => ({ hostId })));
    const { opOccs, vnf } = bench.lifecycle;
    twoVersions(bench, { ...ONE_AFTER_THE_OTHER, maxUnavailable: 2 });
    const id = await start(bench, COVERAGE);
    bench.host('h1').failStarts('-core-', 'exited with code 1');
    bench.host('h2').isSilent = true;
    const op = vnf.changePackage(DEFAULT_TENANT, id, { vnfdId: 'vnfd-worker-2' });
    await bench.converge();
    bench.host('h1').healStarts();
    opOccs.fail(DEFAULT_TENANT, op);
    await bench.converge();
    expect(wantedOn(bench, id)).toEqual(['h1 core', 'h3 main']);
    bench.host('h2').isSilent = false;
    await bench.converge();
    expect(unitsOn(bench, ['h1', 'h2', 'h3'])).toEqual(['h1 core', 'h2 main', 'h3 main']);
    expect(document(bench, id)).toMatchObject({ displaced: [] });
    expect(document(bench, id)).not.toHaveProperty('activeOpOcc');
  });

  it('is waited for in a heal, though more hosts are covered by then than when that began', async () => {
    const late = ['n1', 'n2'];
    const bench = createLifecycleBench([
      ...['h1', 'h2', 'h3', 'h4', 'h5'].map((hostId) => ({ hostId })),
      ...late.map((hostId) => ({ hostId, facts: { tier: 'device-edge' as const } })),
    ]);
    const { opOccs, vnf, engine } = bench.lifecycle;
    twoVersions(bench, { ...ONE_AFTER_THE_OTHER, maxUnavailable: 2 }, { unit: 'main' });
    const id = await start(bench, COVERAGE);
    bench.host('h3').failStarts('-main-', 'exited with code 1');
    const op = vnf.changePackage(DEFAULT_TENANT, id, { vnfdId: 'vnfd-worker-2' });
    await bench.converge();
    bench.host('h3').healStarts();
    for (const hostId of ['h1', 'h2']) bench.host(hostId).isSilent = true;
    opOccs.rollback(DEFAULT_TENANT, op);
    await look(bench);
    opOccs.cancel(DEFAULT_TENANT, op, 'GRACEFUL');
    engine.lookAtAll();
    opOccs.fail(DEFAULT_TENANT, op);
    for (const hostId of late) setTier(bench, hostId, 'cloud');
    vnf.heal(DEFAULT_TENANT, id, {});
    await bench.converge();
    expect(generationsOn(bench, id)).toEqual(['h3 g2', 'h4 g2', 'h5 g1', 'n1 g1', 'n2 g1']);
    bench.host('h1').isSilent = false;
    await bench.converge();
    expect(generationsOn(bench, id)).toEqual(['h1 g1', 'h3 g2', 'h4 g2', 'h5 g1', 'n1 g1', 'n2 g1']);
    expect(document(bench, id).displaced?.map(({ hostId }) => hostId)).toEqual(['h2']);
    bench.host('h2').isSilent = false;
    await bench.converge();
    expect(generationsOn(bench, id).slice(0, 2)).toEqual(['h1 g1', 'h2 g1']);
    expect(document(bench, id)).not.toHaveProperty('activeOpOcc');
  });
});

/** A look of the engine, before any host does anything. */
async function look({ lifecycle, store }: LifecycleBench): Promise<void> {
  lifecycle.engine.lookAtAll();
  await store.whenDurable();
}

function generationsOn(bench: LifecycleBench, id: string): readonly string[] {
  return wantedVnfcs(document(bench, id).wanted)
    .map(({ hostId, generation }) => `${hostId} g${generation}`)
    .toSorted();
}

function wantedOn(bench: LifecycleBench, id: string): readonly string[] {
  return wantedVnfcs(document(bench, id).wanted)
    .map(({ hostId, unit }) => `${hostId} ${unit}`)
    .toSorted();
}

function setTier({ store }: LifecycleBench, hostId: string, tier: 'cloud' | 'device-edge'): void {
  const facts = store.get('host-facts', hostId);
  if (facts === undefined) throw new RangeError(`${hostId} has no facts`);
  store.commit([
    {
      op: 'put',
      kind: 'host-facts',
      id: hostId,
      tenant: SYSTEM_TENANT,
      document: { ...facts.document, tier },
    },
  ]);
}

describe('a version of which there are copies of several generations', () => {
  it('goes on undisturbed where the next one fails, and is replaced whole where that is well', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }]);
    twoVersions(bench, { ...CAREFUL, autoRollback: true });
    const id = await start(bench);
    const record = bench.lifecycle.vnf.get(DEFAULT_TENANT, id);
    const copies = wantedVnfcs(record.document.wanted).map((copy) => ({
      ...copy,
      generation: copy.slot + 1,
    }));
    bench.lifecycle.context.commit([
      {
        op: 'update',
        kind: 'vnf-instance',
        id,
        expectedRevision: record.revision,
        document: { ...record.document, wanted: toWantedUnits(copies), generations: 2 },
      },
    ]);
    await bench.converge();
    const before = bench.host('h1').running();
    expect(before.map((text) => /-g\d-\d/.exec(text)?.[0])).toEqual(['-g1-0', '-g2-1']);
    bench.host('h1').failStarts('-core-', 'exited with code 1');
    const change = () => bench.lifecycle.vnf.changePackage(DEFAULT_TENANT, id, { vnfdId: 'vnfd-worker-2' });
    const failed = change();
    await bench.converge();
    expect(bench.lifecycle.opOccs.get(DEFAULT_TENANT, failed).document.state).toBe('ROLLED_BACK');
    expect(bench.host('h1').running()).toEqual(before);
    bench.host('h1').healStarts();
    const op = change();
    await bench.converge();
    expect(bench.lifecycle.opOccs.get(DEFAULT_TENANT, op).document.state).toBe('COMPLETED');
    expect(unitsOn(bench, ['h1'])).toEqual(['h1 core', 'h1 core']);
  });
});
