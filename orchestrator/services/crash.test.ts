import { describe, expect, it } from 'vitest';
import { DEFAULT_TENANT } from '../../kernel/index.ts';
import {
  buildConstituent,
  buildFunction,
  buildProvider,
  buildService,
  requirement,
} from '../../test/kit/descriptor-builder.ts';
import {
  createCrashingSystem,
  type CrashPoint,
  type CrashingSystem,
} from '../../test/kit/crashing-system.ts';
import { onboardFunction, onboardService } from '../../test/kit/simulated-host.ts';

const KINDS = ['commit-lost', 'commit-durable', 'driver-before', 'driver-after'] as const;
/** More points than any of these runs has. */
const MOST_POINTS = 200;

interface Scenario {
  readonly name: string;
  /** Up to the state from which on points are counted. */
  prepare(world: CrashingSystem): Promise<void>;
  /** The request, as acknowledged to its caller. */
  request(world: CrashingSystem): void;
}

function functionId(world: CrashingSystem): string {
  const [only] = world.system.lifecycle.vnf.list(DEFAULT_TENANT);
  return only?.id ?? 'none';
}

function serviceId(world: CrashingSystem): string {
  const [only] = world.system.services.ns.list(DEFAULT_TENANT);
  return only?.id ?? 'none';
}

const instantiateFunction: Scenario = {
  name: 'instantiation of a function',
  prepare: async (world) => {
    world.system.lifecycle.vnf.create(DEFAULT_TENANT, { vnfdId: 'vnfd-broker', vnfInstanceName: 'broker' });
  },
  request: (world) =>
    void world.system.lifecycle.vnf.instantiate(DEFAULT_TENANT, functionId(world), {
      flavourId: 'default',
      instantiationLevelId: 'large',
    }),
};

const terminateFunction: Scenario = {
  name: 'termination of a function',
  prepare: async (world) => {
    await instantiateFunction.prepare(world);
    instantiateFunction.request(world);
    await world.converge();
  },
  request: (world) =>
    void world.system.lifecycle.vnf.terminate(DEFAULT_TENANT, functionId(world), {
      terminationType: 'GRACEFUL',
    }),
};

const instantiateService: Scenario = {
  name: 'instantiation of a service',
  prepare: async (world) => {
    world.system.services.ns.create(DEFAULT_TENANT, { nsdId: 'nsd-cse', nsName: 'cse', nsDescription: '' });
  },
  request: (world) =>
    void world.system.services.ns.instantiate(DEFAULT_TENANT, serviceId(world), { nsFlavourId: 'default' }),
};

const terminateService: Scenario = {
  name: 'termination of a service',
  prepare: async (world) => {
    await instantiateService.prepare(world);
    instantiateService.request(world);
    await world.converge();
  },
  request: (world) => void world.system.services.ns.terminate(DEFAULT_TENANT, serviceId(world), {}),
};

const scaleService: Scenario = {
  name: 'scaling of a service',
  prepare: async (world) => {
    await instantiateService.prepare(world);
    instantiateService.request(world);
    await world.converge();
  },
  request: (world) =>
    void world.system.services.ns.scale(DEFAULT_TENANT, serviceId(world), {
      scaleType: 'SCALE_NS',
      scaleNsData: {
        scaleNsByStepsData: { scalingDirection: 'SCALE_OUT', aspectId: 'load', numberOfSteps: 1 },
      },
    }),
};

