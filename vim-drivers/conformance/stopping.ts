/** Graceful stops, and the others. */
import { describe, expect, it } from 'vitest';
import {
  nextFence,
  run,
  sampleWorkload,
  shell,
  until,
  untilOutput,
  type ConformanceSite,
  type ConformanceTarget,
} from '../conformance-site.ts';
import { skipWithout } from './abilities.ts';

/** Takes its time to end after the signal that it was told of, and says so in its volume. */
const ORDERLY = [
  'node',
  '-e',
  `process.on(process.env.SIGNAL, () => setTimeout(() => {
     require('node:fs').writeFileSync(process.env.KEPT + '/f', 'bye after ' + process.env.SIGNAL);
     process.exit(0);
   }, 300));
   setInterval(() => undefined, 1000);
   console.log('set');`,
] as const;

export function describeStopping(siteOf: () => ConformanceSite, target: ConformanceTarget): void {
  describe('stopping', () => {
    it('gives a program its signal and its grace', async () => {
      const volumes = [{ name: 'kept', mount: '/kept', sizeBytes: 1024 ** 2, keep: true }];
      for (const signal of ['SIGTERM', 'SIGINT'] as const) {
        const spec = {
          volumes,
          env: { KEPT: '{{ volumes.kept }}', SIGNAL: signal },
          stop: { signal, graceSeconds: 10 },
        };
        const workload = sampleWorkload(siteOf(), { command: ORDERLY, spec });
        await run(siteOf(), workload);
        await untilOutput(siteOf(), workload.key, 'set');
        await siteOf().driver.remove(workload.key, nextFence());
        const reader = sampleWorkload(siteOf(), {
          key: { ...workload.key, generation: 2 },
          command: shell('cat "$KEPT/f"; echo'),
          spec: { volumes, env: { KEPT: '{{ volumes.kept }}' } },
        });
        await run(siteOf(), reader);
        await untilOutput(siteOf(), reader.key, `bye after ${signal}`);
      }
    });

    it('kills what does not heed the signal, its children, and those that left its session', async ({
      skip,
    }) => {
      skipWithout(target, 'remove-options', skip);
      const command = [
        'sh',
        '-c',
        'trap "" TERM; setsid sleep 601 & (trap "" TERM; sleep 602; sleep 603) & echo set; while :; do sleep 0.05; done',
      ];
      const workload = sampleWorkload(siteOf(), { command });
      await run(siteOf(), workload);
      await untilOutput(siteOf(), workload.key, 'set');
      await siteOf().driver.remove(workload.key, nextFence(), { graceSeconds: 0.2 });
      expect(await siteOf().traces(workload.key)).toEqual([]);
    });

    it('takes the children with it when a program ends by itself', async () => {
      const command = ['sh', '-c', 'setsid sleep 604 & sleep 605 & exit 0'];
      const workload = sampleWorkload(siteOf(), { command, spec: { run: { mode: 'job' } } });
      await siteOf().driver.apply(workload, nextFence());
      await until(siteOf(), workload.key, ([one]) => one?.state === 'COMPLETED');
      expect((await siteOf().traces(workload.key)).filter((trace) => trace.startsWith('process'))).toEqual(
        [],
      );
    });
  });
}
