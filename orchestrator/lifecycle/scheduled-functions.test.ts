import { describe, expect, it } from 'vitest';
import { DEFAULT_TENANT, type HostId } from '../../kernel/index.ts';
import type { IoTFunctionDescriptor, RunSchedule } from '../../descriptors/index.ts';
import { buildFunction, buildUnit } from '../../test/kit/descriptor-builder.ts';
import { createLifecycleBench, type LifecycleBench } from '../../test/kit/lifecycle-bench.ts';
import { onboardFunction } from '../../test/kit/simulated-host.ts';
import type { ScheduledRunState } from '../../vim-drivers/index.ts';

function scheduled(
  schedule: Partial<RunSchedule> = {},
  changes: Partial<IoTFunctionDescriptor> = {},
): IoTFunctionDescriptor {
  return buildFunction('report', {
    run: {
      mode: 'schedule',
      cron: '0 3 * * *',
      timeZone: 'UTC',
      concurrency: 'forbid',
      atMost: 1,
      startWithinSeconds: 600,
      history: { completed: 3, failed: 3 },
      ...schedule,
    },
    ...changes,
  });
}

async function deploy(bench: LifecycleBench, descriptor = scheduled()): Promise<string> {
  onboardFunction(bench.store, descriptor);
  const { id } = bench.lifecycle.vnf.create(DEFAULT_TENANT, { vnfdId: descriptor.metadata.id });
  const operation = bench.lifecycle.vnf.instantiate(DEFAULT_TENANT, id, { flavourId: 'default' });
  await bench.converge();
  expect(bench.lifecycle.opOccs.get(DEFAULT_TENANT, operation).document.state).toBe('COMPLETED');
  return id;
}

/** The host says how the last run went. */
async function tell(bench: LifecycleBench, ...states: readonly ScheduledRunState[]): Promise<void> {
  const runs = states.map((state) => ({
    scheduledAt: '2030-01-01T03:00:00.000Z',
    cause: 'SCHEDULE' as const,
    state,
    ...(state === 'FAILED' ? { reason: 'exited with code 3' } : {}),
  }));
  for (const { id, tenant, document } of Array.from(bench.store.list('observed'))) {
    const workload = { ...document.workload, schedule: { isPaused: false, missed: 0, runs } };
    bench.store.commit([{ op: 'put', kind: 'observed', id, tenant, document: { ...document, workload } }]);
  }
  await bench.converge();
}

async function drain(bench: LifecycleBench, hostId: string): Promise<void> {
  const host = bench.store.get('host', hostId);
  if (host === undefined) throw new RangeError(`${hostId} is not enrolled`);
  const document = { ...host.document, draining: true };
  bench.store.commit([{ op: 'put', kind: 'host', id: hostId, tenant: host.tenant, document }]);
  await bench.converge();
}

const states = (bench: LifecycleBench): readonly string[] =>
  bench.hosts.flatMap((host) => host.running().map((name) => `${host.hostId} ${name}`));

