import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_TENANT, IotmanoError, type VnfInstanceId } from '../../kernel/index.ts';
import type { IoTFunctionDescriptor } from '../../descriptors/index.ts';
import { createCrashingSystem, type CrashingSystem } from '../../test/kit/crashing-system.ts';
import { buildFunction, buildProvider, requirement } from '../../test/kit/descriptor-builder.ts';
import { onboardFunction } from '../../test/kit/simulated-host.ts';
import { wantedVnfcs } from '../domain/index.ts';

const HOSTS = ['h1', 'h2', 'h3', 'edge'] as const;
const FUNCTIONS = ['broker', 'worker', 'writer', 'gateway'] as const;
const anywhere = { tiers: [], architectures: [], jurisdictions: [], require: [], prefer: [] };

const UPGRADE = {
  strategy: 'rolling',
  maxUnavailable: 1,
  maxSurge: 1,
  healthyForSeconds: 0,
  autoRollback: true,
} as const;

const DESCRIPTORS: readonly IoTFunctionDescriptor[] = [
  buildProvider('broker', { upgrade: UPGRADE }),
  buildFunction('worker', {
    upgrade: UPGRADE,
    requires: [requirement('broker')],
    placement: { ...anywhere, spread: [{ by: 'host' }] },
    scaling: [{ aspect: 'load', deltas: { main: 1 }, min: 1, max: 4 }],
  }),
  buildFunction('writer', {
    upgrade: { ...UPGRADE, strategy: 'recreate' },
    state: { writers: 'single', migratesFrom: [] },
    offline: {
      onDisconnect: 'stop-after',
      stopAfterSeconds: 8,
      relocate: 'allowed',
      coldBoot: true,
      prefetch: [],
    },
  }),
  buildFunction('gateway', { upgrade: UPGRADE }),
];

type Event =
  | { readonly type: 'step' | 'silence' | 'wake'; readonly host: number }
  | {
      readonly type: 'strike';
      readonly host: number;
      readonly name: number;
      readonly state: 'FAILED' | 'UNHEALTHY';
    }
  | { readonly type: 'heal'; readonly name: number }
  | { readonly type: 'scale'; readonly isOut: boolean }
  | { readonly type: 'change'; readonly name: number; readonly isBack: boolean }
  | { readonly type: 'relabel'; readonly isEdge: boolean }
  | { readonly type: 'drain'; readonly host: number; readonly isDraining: boolean }
  | { readonly type: 'look' | 'crash' | 'wait' };

const host = fc.integer({ min: 0, max: HOSTS.length - 1 });
const name = fc.integer({ min: 0, max: FUNCTIONS.length - 1 });
const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('step' as const), host }) },
  { weight: 6, arbitrary: fc.constant({ type: 'look' as const }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom('silence' as const, 'wake' as const), host }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('strike' as const),
      host,
      name,
      state: fc.constantFrom('FAILED' as const, 'UNHEALTHY' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('heal' as const), name }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('scale' as const), isOut: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('change' as const), name, isBack: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('relabel' as const), isEdge: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('drain' as const), host, isDraining: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.constantFrom({ type: 'crash' as const }, { type: 'wait' as const }) },
);

interface World {
  readonly world: CrashingSystem;
  readonly ids: readonly VnfInstanceId[];
}

async function start(): Promise<World> {
  const world = createCrashingSystem(
    HOSTS.map((hostId) => ({ hostId, facts: { tier: hostId === 'edge' ? 'device-edge' : 'cloud' } })),
    { healBackoffMilliseconds: 1000, tickMilliseconds: 600_000 },
  );
  const { vnf } = world.system.lifecycle;
  for (const descriptor of DESCRIPTORS) {
    const { metadata } = descriptor;
    const next = { ...metadata, id: `${metadata.id}-2`, softwareVersion: '2.0.0' };
    onboardFunction(world.system.store, descriptor);
    onboardFunction(
      world.system.store,
      { ...descriptor, metadata: next },
      DEFAULT_TENANT,
      `pkg-${metadata.productName}-2`,
    );
  }
  const ids = FUNCTIONS.map(
    (vnfInstanceName) =>
      vnf.create(DEFAULT_TENANT, { vnfdId: `vnfd-${vnfInstanceName}`, vnfInstanceName }).id as VnfInstanceId,
  );
  ids.forEach((id, index) => {
    const additionalParams = {
      ...(FUNCTIONS[index] === 'worker' ? { bind: { broker: ids[0] ?? '' } } : {}),
      ...(FUNCTIONS[index] === 'gateway' ? { coverage: 'tier = device-edge' } : {}),
    };
    vnf.instantiate(DEFAULT_TENANT, id, { flavourId: 'default', additionalParams });
  });
  await world.system.store.whenDurable();
  return { world, ids };
}

