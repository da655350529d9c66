import { describe, expect, it } from 'vitest';
import { DEFAULT_TENANT } from '../../../kernel/index.ts';
import type { IoTFunctionDescriptor } from '../../../descriptors/index.ts';
import {
  createCrashingSystem,
  type CrashPoint,
  type CrashingSystem,
} from '../../../test/kit/crashing-system.ts';
import {
  buildFunction,
  buildProvider,
  buildUnit,
  requirement,
} from '../../../test/kit/descriptor-builder.ts';
import { onboardFunction } from '../../../test/kit/simulated-host.ts';

const KINDS = ['commit-lost', 'commit-durable', 'driver-before', 'driver-after'] as const;
/** More points than any of these runs has. */
const MOST_POINTS = 200;

const UPGRADE: IoTFunctionDescriptor['upgrade'] = {
  strategy: 'rolling',
  maxUnavailable: 0,
  maxSurge: 1,
  healthyForSeconds: 0,
  autoRollback: true,
};
const TWO = { flavours: [{ name: 'default', levels: [{ name: 'small', instances: { main: 2 } }] }] };
const WRITER = {
  state: { writers: 'single' as const, migratesFrom: [] },
  units: [buildUnit({ volumes: [{ name: 'db', mount: '/data', sizeBytes: 1000, keep: true }] })],
  upgrade: { ...UPGRADE, strategy: 'recreate' as const },
};

interface Scenario {
  readonly name: string;
  readonly descriptor: IoTFunctionDescriptor;
  readonly coverage?: string;
  /** Names of copies that cannot start. */
  readonly fails?: string;
  /** As the operation ends. */
  readonly end: 'COMPLETED' | 'ROLLED_BACK';
}

const SCENARIOS: readonly Scenario[] = [
  {
    name: 'a rolling change',
    descriptor: buildProvider('broker', { ...TWO, upgrade: UPGRADE }),
    end: 'COMPLETED',
  },
  {
    name: 'a change that is rolled back',
    descriptor: buildProvider('broker', { ...TWO, upgrade: UPGRADE }),
    fails: '-g2-',
    end: 'ROLLED_BACK',
  },
  {
    name: 'the recreation of a single writer',
    descriptor: buildProvider('broker', WRITER),
    end: 'COMPLETED',
  },
  {
    name: 'the recreation of a single writer that is rolled back',
    descriptor: buildProvider('broker', WRITER),
    fails: '-g2-',
    end: 'ROLLED_BACK',
  },
  {
    name: 'a change on all hosts that are covered',
    descriptor: buildProvider('broker', { upgrade: UPGRADE }),
    coverage: 'tier = cloud',
    end: 'COMPLETED',
  },
];

async function run(scenario: Scenario, point: CrashPoint): Promise<CrashingSystem> {
  const world = createCrashingSystem([{ hostId: 'h1' }, { hostId: 'h2' }], { retireMilliseconds: 0 });
  const { store, lifecycle } = world.system;
  const { descriptor, coverage } = scenario;
  const metadata = { ...descriptor.metadata, id: 'vnfd-broker-2', softwareVersion: '2.0.0' };
  onboardFunction(store, descriptor);
  onboardFunction(store, { ...descriptor, metadata }, DEFAULT_TENANT, 'pkg-broker-2');
  onboardFunction(store, buildFunction('client', { requires: [requirement('broker')] }));
  const create = (vnfdId: string) =>
    lifecycle.vnf.create(DEFAULT_TENANT, { vnfdId, vnfInstanceName: vnfdId }).id;
  const [broker, client] = [create('vnfd-broker'), create('vnfd-client')];
  const instantiate = (id: string, additionalParams: object) =>
    lifecycle.vnf.instantiate(DEFAULT_TENANT, id, { flavourId: 'default', additionalParams });
  instantiate(broker, coverage === undefined ? {} : { coverage });
  await world.converge();
  instantiate(client, { bind: { broker } });
  await world.converge();
  for (const host of world.hosts) if (scenario.fails !== undefined) host.failStarts(scenario.fails, 'broken');
  lifecycle.vnf.changePackage(DEFAULT_TENANT, broker, { vnfdId: 'vnfd-broker-2' });
  await store.whenDurable();
  world.arm(point);
  await world.converge();
  await world.stop();
  return world;
}

/** What is, without what differs from run to run (ids). */
function endState({ system: { store }, hosts }: CrashingSystem): unknown {
  const generations = (id: string): string => /-g(\d+)-\d+@\d+ (\w+)/.exec(id)?.slice(1).join(' ') ?? id;
  return {
    running: hosts.map((host) => host.running().map(generations).toSorted()),
    functions: [...store.list('vnf-instance')].map(({ document }) => [
      document.name,
      document.vnfPkgId,
      document.activeOpOcc ?? 'free',
      document.replaced ?? 'of one version',
      document.displaced ?? [],
      document.withheld ?? [],
    ]),
    operations: [...store.list('vnf-lcm-op-occ')].map(
      ({ document }) => `${document.operation} ${document.state}`,
    ),
    assignments: [...store.list('assignment')].length,
    observed: [...store.list('observed')].length,
  };
}

describe.each(SCENARIOS)('a crash during $name', (scenario) => {
  it.each(KINDS)('at any %s point ends as if nothing had happened', async (kind) => {
    const calm = await run(scenario, { kind: 'none', at: 0 });
    const expected = endState(calm);
    expect(expected).toMatchObject({
      operations: expect.arrayContaining([`CHANGE_VNFPKG ${scenario.end}`]),
    });
    let crashes = 0;
    for (let at = 1; at <= MOST_POINTS; at += 1) {
      const world = await run(scenario, { kind, at });
      expect(endState(world), `${kind} ${at}`).toEqual(expected);
      if (world.crashes === 0) break;
      crashes += 1;
    }
    expect(crashes).toBeLessThan(MOST_POINTS);
    expect(crashes).toBeGreaterThanOrEqual(2);
  });
});
