/** What every driver does with workloads, whatever they run. */
import { describe, expect, it, vi } from 'vitest';
import { instanceName, workloadId } from './contract.ts';
import {
  find,
  newKey,
  nextFence,
  only,
  patience,
  run,
  runsOf,
  sampleWorkload,
  shell,
  until,
  untilOtherRun,
  untilRunning,
  NO_BINDINGS,
  type ConformanceSite,
} from './conformance-site.ts';

const JOB = ['sh', '-c', 'echo done'] as const;

export function describeLifecycle(siteOf: () => ConformanceSite, slowness: number): void {
  describe('apply', () => {
    it('makes the instances run', async () => {
      const workload = sampleWorkload(siteOf(), { slots: [0, 1] });
      const instances = await run(siteOf(), workload);
      expect(instances.map(({ slot, epoch, restarts }) => ({ slot, epoch, restarts }))).toEqual([
        { slot: 0, epoch: 1, restarts: 0 },
        { slot: 1, epoch: 1, restarts: 0 },
      ]);
      expect(new Set(await runsOf(siteOf(), workload.key, [0, 1])).size).toBe(2);
    });

    it('twice is once', async () => {
      const workload = sampleWorkload(siteOf());
      const before = await run(siteOf(), workload);
      const runs = await runsOf(siteOf(), workload.key);
      await siteOf().driver.apply(workload, nextFence());
      await siteOf().driver.apply(workload, nextFence());
      expect(await untilRunning(siteOf(), workload)).toEqual(before);
      expect(await runsOf(siteOf(), workload.key)).toEqual(runs);
    });

    it('holds two generations of a unit side by side', async () => {
      const old = sampleWorkload(siteOf());
      const young = sampleWorkload(siteOf(), { key: { ...old.key, generation: 2 } });
      await run(siteOf(), old);
      const oldRuns = await runsOf(siteOf(), old.key);
      await run(siteOf(), young);
      const youngRuns = await runsOf(siteOf(), young.key);
      expect(await runsOf(siteOf(), old.key)).toEqual(oldRuns);
      await siteOf().driver.remove(old.key, nextFence());
      expect(await find(siteOf(), old.key)).toBeUndefined();
      await untilRunning(siteOf(), young);
      expect(await runsOf(siteOf(), young.key)).toEqual(youngRuns);
    });

    it('keeps the right slots when their number goes down and up', async () => {
      const key = newKey();
      await run(siteOf(), sampleWorkload(siteOf(), { key, slots: [0, 1, 2] }));
      const [zero, one, two] = await runsOf(siteOf(), key, [0, 1, 2]);
      await run(siteOf(), sampleWorkload(siteOf(), { key, slots: [0, 2] }));
      expect(await runsOf(siteOf(), key, [0, 2])).toEqual([zero, two]);
      expect(await siteOf().runOf(key, 1)).toBeUndefined();
      await run(siteOf(), sampleWorkload(siteOf(), { key, slots: [0, 1, 2] }));
      const [zeroAgain, oneAgain, twoAgain] = await runsOf(siteOf(), key, [0, 1, 2]);
      expect([zeroAgain, twoAgain]).toEqual([zero, two]);
      expect(oneAgain).not.toBe(one);
    });

    it('replaces only the copy whose epoch has grown', async () => {
      const workload = sampleWorkload(siteOf(), { slots: [0, 1] });
      await run(siteOf(), workload);
      const [zero, one] = await runsOf(siteOf(), workload.key, [0, 1]);
      const healed = {
        ...workload,
        instances: [
          { slot: 0, epoch: 1 },
          { slot: 1, epoch: 2 },
        ],
      };
      await siteOf().driver.apply(healed, nextFence());
      const after = await untilOtherRun(siteOf(), workload.key, one, 1);
      expect(after).toMatchObject({ epoch: 2, restarts: 0 });
      expect(await siteOf().runOf(workload.key, 0)).toBe(zero);
    });

    it('replaces the copies when the spec of a generation differs', async () => {
      const workload = sampleWorkload(siteOf());
      await run(siteOf(), workload);
      const [before] = await runsOf(siteOf(), workload.key);
      const other = sampleWorkload(siteOf(), { key: workload.key, spec: { env: { OTHER: 'yes' } } });
      await siteOf().driver.apply(other, nextFence());
      await untilOtherRun(siteOf(), workload.key, before);
      const after = await find(siteOf(), workload.key);
      expect(after?.instances).toHaveLength(1);
      expect(after?.specHash).toBe(other.specHash);
    });

    it(
      'takes sixty workloads at once, and lets go of them at once',
      async () => {
        const workloads = Array.from({ length: 60 }, () => sampleWorkload(siteOf()));
        const fence = nextFence();
        await Promise.all(workloads.map((workload) => siteOf().driver.apply(workload, fence)));
        await vi.waitFor(
          async () => {
            const states = (await siteOf().driver.list()).map(({ instances }) => only(instances).state);
            expect(states).toEqual(workloads.map(() => 'RUNNING'));
          },
          { timeout: patience(siteOf(), 30_000), interval: 50 },
        );
        const last = nextFence();
        await Promise.all(workloads.map(({ key }) => siteOf().driver.remove(key, last)));
        expect(await siteOf().driver.list()).toEqual([]);
        expect(await siteOf().traces(...workloads.map(({ key }) => key))).toEqual([]);
      },
      60_000 * slowness,
    );
  });

  describe('remove', () => {
    it('leaves nothing, and is the same when repeated', async () => {
      const workload = sampleWorkload(siteOf(), { slots: [0, 1] });
      await run(siteOf(), workload);
      expect(await siteOf().traces(workload.key)).not.toEqual([]);
      await siteOf().driver.remove(workload.key, nextFence());
      await siteOf().driver.remove(workload.key, nextFence());
      expect(await find(siteOf(), workload.key)).toBeUndefined();
      expect(await siteOf().traces(workload.key)).toEqual([]);
    });

    it('of what was never there is no error', async () => {
      await siteOf().driver.remove(newKey(), nextFence());
      expect(await siteOf().driver.list()).toEqual([]);
    });

    it('right after apply leaves nothing either', async () => {
      const workload = sampleWorkload(siteOf(), { slots: [0, 1, 2] });
      await siteOf().driver.apply(workload, nextFence());
      await siteOf().driver.remove(workload.key, nextFence());
      expect(await siteOf().traces(workload.key)).toEqual([]);
    });

    it('does not touch what is not ours', async () => {
      const isThere = await siteOf().plantForeign();
      const workload = sampleWorkload(siteOf());
      await run(siteOf(), workload);
      expect((await siteOf().driver.list()).map(({ key }) => workloadId(key))).toEqual([
        workloadId(workload.key),
      ]);
      await siteOf().driver.remove(workload.key, nextFence());
      expect(await isThere()).toBe(true);
    });
  });

  describe('a command of a deposed leader', () => {
    it('is refused and changes nothing, also after the driver was opened anew', async () => {
      const workload = sampleWorkload(siteOf());
      await siteOf().driver.apply(workload, { leaseNumber: 7, revision: 10_000_000 });
      const before = await untilRunning(siteOf(), workload);
      const check = async (): Promise<void> => {
        const stale = { leaseNumber: 6, revision: 20_000_000 };
        await expect(siteOf().driver.remove(workload.key, stale)).rejects.toMatchObject({
          code: 'stale-lease',
        });
        const older = { leaseNumber: 7, revision: 9_999_999 };
        await expect(siteOf().driver.apply({ ...workload, instances: [] }, older)).rejects.toMatchObject({
          code: 'stale-lease',
        });
        expect(await untilRunning(siteOf(), workload)).toEqual(before);
      };
      await check();
      await siteOf().reopen();
      await check();
      await siteOf().driver.remove(workload.key, { leaseNumber: 8, revision: 1 });
      expect(await siteOf().traces(workload.key)).toEqual([]);
    });
  });

  describe('a driver opened anew', () => {
    it('finds what runs, the same runs in the same states', async () => {
      const workload = sampleWorkload(siteOf(), { slots: [0, 3] });
      const before = await run(siteOf(), workload);
      const runs = await runsOf(siteOf(), workload.key, [0, 3]);
      await siteOf().reopen();
      expect(await find(siteOf(), workload.key)).toEqual({
        key: workload.key,
        specHash: workload.specHash,
        instances: before,
      });
      await siteOf().driver.apply(workload, nextFence());
      expect(await untilRunning(siteOf(), workload)).toEqual(before);
      expect(await runsOf(siteOf(), workload.key, [0, 3])).toEqual(runs);
      await siteOf().driver.remove(workload.key, nextFence());
      expect(await siteOf().traces(workload.key)).toEqual([]);
    });
  });

  describe('an instance that ends', () => {
    it('is started again at once, and the reason and the number of restarts are told', async () => {
      const workload = sampleWorkload(siteOf());
      const before = only(await run(siteOf(), workload));
      const [first] = await runsOf(siteOf(), workload.key);
      await siteOf().crash(workload.key, before);
      const after = await untilOtherRun(siteOf(), workload.key, first);
      expect(after.restarts).toBe(1);
      expect(after.epoch).toBe(before.epoch);
    });

    it('is given up after the limit, in words, until it is healed', async () => {
      const workload = sampleWorkload(siteOf(), {
        spec: { restart: { withinSeconds: 60, times: 1, backoffMinSeconds: 0.05, backoffMaxSeconds: 0.1 } },
      });
      const before = only(await run(siteOf(), workload));
      const [first] = await runsOf(siteOf(), workload.key);
      await siteOf().crash(workload.key, before);
      const second = await untilOtherRun(siteOf(), workload.key, first);
      await siteOf().crash(workload.key, second);
      const failed = only(await until(siteOf(), workload.key, ([one]) => one?.state === 'FAILED'));
      expect(failed.reason).toMatch(/(killed by SIGKILL|exited with code \d+).*not started again/);
      expect(await siteOf().runOf(workload.key, 0)).toBeUndefined();
      await siteOf().reopen();
      expect((await find(siteOf(), workload.key))?.instances).toEqual([failed]);
      await siteOf().driver.apply({ ...workload, instances: [{ slot: 0, epoch: 2 }] }, nextFence());
      const healed = only(await until(siteOf(), workload.key, ([one]) => one?.state === 'RUNNING'));
      expect(healed).toMatchObject({ epoch: 2, restarts: 0 });
    });
  });

  describe('a job', () => {
    it('is completed when it has ended well, and not run again', async () => {
      const workload = sampleWorkload(siteOf(), { command: JOB, spec: { run: { mode: 'job' } } });
      await siteOf().driver.apply(workload, nextFence());
      const done = only(await until(siteOf(), workload.key, ([one]) => one?.state === 'COMPLETED'));
      expect(done).toMatchObject({ exitCode: 0, restarts: 0 });
      await siteOf().driver.apply(workload, nextFence());
      await siteOf().reopen();
      expect((await find(siteOf(), workload.key))?.instances).toEqual([done]);
    });
  });

  describe('ports that the host chooses', () => {
    it('differ between instances, and stay the same over crashes and drivers', async () => {
      const ports = [{ name: 'http', protocol: 'tcp', expose: false } as const];
      const workload = sampleWorkload(siteOf(), { slots: [0, 1], spec: { ports } });
      const before = await run(siteOf(), workload);
      const numbers = before.map((instance) => instance.ports['http']);
      expect(new Set(numbers).size).toBe(2);
      expect(numbers.every((number) => Number.isInteger(number) && Number(number) > 1023)).toBe(true);
      await siteOf().crash(workload.key, only(before));
      await until(siteOf(), workload.key, ([one]) => one?.state === 'RUNNING' && one.restarts === 1);
      await siteOf().reopen();
      const after = await untilRunning(siteOf(), workload);
      expect(after.map((instance) => instance.ports['http'])).toEqual(numbers);
    });
  });

  describe('changed bindings', () => {
    const changed = { ...NO_BINDINGS, config: { level: 'debug' } };

    it('restart the instance where the descriptor says so, without counting as a crash', async () => {
      const bindings = { path: 'bindings.json', onChange: 'restart' } as const;
      const workload = sampleWorkload(siteOf(), { spec: { bindings } });
      const before = only(await run(siteOf(), workload));
      const [first] = await runsOf(siteOf(), workload.key);
      await siteOf().driver.apply({ ...workload, bindings: changed }, nextFence());
      const after = await untilOtherRun(siteOf(), workload.key, first);
      expect(after.epoch).toBe(before.epoch);
    });

    it('leave the instance running where it reloads them', async () => {
      const bindings = { path: 'bindings.json', onChange: 'reload' } as const;
      const command = shell('trap "echo reloaded" HUP');
      const workload = sampleWorkload(siteOf(), { command, spec: { bindings } });
      await run(siteOf(), workload);
      const runs = await runsOf(siteOf(), workload.key);
      await siteOf().driver.apply({ ...workload, bindings: changed }, nextFence());
      await siteOf().driver.apply({ ...workload, bindings: changed }, nextFence());
      const after = only(await untilRunning(siteOf(), workload));
      expect(await runsOf(siteOf(), workload.key)).toEqual(runs);
      expect(after.restarts).toBe(0);
    });
  });

  describe('observation', () => {
    it('hints that something changed, until nobody watches', async () => {
      const onChange = vi.fn<() => void>();
      const unwatch = siteOf().driver.watch(onChange);
      const workload = sampleWorkload(siteOf());
      await run(siteOf(), workload);
      expect(onChange).toHaveBeenCalled();
      unwatch();
      onChange.mockClear();
      await siteOf().driver.remove(workload.key, nextFence());
      expect(onChange).not.toHaveBeenCalled();
    });

    it('measures every running instance, and nothing of an unknown workload', async () => {
      const workload = sampleWorkload(siteOf(), { slots: [0, 1] });
      await run(siteOf(), workload);
      const { instances } = await siteOf().driver.usage(workload.key);
      expect(instances.map(({ slot }) => slot)).toEqual([0, 1]);
      for (const { cpuSeconds, memoryBytes } of instances) {
        expect(cpuSeconds).toBeGreaterThanOrEqual(0);
        expect(memoryBytes).toBeGreaterThan(0);
      }
      expect(await siteOf().driver.usage(newKey())).toEqual({ instances: [] });
    });

    it('gives output, and refuses to for a slot that is not there', async () => {
      const workload = sampleWorkload(siteOf());
      await run(siteOf(), workload);
      const read = async (slot: number): Promise<number> => {
        let bytes = 0;
        for await (const chunk of siteOf().driver.logs(workload.key, { slot, follow: false }))
          bytes += chunk.length;
        return bytes;
      };
      await vi.waitFor(async () => expect(await read(0)).toBeGreaterThan(0), {
        timeout: patience(siteOf(), 5000),
      });
      await expect(read(9)).rejects.toMatchObject({ code: 'not-found' });
      expect(instanceName(workload.key, 9)).toBe(`${workloadId(workload.key)}-9`);
    });

    it('describes the host with figures that placement can use', async () => {
      const [host] = await siteOf().driver.inventory();
      expect(host?.capacity.cpuMillis).toBeGreaterThan(0);
      expect(host?.allocatable.memoryBytes).toBeLessThanOrEqual(host?.capacity.memoryBytes ?? 0);
      expect(host?.address).not.toBe('');
      expect((await siteOf().driver.capabilities()).artifactTypes).not.toEqual([]);
    });
  });
}
