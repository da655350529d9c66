/** Why an instance does not run, in words that an operator understands. */
import { describe, expect, it } from 'vitest';
import { IotmanoError } from '../../kernel/index.ts';
import {
  eventually,
  find,
  nextFence,
  only,
  programsOf,
  run,
  runsOf,
  sampleWorkload,
  until,
  type ConformanceSite,
  type ConformanceTarget,
} from '../conformance-site.ts';
import type { Workload } from '../contract.ts';
import { skipWithout } from './abilities.ts';
import { NO_RESTART } from './programs.ts';

export function describeReasons(siteOf: () => ConformanceSite, target: ConformanceTarget): void {
  describe('a program that cannot run', () => {
    it('is told of by how it ended', async () => {
      const endings = [
        { command: ['sh', '-c', 'exit 3'], reason: /^exited with code 3;/, exitCode: 3 },
        // Another one than the first process of a container: that one a signal of its own does not end.
        {
          command: ['sh', '-c', '(sh -c "kill -s SEGV \\$\\$"); exit $?'],
          reason: /139|SIGSEGV/,
          exitCode: 139,
        },
      ];
      for (const { command, reason, exitCode } of endings) {
        const workload = sampleWorkload(siteOf(), { command, spec: { restart: NO_RESTART } });
        await siteOf().driver.apply(workload, nextFence());
        const failed = only(await until(siteOf(), workload.key, ([one]) => one?.state === 'FAILED'));
        expect(failed.reason).toMatch(reason);
        expect(failed.exitCode).toBe(exitCode);
      }
    });

    it('is told of by its name where it is not there', async () => {
      const workload = sampleWorkload(siteOf(), {
        command: ['no-such-program'],
        spec: { restart: NO_RESTART },
      });
      await siteOf().driver.apply(workload, nextFence());
      const failed = only(await until(siteOf(), workload.key, ([one]) => one?.state === 'FAILED'));
      expect(failed.reason).toContain('"no-such-program" was not found');
    });

    it('is ended when it takes more memory than it may, and the limit is named', async ({ skip }) => {
      const { limits } = await siteOf().driver.capabilities();
      skip(limits.memory === 'none', 'its capabilities tell of no memory limit');
      const eat = 'const all = []; setInterval(() => all.push(Buffer.alloc(8 << 20, 1)), 5)';
      const workload = sampleWorkload(siteOf(), {
        command: ['node', '-e', eat],
        spec: { restart: NO_RESTART },
      });
      await siteOf().driver.apply(workload, nextFence());
      const failed = only(await until(siteOf(), workload.key, ([one]) => one?.state === 'FAILED'));
      expect(failed.reason).toContain('out of memory (limit 64 MiB)');
    });

    it('is told of by its artifact where that is not there, and replaces none that runs', async () => {
      const workload = sampleWorkload(siteOf());
      await run(siteOf(), workload);
      const runs = await runsOf(siteOf(), workload.key);
      const artifact = programsOf(siteOf()).missingArtifact();
      const without = sampleWorkload(siteOf(), { key: workload.key, spec: { artifact } });
      const name = artifact.files?.digest ?? (artifact.type === 'container' ? artifact.image : '');
      expect(await whyNot(siteOf(), without)).toContain(name);
      expect(await runsOf(siteOf(), workload.key)).toEqual(runs);
      const never = sampleWorkload(siteOf(), { spec: { artifact } });
      expect(await whyNot(siteOf(), never)).toContain(name);
      await siteOf().driver.remove(never.key, nextFence());
      expect(await siteOf().traces(never.key)).toEqual([]);
    });

    it('waits, and says so, while no machine has room for it', async ({ skip }) => {
      skipWithout(target, 'admission', skip);
      const [host] = await siteOf().driver.inventory();
      const memoryBytes = 4 * (host?.capacity.memoryBytes ?? 0);
      const spec = { resources: { cpuMillis: 100, memoryBytes } };
      const workload = sampleWorkload(siteOf(), { spec });
      expect(await whyNot(siteOf(), workload)).toMatch(/memory/i);
      expect(await siteOf().runOf(workload.key, 0)).toBeUndefined();
      await siteOf().driver.remove(workload.key, nextFence());
      expect(await siteOf().traces(workload.key)).toEqual([]);
    });
  });
}

/** What `apply` says, or else what `list` says of the workload or its first instance, once one of them says something. */
async function whyNot(site: ConformanceSite, workload: Workload): Promise<string> {
  try {
    await site.driver.apply(workload, nextFence());
  } catch (error) {
    if (
      error instanceof IotmanoError &&
      ['artifact-unusable', 'driver-failed', 'unavailable'].includes(error.code)
    )
      return error.message;
    throw error;
  }
  return eventually(site, async () => {
    const observed = await find(site, workload.key);
    const reason = observed?.problem ?? observed?.instances[0]?.reason;
    if (reason === undefined) throw new Error(`nothing is said of it: ${JSON.stringify(observed)}`);
    return reason;
  });
}
