/** What a driver tells: hints, usage, output, the host. */
import { describe, expect, it, vi } from 'vitest';
import {
  eventually,
  newKey,
  nextFence,
  patience,
  run,
  sampleWorkload,
  type ConformanceSite,
} from '../conformance-site.ts';
import { instanceName, workloadId } from '../contract.ts';

export function describeObservation(siteOf: () => ConformanceSite): void {
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
      // In the first moments of a program the kernel counts no memory for it yet.
      await eventually(siteOf(), async () => {
        const { instances } = await siteOf().driver.usage(workload.key);
        expect(instances.map(({ slot }) => slot)).toEqual([0, 1]);
        for (const { cpuSeconds, memoryBytes } of instances) {
          expect(cpuSeconds).toBeGreaterThanOrEqual(0);
          expect(memoryBytes).toBeGreaterThan(0);
        }
      });
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
