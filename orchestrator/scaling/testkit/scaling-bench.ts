import { DEFAULT_TENANT, silentLogger, toTimestamp, type HostId } from '../../../kernel/index.ts';
import type { ScalingAspect, WrittenPolicy } from '../../../descriptors/index.ts';
import { buildFunction, buildUnit } from '../../../test/kit/descriptor-builder.ts';
import { createLifecycleBench, type LifecycleBench } from '../../../test/kit/lifecycle-bench.ts';
import { onboardFunction } from '../../../test/kit/simulated-host.ts';
import { wantedVnfcs, type VnfLcmOpOccDocument } from '../../domain/index.ts';
import { createFunctionAlarms, createMonitoring, type Monitoring } from '../../monitoring/index.ts';
import { createScaling, type Scaling, type ScalingLimits } from '../index.ts';

export const POLICY: WrittenPolicy = { type: 'target', indicator: 'load', target: 10 };

/** A function with one aspect `load` of 1 to 5 steps, over two simulated hosts, scaled by what `tell` says. */
export interface ScalingBench {
  readonly bench: LifecycleBench;
  readonly monitoring: Monitoring;
  scaling: Scaling;
  readonly id: string;
  /** Every copy tells so much; those of `silent` hosts nothing. Then everything that follows comes to rest. */
  tell(each: number, options?: { readonly silent?: readonly string[] }): Promise<void>;
  /** Moves the clock, looks, and lets everything come to rest. */
  wait(seconds: number): Promise<void>;
  copies(): number;
  /** SCALE operations so far, oldest first. */
  scalings(): readonly VnfLcmOpOccDocument[];
  alarms(): readonly string[];
  /** Another leader takes over, with nothing but what is in the store. */
  restart(): Promise<void>;
}

export async function createScalingBench(
  policy: WrittenPolicy | undefined = POLICY,
  limits: ScalingLimits = {},
  hosts: readonly { readonly hostId: string }[] = [{ hostId: 'h1' }, { hostId: 'h2' }],
): Promise<ScalingBench> {
  const bench = createLifecycleBench(hosts);
  const { store, clock, lifecycle } = bench;
  const monitoring = createMonitoring({ store, clock });
  const make = (): Scaling =>
    createScaling({
      store,
      lifecycle,
      services: bench.services,
      monitoring,
      clock,
      log: silentLogger,
      alarms: createFunctionAlarms(store, clock),
      limits,
    });
  const aspect: ScalingAspect = {
    aspect: 'load',
    deltas: { main: 1 },
    min: 1,
    max: 5,
    ...(policy === undefined ? {} : { policy }),
  };
  const metrics = { port: 'http', path: '/metrics', indicators: [{ name: 'load' }], everySeconds: 1 };
  const descriptor = buildFunction('worker', { units: [buildUnit({ metrics })], scaling: [aspect] });
  onboardFunction(store, descriptor);
  const vnfdId = descriptor.metadata.id;
  const { id } = lifecycle.vnf.create(DEFAULT_TENANT, { vnfdId, vnfInstanceName: 'worker' });
  lifecycle.vnf.instantiate(DEFAULT_TENANT, id, { flavourId: 'default' });
  await bench.converge();
  const sequences = new Map<string, number>();

  function ingest(
    hostId: HostId,
    values: readonly { unit: string; slot: number; generation: number }[],
    each: number,
  ) {
    const sequence = (sequences.get(hostId) ?? 0) + 1;
    sequences.set(hostId, sequence);
    const points = values.map((copy) => ({
      metric: 'load',
      unit: '1',
      timestamp: toTimestamp(clock.now()),
      value: each,
      subject: {
        tenant: DEFAULT_TENANT,
        vnfInstanceId: id,
        unit: copy.unit,
        generation: copy.generation,
        slot: copy.slot,
      },
    }));
    monitoring.ingestMeasurements(hostId, { bootId: 'boot', sequence }, { points });
  }

  const self: ScalingBench = {
    bench,
    monitoring,
    scaling: make(),
    id,
    async tell(each, { silent = [] } = {}) {
      const wanted = wantedVnfcs(store.get('vnf-instance', id)?.document.wanted ?? []);
      for (const [hostId, copies] of Map.groupBy(wanted, (copy) => copy.hostId))
        if (!silent.includes(hostId)) ingest(hostId, copies, each);
      await self.wait(1);
    },
    async wait(seconds) {
      await clock.advance(seconds * 1000);
      self.scaling.tick();
      await bench.converge();
    },
    copies: () => bench.hosts.flatMap((host) => host.running()).length,
    scalings: () =>
      lifecycle.opOccs
        .list(DEFAULT_TENANT)
        .map(({ document }) => document)
        .filter(({ operation }) => operation === 'SCALE')
        .toSorted((a, b) => a.startTime.localeCompare(b.startTime)),
    alarms: () =>
      [...store.list('alarm')]
        .filter(({ document }) => document.clearedAt === undefined)
        .map(({ document }) => document.name),
    async restart() {
      await self.scaling.stop();
      self.scaling = make();
      self.scaling.start();
      await bench.converge();
    },
  };
  self.scaling.start();
  return self;
}