function createWorld(): CrashingSystem {
  const world = createCrashingSystem([
    { hostId: 'cloud-1' },
    { hostId: 'edge-1', facts: { tier: 'device-edge' } },
    { hostId: 'edge-2', facts: { tier: 'device-edge' } },
  ]);
  const { store } = world.system;
  const placement = {
    tiers: ['cloud' as const],
    architectures: [],
    jurisdictions: [],
    require: [],
    prefer: [],
  };
  const flavours = [
    {
      name: 'default',
      levels: [
        { name: 'small', instances: { main: 1 } },
        { name: 'large', instances: { main: 2 } },
      ],
    },
  ];
  const scaling = [{ aspect: 'load', deltas: { main: 1 }, min: 1, max: 5 }];
  onboardFunction(store, buildProvider('broker', { placement, flavours, scaling }));
  onboardFunction(
    store,
    buildProvider('processing', { placement, scaling, requires: [requirement('broker')] }),
  );
  onboardFunction(store, buildFunction('gateway', { requires: [requirement('processing')] }));
  onboardService(
    store,
    buildService(
      'cse',
      [
        buildConstituent('gateway', { coverage: { each: 'tier = device-edge' } }),
        buildConstituent('processing'),
        buildConstituent('broker', { level: 'large' }),
      ],
      {
        aspects: [
          {
            name: 'load',
            levels: [
              { broker: 2, processing: 1 },
              { broker: 3, processing: 2 },
            ],
          },
        ],
      },
    ),
  );
  return world;
}

/** What is, without what differs from run to run (ids). */
function endState(world: CrashingSystem): unknown {
  const { store } = world.system;
  const names = new Map([...store.list('vnf-instance')].map(({ id, document }) => [id, document.name]));
  const nameOf = (text: string) => {
    const found = [...names].find(([id]) => text.startsWith(id));
    return found === undefined ? text : text.replace(found[0], found[1]);
  };
  return {
    running: world.hosts.map((host) => host.running().map(nameOf).toSorted()),
    functions: [...store.list('vnf-instance')]
      .map(
        ({ document }) => `${document.name} ${document.instantiationState} ${document.activeOpOcc ?? 'free'}`,
      )
      .toSorted(),
    services: [...store.list('ns-instance')].map(
      ({ document }) => `${document.name} ${document.state} ${document.activeOpOcc ?? 'free'}`,
    ),
    operations: [...store.list('vnf-lcm-op-occ'), ...store.list('ns-lcm-op-occ')]
      .map(({ document }) => `${document.operation} ${document.state}`)
      .toSorted(),
    assignments: [...store.list('assignment')].length,
    observed: [...store.list('observed')].length,
  };
}

function startsOf(world: CrashingSystem): string[] {
  return world.hosts.flatMap((host) => host.starts.map((start) => `${host.hostId} ${start}`));
}

async function run(scenario: Scenario, point: CrashPoint): Promise<CrashingSystem> {
  const world = createWorld();
  await scenario.prepare(world);
  scenario.request(world);
  await world.system.store.whenDurable();
  world.arm(point);
  await world.converge();
  await world.stop();
  return world;
}

describe.each([instantiateFunction, terminateFunction, instantiateService, terminateService, scaleService])(
  'a crash during the $name',
  (scenario) => {
    it.each(KINDS)(
      'at any %s point ends as if nothing had happened, with nothing run twice',
      async (kind) => {
        const calm = await run(scenario, { kind: 'none', at: 0 });
        const expected = endState(calm);
        const expectedStarts = startsOf(calm).length;
        let crashes = 0;
        for (let at = 1; at <= MOST_POINTS; at += 1) {
          const world = await run(scenario, { kind, at });
          expect(endState(world), `${kind} ${at}`).toEqual(expected);
          const starts = startsOf(world);
          expect(new Set(starts).size, `${kind} ${at}: started twice`).toBe(starts.length);
          expect(starts.length, `${kind} ${at}: ${starts.join()}`).toBe(expectedStarts);
          if (world.crashes === 0) break;
          crashes += 1;
        }
        expect(crashes).toBeLessThan(MOST_POINTS);
        const isIdle = scenario.name.startsWith('termination') ? 0 : 1;
        expect(crashes).toBeGreaterThanOrEqual(kind.startsWith('driver') ? isIdle : 2);
      },
    );
  },
);