async function happen({ world, ids }: World, happening: Event): Promise<void> {
  const { vnf, engine } = world.system.lifecycle;
  switch (happening.type) {
    case 'step':
      world.hosts[happening.host]?.step(world.system.store);
      break;
    case 'look':
      engine.lookAtAll();
      break;
    case 'crash':
      await world.crashNow();
      break;
    case 'wait':
      await world.clock.advance(10_000);
      break;
    case 'silence':
      hush(world, happening.host);
      break;
    case 'wake':
      wake(world, happening.host);
      break;
    case 'strike':
      world.hosts[happening.host]?.strike(
        ids[happening.name] ?? 'nobody',
        happening.state,
        'exited with code 1',
      );
      break;
    case 'heal':
      attempt(() => vnf.heal(DEFAULT_TENANT, ids[happening.name] ?? '', {}));
      break;
    case 'scale':
      attempt(() =>
        vnf.scale(DEFAULT_TENANT, ids[1] ?? '', {
          type: happening.isOut ? 'SCALE_OUT' : 'SCALE_IN',
          aspectId: 'load',
        }),
      );
      break;
    case 'change':
      change(world, ids[happening.name] ?? '', FUNCTIONS[happening.name] ?? '', happening.isBack);
      break;
    case 'relabel':
      relabel(world, happening.isEdge);
      break;
    case 'drain':
      drain(world, happening.host, happening.isDraining);
  }
  await world.system.store.whenDurable();
}

/** To the second version or to the first; to the one that it has is refused. */
function change(
  { system: { lifecycle } }: CrashingSystem,
  id: string,
  product: string,
  isBack: boolean,
): void {
  const vnfdId = isBack ? `vnfd-${product}` : `vnfd-${product}-2`;
  attempt(() => lifecycle.vnf.changePackage(DEFAULT_TENANT, id, { vnfdId }));
}

/** What is refused now is refused: that too is an order of events. */
function attempt(request: () => void): void {
  try {
    request();
  } catch (error) {
    if (!(error instanceof IotmanoError) || error.kind !== 'conflict') throw error;
  }
}

/** Far beyond every patience; the dead-man's wrapper there has stopped the single writer. */
function hush(world: CrashingSystem, index: number): void {
  const silent = world.hosts[index];
  if (silent === undefined) return;
  silent.isSilent = true;
  silent.stopWriters();
  world.liveness.silence.set(silent.hostId, 1e6);
}

function wake(world: CrashingSystem, index: number): void {
  const heard = world.hosts[index];
  if (heard === undefined) return;
  heard.isSilent = false;
  world.liveness.silence.delete(heard.hostId);
}

function relabel({ system: { store } }: CrashingSystem, isEdge: boolean): void {
  const facts = store.get('host-facts', 'h3');
  if (facts === undefined) return;
  const document = { ...facts.document, tier: isEdge ? ('device-edge' as const) : ('cloud' as const) };
  store.commit([{ op: 'put', kind: 'host-facts', id: 'h3', tenant: facts.tenant, document }]);
}

function drain({ system: { store } }: CrashingSystem, index: number, draining: boolean): void {
  const record = store.get('host', HOSTS[index] ?? '');
  if (record === undefined) return;
  const { id, tenant } = record;
  store.commit([{ op: 'put', kind: 'host', id, tenant, document: { ...record.document, draining } }]);
}

/** Everybody is heard again, and an operator sees to what has stopped. */
async function comeToRest({ world }: World): Promise<void> {
  HOSTS.forEach((_host, index) => {
    wake(world, index);
    drain(world, index, false);
  });
  for (const item of world.hosts) item.healStarts();
  for (let round = 0; round < 8; round += 1) {
    await world.converge();
    await world.clock.advance(700_000);
    const { opOccs } = world.system.lifecycle;
    for (const { id, document } of opOccs.list(DEFAULT_TENANT))
      if (document.state === 'FAILED_TEMP') attempt(() => opOccs.retry(DEFAULT_TENANT, id));
  }
  await world.converge();
}

function runningWriters({ world, ids }: World): readonly string[] {
  return world.hosts.flatMap((item) =>
    item
      .running()
      .filter((copy) => copy.startsWith(ids[2] ?? '?') && /(RUNNING|STARTING|UNHEALTHY)$/.test(copy)),
  );
}

describe('whatever happens, in whatever order', () => {
  it('ends with every wanted copy running, nothing else running, and never with two single writers', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 60 }), async (events) => {
        const state = await start();
        const { world, ids } = state;
        for (const happening of events) {
          await happen(state, happening);
          expect(runningWriters(state).length).toBeLessThanOrEqual(1);
        }
        await comeToRest(state);
        const { store } = world.system;
        const instances = ids.map((id) => store.get('vnf-instance', id)?.document);
        expect(
          instances.map(
            (instance) =>
              `${instance?.name} ${instance?.instantiationState} ${instance?.activeOpOcc ?? 'free'}`,
          ),
        ).toEqual(FUNCTIONS.map((item) => `${item} INSTANTIATED free`));
        expect(instances.slice(0, 3).map((instance) => (instance?.wanted.length ?? 0) > 0)).toEqual([
          true,
          true,
          true,
        ]);
        expect(instances.flatMap((instance) => instance?.displaced ?? [])).toEqual([]);
        const wanted = instances.flatMap((instance, index) =>
          wantedVnfcs(instance?.wanted ?? []).map(
            ({ hostId, unit, generation, slot, epoch }) =>
              `${hostId} ${ids[index]}-${unit}-g${generation}-${slot}@${epoch} RUNNING`,
          ),
        );
        const running = world.hosts.flatMap((item) => item.running().map((copy) => `${item.hostId} ${copy}`));
        expect(running.toSorted()).toEqual(wanted.toSorted());
        expect([...store.list('observed')].length).toBe([...store.list('assignment')].length);
        await world.stop();
      }),
      { numRuns: 150, interruptAfterTimeLimit: 60_000 },
    );
  }, 120_000);
});
