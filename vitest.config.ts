import { globSync, readFileSync } from 'node:fs';
import { defineConfig } from 'vitest/config';
import { ClosingLineReporter } from './scripts/closing-line-reporter.ts';

// Many tests start programs of ours: each strips its types once.
process.env['NODE_COMPILE_CACHE'] ??= `${import.meta.dirname}/node_modules/.cache/node`;

const TESTS = '**/*.test.ts';
const NOT_OURS = ['node_modules/**', 'dist/**'];

/** Suites over a Docker Engine or a Kubernetes cluster: they load the whole machine, so they come after the others. */
const ENGINE_SUITES = globSync(TESTS, { cwd: import.meta.dirname, exclude: NOT_OURS }).filter((file) =>
  /isServiceMissing\('(?:docker|kubernetes)'\)/.test(readFileSync(`${import.meta.dirname}/${file}`, 'utf8')),
);

/** Suites that start whole orchestrators and agents as processes, and watch them by the clock: nothing else runs beside them. */
const PROCESS_SUITES = globSync(TESTS, { cwd: import.meta.dirname, exclude: NOT_OURS }).filter(
  (file) =>
    !ENGINE_SUITES.includes(file) &&
    /checkAgent\(|checkOrchestrator\(|createTestSystem\(|startAgentProcess\(|superviseAgent\(|scripts\/poc\.ts/.test(
      readFileSync(`${import.meta.dirname}/${file}`, 'utf8'),
    ),
);

// Patient, as machines may be shared: a test that waits for ever is ended all the same.
const limits = { pool: 'forks', testTimeout: 60_000, hookTimeout: 60_000 } as const;

export default defineConfig({
  test: {
    reporters: ['default', new ClosingLineReporter()],
    projects: [
      {
        test: {
          ...limits,
          name: 'rooms',
          include: [TESTS],
          exclude: [...NOT_OURS, ...ENGINE_SUITES, ...PROCESS_SUITES],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...limits,
          name: 'processes',
          include: PROCESS_SUITES,
          // Probes and leases have real deadlines, which a machine that others use misses now and then; vitest names what passed only then.
          retry: 1,
          maxWorkers: 2,
          // Of the tests of one file that are said to run side by side: they wait more than they work.
          maxConcurrency: 24,
          sequence: { groupOrder: 1 },
        },
      },
      ...(ENGINE_SUITES.length === 0
        ? []
        : [
            {
              test: {
                ...limits,
                name: 'engines',
                include: ENGINE_SUITES,
                // A loaded engine or cluster now and then loses an event or a status of its own; vitest names what passed only then.
                retry: 2,
                // They wait more than they work.
                maxWorkers: 3,
                sequence: { groupOrder: 2 },
              },
            },
          ]),
    ],
  },
});
