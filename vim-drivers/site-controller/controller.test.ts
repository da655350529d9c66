import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFakeClock, type FakeClock } from '../../test/kit/fake-clock.ts';
import { silentLogger } from '../../kernel/index.ts';
import { nextFence, sampleWorkload } from '../conformance-site.ts';
import type { Fence, ObservedWorkload, Workload } from '../contract.ts';
import { createFakeDriver, createFakeWorld, type FakeDriver, type FakeWorld } from '../fake/index.ts';
import { createSiteController, createVolatileBook, type ScheduleBook, type SiteController } from './index.ts';

const ARTIFACT = { artifact: (command: readonly string[]) => ({ type: 'process', command }) as const };

function sample(options: Parameters<typeof sampleWorkload>[1] = {}): Workload {
  return sampleWorkload(ARTIFACT, options);
}

describe('the site controller', () => {
  let clock: FakeClock;
  let world: FakeWorld;
  let driver: FakeDriver;
  let controller: SiteController;
  let told: (readonly ObservedWorkload[])[];
  let fences: (Fence | undefined)[];

  const openController = (): void => {
    controller = createSiteController({
      driver,
      clock,
      log: silentLogger,
      schedules: createVolatileBook(),
      onObserved: (observed, fence) => {
        told.push(observed);
        fences.push(fence);
      },
      resyncMilliseconds: 5000,
    });
  };
  const openDriver = (): FakeDriver => {
    const [hostId] = world.hostIds;
    if (hostId === undefined) throw new Error('the world has no host');
    return createFakeDriver({ world, hostId });
  };
  const states = async (): Promise<Record<string, string[]>> => {
    const all = await driver.list();
    return Object.fromEntries(
      all.map(({ key, instances }) => [
        key.vnfInstanceId,
        instances.map(({ slot, state }) => `${slot} ${state}`),
      ]),
    );
  };

  beforeEach(() => {
    clock = createFakeClock();
    world = createFakeWorld({ clock });
    driver = openDriver();
    told = [];
    fences = [];
    openController();
  });
  afterEach(async () => {
    const closing = controller.close();
    await clock.advance(100);
    await closing;
  });

  // MCO-O-025
  it('makes the host run what is wanted, and nothing else of ours', async () => {
    const [one, two, three] = [sample({ slots: [0, 1] }), sample(), sample()];
    controller.setWanted([one, two], nextFence());
    await clock.advance(50);
    expect(await states()).toEqual({
      [one.key.vnfInstanceId]: ['0 RUNNING', '1 RUNNING'],
      [two.key.vnfInstanceId]: ['0 RUNNING'],
    });
    controller.setWanted([two, three], nextFence());
    await clock.advance(50);
    expect(Object.keys(await states()).toSorted()).toEqual(
      [two.key.vnfInstanceId, three.key.vnfInstanceId].toSorted(),
    );
  });

  // MCO-O-026
  it('removes nothing before something was wanted, and tells at once what there is', async () => {
    const running = sample();
    await driver.apply(running, nextFence());
    const seen: (readonly ObservedWorkload[])[] = [];
    const second = createSiteController({
      driver,
      clock,
      log: silentLogger,
      schedules: createVolatileBook(),
      onObserved: (observed) => seen.push(observed),
    });
    await clock.advance(60_000);
    expect(Object.keys(await states())).toEqual([running.key.vnfInstanceId]);
    expect(seen.at(-1)?.map(({ key }) => key)).toEqual([running.key]);
    second.setWanted([], nextFence());
    await clock.advance(50);
    expect(await states()).toEqual({});
    const closing = second.close();
    await clock.advance(100);
    await closing;
  });

  it('tells of a workload that is no longer wanted as long as an order to start it is under way', async () => {
    const workload = sample();
    driver.failures.slowMilliseconds = 1000;
    controller.setWanted([workload], nextFence());
    await clock.advance(1500);
    const fence = nextFence();
    controller.setWanted([], fence);
    await clock.advance(1100);
    const reflecting = (): readonly (readonly ObservedWorkload[])[] =>
      told.filter((_observed, index) => fences[index] === fence);
    expect(reflecting().length).toBeGreaterThan(0);
    expect(reflecting().every(([only]) => only?.key === workload.key)).toBe(true);
    driver.failures.slowMilliseconds = 0;
    await clock.advance(10_000);
    expect(reflecting().at(-1)).toEqual([]);
    expect(await states()).toEqual({});
  });

  // MCO-O-035
  it('tells which wanted state it reflects, also where that changes nothing', async () => {
    const fence = nextFence();
    controller.setWanted([], fence);
    await clock.advance(50);
    expect([told.at(-1), fences.at(-1)]).toEqual([[], fence]);
  });

  it('tells what is only when it changed', async () => {
    const workload = sample();
    controller.setWanted([workload], nextFence());
    await clock.advance(50);
    const count = told.length;
    await clock.advance(60_000);
    expect(told).toHaveLength(count);
    driver.crashInstance(workload.key, 0, 1);
    await clock.advance(50);
    expect(told).toHaveLength(count + 1);
    expect(told.at(-1)?.[0]?.instances[0]?.restarts).toBe(1);
  });

  it('mends what it was not told of at the next look', async () => {
    const workload = sample();
    controller.setWanted([workload], nextFence());
    await clock.advance(50);
    const [hostId] = world.hostIds;
    if (hostId !== undefined) world.host(hostId).workloads.clear();
    await clock.advance(5100);
    expect(Object.keys(await states())).toEqual([workload.key.vnfInstanceId]);
  });

  it('tries again after a transient error, less and less often, while others go on', async () => {
    driver.failures.refuse = { code: 'unavailable', times: 3 };
    const [one, two] = [sample(), sample()];
    controller.setWanted([one, two], nextFence());
    await clock.advance(50);
    expect(told.at(-1)?.every(({ problem }) => problem?.includes('refuse'))).toBe(true);
    await clock.advance(5000);
    expect(Object.keys(await states())).toHaveLength(2);
    expect(told.at(-1)?.every(({ problem }) => problem === undefined)).toBe(true);
  });

  // MCO-O-027
  it('shows a terminal error as the problem of the workload, and tries again only something else', async () => {
    driver.failures.refuse = { code: 'artifact-unusable', times: 1000 };
    const workload = sample();
    controller.setWanted([workload], nextFence());
    await clock.advance(600_000);
    expect(driver.failures.refuse.times).toBe(999);
    expect(told.at(-1)).toMatchObject([{ key: workload.key, instances: [], problem: /refuse/ }]);
    driver.failures.refuse = undefined;
    controller.setWanted([{ ...workload, specHash: 'sha256:other' }], nextFence());
    await clock.advance(50);
    expect(told.at(-1)?.[0]?.problem).toBeUndefined();
  });

  it('gets there although answers are lost, calls arrive twice and the driver crashes between its steps', async () => {
    const wanted = Array.from({ length: 8 }, () => sample({ slots: [0, 1] }));
    driver.failures.lose = 3;
    driver.failures.duplicate = 5;
    controller.setWanted(wanted, nextFence());
    await clock.advance(30_000);
    driver.failures.crashAfterSteps = 4;
    const fewer = wanted.slice(3).map((workload) => ({ ...workload, instances: [{ slot: 1, epoch: 2 }] }));
    const fence = nextFence();
    controller.setWanted(fewer, fence);
    await clock.advance(1000);
    const closing = controller.close();
    await clock.advance(100);
    await closing;
    driver = openDriver();
    openController();
    controller.setWanted(fewer, fence);
    await clock.advance(10_000);
    expect(await states()).toEqual(
      Object.fromEntries(fewer.map(({ key }) => [key.vnfInstanceId, ['1 RUNNING']])),
    );
  });

  it('stops acting when a newer leader has been here, until it has a newer command itself', async () => {
    const [one, two] = [sample(), sample()];
    await driver.apply(two, { leaseNumber: 9, revision: 1 });
    controller.setWanted([one], { leaseNumber: 8, revision: 5 });
    await clock.advance(600_000);
    expect(Object.keys(await states())).toEqual([two.key.vnfInstanceId]);
    controller.setWanted([one], { leaseNumber: 10, revision: 1 });
    await clock.advance(50);
    expect(Object.keys(await states())).toEqual([one.key.vnfInstanceId]);
  });

  it('lets what the lease had stopped start again only if it is still wanted after the renewal', async () => {
    const spec = { stopAfterSeconds: 5 };
    const [stays, goes] = [sample({ spec }), sample({ spec })];
    controller.setWanted([stays, goes], nextFence());
    await controller.renewed();
    await clock.advance(50);
    expect(Object.keys(await states())).toHaveLength(2);
    await clock.advance(6000);
    expect(Object.values(await states())).toEqual([['0 STOPPED'], ['0 STOPPED']]);
    const seen: string[] = [];
    const unwatch = driver.watch(() => {
      void states().then((now) => seen.push(...(now[goes.key.vnfInstanceId] ?? [])));
    });
    controller.setWanted([stays], nextFence());
    await controller.renewed();
    await clock.advance(50);
    expect(await states()).toEqual({ [stays.key.vnfInstanceId]: ['0 RUNNING'] });
    expect(seen).not.toContain('0 RUNNING');
    unwatch();
  });

  it('survives a host that cannot be reached, and carries on when it can be again', async () => {
    driver.failures.isUnreachable = true;
    const workload = sample();
    controller.setWanted([workload], nextFence());
    await clock.advance(60_000);
    expect(told).toEqual([[]]);
    driver.failures.isUnreachable = false;
    await clock.advance(5100);
    expect(Object.keys(await states())).toEqual([workload.key.vnfInstanceId]);
  });

  it('holds a bound number of calls under way', async () => {
    driver.failures.slowMilliseconds = 100;
    const closing = controller.close();
    await clock.advance(500);
    await closing;
    let most = 0;
    let underWay = 0;
    const apply = driver.apply.bind(driver);
    driver.apply = async (...args) => {
      underWay += 1;
      most = Math.max(most, underWay);
      await apply(...args).finally(() => {
        underWay -= 1;
      });
    };
    controller = createSiteController({
      driver,
      clock,
      log: silentLogger,
      schedules: createVolatileBook(),
      onObserved: () => undefined,
      concurrency: 4,
    });
    controller.setWanted(
      Array.from({ length: 20 }, () => sample()),
      nextFence(),
    );
    await clock.advance(10_000);
    driver.failures.slowMilliseconds = 0;
    expect(most).toBe(4);
    expect(Object.keys(await states())).toHaveLength(20);
  });
});

