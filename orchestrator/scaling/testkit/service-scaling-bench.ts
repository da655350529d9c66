import { DEFAULT_TENANT, silentLogger, toTimestamp, type HostId } from '../../../kernel/index.ts';
import type { IoTFunctionDescriptor, ServiceAspect, WrittenPolicy } from '../../../descriptors/index.ts';
import {
  buildConstituent,
  buildFunction,
  buildProvider,
  buildService,
  buildUnit,
  requirement,
} from '../../../test/kit/descriptor-builder.ts';
import { createLifecycleBench, type LifecycleBench } from '../../../test/kit/lifecycle-bench.ts';
import { onboardFunction, onboardService } from '../../../test/kit/simulated-host.ts';
import { wantedVnfcs, type NsLcmOpOccDocument } from '../../domain/index.ts';
import { createFunctionAlarms, createMonitoring } from '../../monitoring/index.ts';
import { createScaling, type Scaling, type ScalingLimits } from '../index.ts';

export const SERVICE_POLICY: WrittenPolicy = { type: 'target', indicator: 'load', target: 10 };

/** A service of a `store` and a `worker` that uses it, with one aspect `load` over both; only the worker tells a load. */
export interface ServiceScalingBench {
  readonly bench: LifecycleBench;
  readonly scaling: Scaling;
  readonly id: string;
  idOf(constituent: string): string;
  /** Every worker tells so much. Then everything that follows comes to rest. */
  tell(each: number): Promise<void>;
  wait(seconds: number): Promise<void>;
  /** Running copies of the store, and of the worker. */
  copies(): readonly [store: number, worker: number];
  /** SCALE operations of the service so far, oldest first. */
  scalings(): readonly NsLcmOpOccDocument[];
  alarms(): readonly string[];
  /** Another leader takes over, with nothing but what is in the store. */
  restart(): Promise<void>;
}

export interface ServiceScalingSetting {
  readonly aspect?: Partial<ServiceAspect>;
  readonly worker?: Partial<IoTFunctionDescriptor>;
  readonly limits?: ScalingLimits;
  readonly hosts?: readonly { readonly hostId: string }[];
}

export async function createServiceScalingBench({
  aspect = {},
  worker = {},
  limits = {},
  hosts = [{ hostId: 'h1' }, { hostId: 'h2' }],
}: ServiceScalingSetting = {}): Promise<ServiceScalingBench> {
  const bench = createLifecycleBench(hosts);
  const { store, clock, lifecycle, services } = bench;
  const monitoring = createMonitoring({ store, clock });
  const own = [{ aspect: 'load', deltas: { main: 1 }, min: 1, max: 8 }];
  const metrics = { port: 'http', path: '/metrics', indicators: [{ name: 'load' }], everySeconds: 1 };
  onboardFunction(store, buildProvider('store', { scaling: own }));
  onboardFunction(
    store,
    buildFunction('worker', {
      units: [buildUnit({ metrics })],
      scaling: own,
      requires: [requirement('store')],
      ...worker,
    }),
  );
  const levels = [
    { store: 1, worker: 1 },
    { store: 1, worker: 2 },
    { store: 2, worker: 4 },
    { store: 4, worker: 8 },
  ];
  onboardService(
    store,
    buildService('cse', [buildConstituent('store'), buildConstituent('worker')], {
      aspects: [{ name: 'load', levels, policy: SERVICE_POLICY, ...aspect }],
    }),
  );
  const { id } = services.ns.create(DEFAULT_TENANT, { nsdId: 'nsd-cse', nsName: 'cse', nsDescription: '' });
  services.ns.instantiate(DEFAULT_TENANT, id, { nsFlavourId: 'default' });
  await bench.converge();
  const make = (): Scaling =>
    createScaling({
      store,
      lifecycle,
      services,
      monitoring,
      clock,
      log: silentLogger,
      alarms: createFunctionAlarms(store, clock),
      limits,
    });
  let scaling = make();
  let sequence = 0;

  const idOf = (constituent: string): string =>
    services.ns.get(DEFAULT_TENANT, id).document.constituents[constituent] ?? '';
  const wait = async (seconds: number): Promise<void> => {
    await clock.advance(seconds * 1000);
    scaling.tick();
    await bench.converge();
  };

  function ingest(hostId: HostId, each: number): void {
    const vnfInstanceId = idOf('worker');
    const wanted = wantedVnfcs(store.get('vnf-instance', vnfInstanceId)?.document.wanted ?? []);
    const points = wanted
      .filter((copy) => copy.hostId === hostId)
      .map(({ unit, generation, slot }) => ({
        metric: 'load',
        unit: '1',
        timestamp: toTimestamp(clock.now()),
        value: each,
        subject: { tenant: DEFAULT_TENANT, vnfInstanceId, unit, generation, slot },
      }));
    sequence += 1;
    if (points.length > 0) monitoring.ingestMeasurements(hostId, { bootId: 'boot', sequence }, { points });
  }

  scaling.start();
  return {
    bench,
    get scaling() {
      return scaling;
    },
    id,
    idOf,
    wait,
    tell: async (each) => {
      for (const { hostId } of bench.hosts) ingest(hostId, each);
      await wait(1);
    },
    copies: () => {
      const running = bench.hosts.flatMap((host) => host.running());
      const count = (name: string) => running.filter((copy) => copy.startsWith(`${idOf(name)}-`)).length;
      return [count('store'), count('worker')];
    },
    scalings: () =>
      services.opOccs
        .list(DEFAULT_TENANT)
        .map(({ document }) => document)
        .filter(({ operation }) => operation === 'SCALE')
        .toSorted((a, b) => a.startTime.localeCompare(b.startTime)),
    alarms: () =>
      [...store.list('alarm')]
        .filter(({ document }) => document.clearedAt === undefined)
        .map(({ document }) => document.name),
    restart: async () => {
      await scaling.stop();
      scaling = make();
      scaling.start();
      await bench.converge();
    },
  };
}