describe('a function that runs by a schedule', () => {
  it('is instantiated once its host has taken the schedule over, and well from then on', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }]);
    const id = await deploy(bench);
    const [copy] = bench.lifecycle.viewVnfcs(bench.lifecycle.vnf.get(DEFAULT_TENANT, id));
    expect(copy).toMatchObject({ state: 'SCHEDULED', hostId: 'h1' });
    expect(bench.standingAlarms.size).toBe(0);
  });

  it('raises an alarm when a run has failed, which one that was missed leaves and one that completes clears', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }]);
    await deploy(bench);
    await tell(bench, 'FAILED');
    expect(bench.alarms.at(-1)).toMatchObject({
      name: 'scheduled-run-failed',
      hostId: 'h1',
      text: 'the run of main on h1 of 2030-01-01T03:00:00.000Z failed: exited with code 3',
    });
    await tell(bench, 'MISSED', 'FAILED');
    expect([...bench.standingAlarms]).toEqual(['scheduled-run-failed']);
    await tell(bench, 'RUNNING', 'COMPLETED', 'FAILED');
    expect([...bench.standingAlarms]).toEqual([]);
  });

  it('is started now by a heal, in place', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }, { hostId: 'h2' }]);
    const id = await deploy(bench);
    bench.lifecycle.vnf.heal(DEFAULT_TENANT, id, {});
    await bench.converge();
    expect(states(bench)).toEqual([`h1 ${id}-main-g1-0@2 SCHEDULED`]);
  });

  it('moves from a host that is lost', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }, { hostId: 'h2' }]);
    await deploy(bench);
    bench.host('h1').isSilent = true;
    bench.liveness.silence.set('h1' as HostId, 1e9);
    await bench.converge();
    expect(bench.host('h2').running()).toHaveLength(1);
  });

  it('leaves a host that is being drained at once between two runs, and is there nowhere twice', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }, { hostId: 'h2' }]);
    await deploy(bench);
    bench.host('h1').isSilent = true;
    await drain(bench, 'h1');
    expect(bench.host('h2').running()).toEqual([]);
    bench.host('h1').isSilent = false;
    await bench.converge();
    expect([bench.host('h1').running().length, bench.host('h2').running().length]).toEqual([0, 1]);
  });

  it('leaves a host that is being drained at the end of a run that has a time limit, and else at once', async () => {
    for (const [limit, staysFor] of [
      [{ timeLimitSeconds: 60 }, 1],
      [{}, 0],
    ] as const) {
      const bench = createLifecycleBench([{ hostId: 'h1' }, { hostId: 'h2' }]);
      await deploy(bench, scheduled(limit));
      bench.host('h1').strike('', 'RUNNING');
      await bench.converge();
      await drain(bench, 'h1');
      expect(bench.host('h1').running()).toHaveLength(staysFor);
      bench.host('h1').strike('', 'SCHEDULED');
      await bench.converge();
      expect([bench.host('h1').running().length, bench.host('h2').running().length]).toEqual([0, 1]);
    }
  });

  it('has one version at a time: another comes when the one before is gone, and no other way is taken', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }], { stallMilliseconds: 1000 });
    const old = scheduled();
    const id = await deploy(bench, old);
    const next = {
      ...old,
      metadata: { ...old.metadata, id: 'vnfd-report-2', softwareVersion: '2.0.0' },
      upgrade: { ...old.upgrade, healthyForSeconds: 0 },
    };
    onboardFunction(bench.store, next, DEFAULT_TENANT, 'pkg-report-2');
    const change = (upgrade?: object) =>
      bench.lifecycle.vnf.changePackage(DEFAULT_TENANT, id, {
        vnfdId: next.metadata.id,
        ...(upgrade === undefined ? {} : { additionalParams: { upgrade } }),
      });
    expect(() => change({ strategy: 'rolling' })).toThrow(/runs by a schedule.*use recreate/);
    const operation = change();
    await bench.converge();
    expect(bench.lifecycle.opOccs.get(DEFAULT_TENANT, operation).document.state).toBe('COMPLETED');
    expect(bench.host('h1').starts.map((start) => start.slice(id.length))).toEqual([
      '-main-g1-0@1',
      '-main-g2-0@2',
    ]);
  });

  it('takes the room of as many runs as may go on at once', async () => {
    const memoryBytes = 2 ** 30;
    const bench = createLifecycleBench([{ hostId: 'h1' }]);
    const units = [buildUnit({ resources: { cpuMillis: 10, memoryBytes } })];
    onboardFunction(bench.store, scheduled({ concurrency: 'allow', atMost: 3 }, { units }));
    const { id } = bench.lifecycle.vnf.create(DEFAULT_TENANT, { vnfdId: 'vnfd-report' });
    const plan = bench.lifecycle.vnf.planInstantiation(DEFAULT_TENANT, id, {
      flavourId: 'default',
    });
    expect(plan.fits).toBe(false);
    await deploy(bench, scheduled({ concurrency: 'allow', atMost: 2 }, { units }));
  });
});