describe('a scheduled workload', () => {
  const MINUTE = 60_000;
  let clock: FakeClock;
  let world: FakeWorld;
  let driver: FakeDriver;
  let controller: SiteController;
  let book: ScheduleBook;
  let told: readonly ObservedWorkload[];

  const open = (): void => {
    const [hostId] = world.hostIds;
    if (hostId === undefined) throw new Error('the world has no host');
    driver = createFakeDriver({ world, hostId, pace: { jobMilliseconds: 5 * MINUTE } });
    controller = createSiteController({
      driver,
      clock,
      log: silentLogger,
      schedules: book,
      onObserved: (observed) => (told = observed),
    });
  };
  const close = async (): Promise<void> => {
    const closing = controller.close();
    await clock.advance(100);
    await closing;
  };
  const nightly = (slots: readonly number[] = [0]): Workload =>
    sample({
      slots,
      spec: {
        run: {
          mode: 'schedule',
          cron: '*/10 * * * *',
          timeZone: 'UTC',
          concurrency: 'forbid',
          atMost: 1,
          startWithinSeconds: 120,
          history: { completed: 3, failed: 3 },
          pausedBy: 'paused',
        },
      },
    });
  const states = (): readonly string[] =>
    told.flatMap(({ instances }) => instances.map(({ slot, epoch, state }) => `${slot}@${epoch} ${state}`));
  const runs = (): readonly string[] =>
    told.flatMap(({ schedule }) =>
      (schedule?.runs ?? []).map(({ scheduledAt, state }) => `${scheduledAt.slice(11, 16)} ${state}`),
    );

  beforeEach(() => {
    clock = createFakeClock(Date.UTC(2030, 0, 1, 0, 5));
    world = createFakeWorld({ clock });
    book = createVolatileBook();
    told = [];
    open();
  });
  afterEach(close);

  // MCO-O-028 MCO-O-039
  it('is taken over with nothing running, starts by itself at its times, and is told in the epoch that is wanted', async () => {
    const workload = { ...nightly(), instances: [{ slot: 0, epoch: 7 }] };
    controller.setWanted([workload], nextFence());
    await clock.advance(MINUTE);
    expect(told).toMatchObject([
      {
        specHash: workload.specHash,
        schedule: { nextAt: '2030-01-01T00:10:00.000Z', isPaused: false, missed: 0 },
      },
    ]);
    expect(states()).toEqual(['0@7 SCHEDULED']);
    await clock.advance(4 * MINUTE + 100);
    expect(states()).toEqual(['0@7 RUNNING']);
    expect(runs()).toEqual(['00:10 RUNNING']);
    const [job] = await driver.list();
    expect(job?.instances).toMatchObject([{ slot: 0, epoch: 1, state: 'RUNNING' }]);
  });

  // MCO-O-028
  it('starts each time once, over any number of controllers that die', async () => {
    const workload = nightly();
    controller.setWanted([workload], nextFence());
    await clock.advance(5 * MINUTE + 100);
    for (let turn = 0; turn < 3; turn += 1) {
      await close();
      open();
      controller.setWanted([workload], nextFence());
      await clock.advance(1000);
    }
    const own = (await driver.list()).filter(({ key }) => key.vnfInstanceId === workload.key.vnfInstanceId);
    expect(own).toMatchObject([{ instances: [{ epoch: 1, state: 'RUNNING' }] }]);
    expect(runs()).toEqual(['00:10 RUNNING']);
  });

  it('goes on with what was noted when nothing can be noted, and starts nothing new', async () => {
    const workload = nightly();
    controller.setWanted([workload], nextFence());
    await clock.advance(MINUTE);
    const { put } = book;
    book.put = () => Promise.reject(new Error('no space left on device'));
    await clock.advance(4 * MINUTE + 10_000);
    expect(states()).toEqual(['0@1 SCHEDULED']);
    book.put = put;
    await clock.advance(6000);
    expect(states()).toEqual(['0@1 RUNNING']);
  });

  it('does not start while it is paused, and the function is not told', async () => {
    const workload = nightly();
    const bindings = { ...workload.bindings, config: { paused: true, level: 'info' } };
    controller.setWanted([{ ...workload, bindings }], nextFence());
    await clock.advance(10 * MINUTE);
    expect(told).toMatchObject([{ schedule: { isPaused: true, runs: [] } }]);
    controller.setWanted([workload], nextFence());
    await clock.advance(6 * MINUTE);
    expect(runs()).toEqual(['00:20 RUNNING']);
  });

  it('is stopped and forgotten when it is no longer wanted', async () => {
    controller.setWanted([nightly()], nextFence());
    await clock.advance(5 * MINUTE + 100);
    controller.setWanted([], nextFence());
    await clock.advance(10_000);
    expect(await driver.list()).toEqual([]);
    expect(told).toEqual([]);
    await clock.advance(6 * MINUTE);
    expect(book.ids()).toEqual([]);
  });

  it('takes up where the version before was, with its history', async () => {
    const old = nightly();
    controller.setWanted([old], nextFence());
    await clock.advance(5 * MINUTE + 100);
    controller.setWanted([], nextFence());
    await clock.advance(10_000);
    const next = { ...old, key: { ...old.key, generation: old.key.generation + 1 } };
    controller.setWanted([next], nextFence());
    await clock.advance(1000);
    expect(runs()).toEqual(['00:10 STOPPED']);
    await clock.advance(10 * MINUTE);
    expect(runs()).toEqual(['00:20 RUNNING', '00:10 STOPPED']);
  });
});
