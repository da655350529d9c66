/** Output and usage of programs. */
import { describe, expect, it } from 'vitest';
import {
  eventually,
  nextFence,
  outputOf,
  programsOf,
  run,
  sampleWorkload,
  shell,
  until,
  untilOutput,
  type ConformanceSite,
} from '../conformance-site.ts';

/** Takes 80 MiB and more than a second of CPU time, then rests. */
const USER_OF_RESOURCES = [
  'node',
  '-e',
  `process.on('SIGTERM', () => process.exit(0));
   globalThis.kept = Buffer.alloc(80 << 20, 1);
   const used = () => process.cpuUsage().user + process.cpuUsage().system;
   while (used() < 1.3e6);
   console.log('used');
   setInterval(() => undefined, 1000);`,
] as const;

/** Tools round to seconds, and look a moment later. */
const CPU_TOLERANCE_SECONDS = 1.2;
/** Tools differ in whether they count pages that a program shares with others, and caches. */
const MEMORY_TOLERANCE_BYTES = 48 * 1024 ** 2;

export function describeProgramOutput(siteOf: () => ConformanceSite): void {
  describe('output', () => {
    it('can be cut to its last lines, and followed', async () => {
      const command = shell('i=0; while [ $i -lt 30 ]; do i=$((i+1)); echo "line $i"; sleep 0.02; done');
      const workload = sampleWorkload(siteOf(), { command });
      await run(siteOf(), workload);
      const abort = new AbortController();
      let followed = '';
      for await (const chunk of siteOf().driver.logs(workload.key, {
        slot: 0,
        follow: true,
        signal: abort.signal,
      })) {
        followed += Buffer.from(chunk).toString();
        if (followed.includes('line 30\n')) abort.abort();
      }
      expect(followed.match(/^line \d+$/gm)).toHaveLength(30);
      let tail = '';
      for await (const chunk of siteOf().driver.logs(workload.key, { slot: 0, follow: false, tailLines: 2 }))
        tail += Buffer.from(chunk).toString();
      expect(tail).toBe('line 29\nline 30\n');
      expect(await outputOf(siteOf(), workload.key)).toBe(followed);
    });

    it('comes from standard error too, and a follower is let go when the workload is removed', async () => {
      const workload = sampleWorkload(siteOf(), { command: shell('echo out; echo err >&2') });
      await run(siteOf(), workload);
      const output = await untilOutput(siteOf(), workload.key, /out[^]*err|err[^]*out/);
      expect(output.split('\n').toSorted()).toEqual(['', 'err', 'out']);
      let followed = '';
      const following = (async () => {
        for await (const chunk of siteOf().driver.logs(workload.key, { slot: 0, follow: true }))
          followed += Buffer.from(chunk).toString();
      })();
      await eventually(siteOf(), async () => expect(followed).toBe(output));
      await siteOf().driver.remove(workload.key, nextFence());
      await following;
    });
  });

  describe('output of an instance that was given up', () => {
    it('can still be read', async () => {
      const workload = sampleWorkload(siteOf(), {
        command: ['sh', '-c', 'echo "cannot open the database" >&2; exit 3'],
        spec: { restart: { withinSeconds: 60, times: 1, backoffMinSeconds: 0.05, backoffMaxSeconds: 0.1 } },
      });
      await siteOf().driver.apply(workload, nextFence());
      await until(siteOf(), workload.key, ([one]) => one?.state === 'FAILED');
      await untilOutput(siteOf(), workload.key, /cannot open the database/);
    });
  });

  describe('usage', () => {
    it('agrees with what the platform’s own tool measures', async () => {
      const workload = sampleWorkload(siteOf(), {
        command: USER_OF_RESOURCES,
        spec: { resources: { cpuMillis: 1000, memoryBytes: 256 * 1024 ** 2 } },
      });
      await run(siteOf(), workload);
      await untilOutput(siteOf(), workload.key, 'used');
      await eventually(siteOf(), async () => {
        const [own] = (await siteOf().driver.usage(workload.key)).instances;
        const tool = await programsOf(siteOf()).usageByTool(workload.key, 0);
        expect(own?.cpuSeconds).toBeGreaterThan(1);
        expect(own?.memoryBytes).toBeGreaterThan(80 * 1024 ** 2);
        expect(Math.abs((own?.cpuSeconds ?? 0) - tool.cpuSeconds)).toBeLessThan(CPU_TOLERANCE_SECONDS);
        const difference = Math.abs((own?.memoryBytes ?? 0) - tool.memoryBytes);
        expect(difference).toBeLessThan(MEMORY_TOLERANCE_BYTES);
      });
    });
  });
}
