import { beforeEach, describe, expect, it } from 'vitest';
import { createFakeClock, type FakeClock } from '../../test/kit/fake-clock.ts';
import { nextFence, sampleWorkload } from '../conformance-site.ts';
import type { Workload } from '../contract.ts';
import { createFakeDriver, createFakeWorld, type FakeDriver, type FakeWorld } from './index.ts';

const sample = (slots: readonly number[] = [0]): Workload =>
  sampleWorkload({ artifact: (command) => ({ type: 'process', command }) }, { slots });

describe('the switches of the fake driver', () => {
  let clock: FakeClock;
  let world: FakeWorld;
  let driver: FakeDriver;
  const openDriver = (): FakeDriver => {
    const [hostId] = world.hostIds;
    if (hostId === undefined) throw new Error('the world has no host');
    return createFakeDriver({ world, hostId, pace: { startMilliseconds: 1000 } });
  };
  const slots = async (): Promise<number[]> =>
    (await driver.list()).flatMap(({ instances }) => instances.map(({ slot }) => slot));

  beforeEach(() => {
    clock = createFakeClock();
    world = createFakeWorld({ clock });
    driver = openDriver();
  });

  it('refuse: the next calls fail with that error and change nothing', async () => {
    driver.failures.refuse = { code: 'driver-failed', times: 1 };
    await expect(driver.apply(sample(), nextFence())).rejects.toMatchObject({ code: 'driver-failed' });
    expect(await slots()).toEqual([]);
    await driver.apply(sample(), nextFence());
    expect(await slots()).toEqual([0]);
  });

  it('lose: the call takes effect, and the caller sees a timeout', async () => {
    driver.failures.lose = 1;
    await expect(driver.apply(sample(), nextFence())).rejects.toMatchObject({ code: 'timeout' });
    expect(await slots()).toEqual([0]);
  });

  it('duplicate: the call arrives twice, which is once', async () => {
    driver.failures.duplicate = 1;
    await driver.apply(sample([0, 1]), nextFence());
    expect(await slots()).toEqual([0, 1]);
  });

  it('slow: every call takes its time', async () => {
    driver.failures.slowMilliseconds = 500;
    let isDone = false;
    void driver.apply(sample(), nextFence()).then(() => {
      isDone = true;
    });
    await clock.advance(499);
    expect(isDone).toBe(false);
    await clock.advance(1);
    expect(isDone).toBe(true);
  });

  it('crash: leaves half the work, answers nothing more, and what is opened anew finds the half and completes it', async () => {
    const workload = sample([0, 1, 2]);
    driver.failures.crashAfterSteps = 4;
    await expect(driver.apply(workload, nextFence())).rejects.toMatchObject({ code: 'unavailable' });
    await expect(driver.list()).rejects.toMatchObject({ code: 'unavailable' });
    driver = openDriver();
    expect(await slots()).toEqual([0, 1]);
    await driver.apply(workload, nextFence());
    expect(await slots()).toEqual([0, 1, 2]);
  });

  it('unreachable: nothing gets through until it is', async () => {
    driver.failures.isUnreachable = true;
    await expect(driver.list()).rejects.toMatchObject({ code: 'unavailable' });
    driver.failures.isUnreachable = false;
    expect(await slots()).toEqual([]);
  });

  it('starts take as long as they are told to', async () => {
    await driver.apply(sample(), nextFence());
    const state = async (): Promise<string | undefined> => (await driver.list())[0]?.instances[0]?.state;
    expect(await state()).toBe('STARTING');
    await clock.advance(1000);
    expect(await state()).toBe('RUNNING');
  });
});

describe('a fake world', () => {
  it('holds a hundred thousand hosts, each as it was described', async () => {
    const world = createFakeWorld({
      clock: createFakeClock(),
      hosts: 100_000,
      describe: (number) => ({
        tier: number % 10 === 0 ? 'cloud' : 'device-edge',
        labels: { site: `s${number % 50}` },
      }),
    });
    const workload = sample();
    let cloud = 0;
    for (const hostId of world.hostIds) {
      const driver = createFakeDriver({ world, hostId });
      const [host] = await driver.inventory();
      if (host?.tier === 'cloud') cloud += 1;
      await driver.apply(workload, { leaseNumber: 1, revision: 1 });
    }
    expect(cloud).toBe(10_000);
    const last = world.hostIds.at(-1);
    if (last === undefined) throw new Error('the world has no host');
    expect(await createFakeDriver({ world, hostId: last }).list()).toHaveLength(1);
  });
});
