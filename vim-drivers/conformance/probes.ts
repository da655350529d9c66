/** Probes decide readiness and life. */
import { describe, expect, it } from 'vitest';
import {
  nextFence,
  only,
  signal,
  run,
  runsOf,
  sampleWorkload,
  shell,
  until,
  untilOtherRun,
  untilOutput,
  untilRunning,
  type ConformanceSite,
} from '../conformance-site.ts';
import { SWITCHED_SERVER, HTTP_PORT, PACE, probe } from './programs.ts';

export function describeProbes(siteOf: () => ConformanceSite): void {
  describe('probes', () => {
    it('decide when an instance is ready, unhealthy, and ready again', async () => {
      const workload = sampleWorkload(siteOf(), {
        command: SWITCHED_SERVER,
        spec: {
          ports: [HTTP_PORT],
          env: { PORT: '{{ ports.http }}' },
          probes: { ready: probe('/ready') },
        },
      });
      await siteOf().driver.apply(workload, nextFence());
      await untilOutput(siteOf(), workload.key, 'listening');
      const starting = only(await until(siteOf(), workload.key, ([one]) => /503/.test(one?.reason ?? '')));
      expect(starting.state).toBe('STARTING');
      const runs = await runsOf(siteOf(), workload.key);
      await signal(siteOf(), workload.key, 'SIGHUP');
      await until(siteOf(), workload.key, ([one]) => one?.state === 'RUNNING' && one.reason === undefined);
      await signal(siteOf(), workload.key, 'SIGUSR1');
      const unhealthy = only(await until(siteOf(), workload.key, ([one]) => one?.state === 'UNHEALTHY'));
      expect(unhealthy.reason).toContain('503');
      await signal(siteOf(), workload.key, 'SIGHUP');
      const ready = only(await until(siteOf(), workload.key, ([one]) => one?.state === 'RUNNING'));
      expect(ready.restarts).toBe(0);
      expect(await runsOf(siteOf(), workload.key)).toEqual(runs);
    });

    it('that fail to find it alive have it started again', async () => {
      const workload = sampleWorkload(siteOf(), {
        command: SWITCHED_SERVER,
        spec: {
          ports: [HTTP_PORT],
          env: { PORT: '{{ ports.http }}' },
          probes: {
            ready: { action: { type: 'tcp', port: 'http' }, ...PACE },
            // So patient that a slow start is no death.
            alive: { ...probe('/alive'), everySeconds: 0.3, failAfter: 5 },
          },
        },
      });
      await run(siteOf(), workload);
      const [before] = await runsOf(siteOf(), workload.key);
      await signal(siteOf(), workload.key, 'SIGUSR2');
      const after = await untilOtherRun(siteOf(), workload.key, before);
      expect(after.restarts).toBeGreaterThan(0);
    });

    it('may be a program', async () => {
      const workload = sampleWorkload(siteOf(), {
        command: shell('trap \': >"$DIR/up"\' USR1; echo set'),
        spec: {
          env: { DIR: '{{ instance.dir }}' },
          probes: {
            ready: { action: { type: 'exec', command: ['sh', '-c', 'test -e "$DIR/up"'] }, ...PACE },
          },
        },
      });
      await siteOf().driver.apply(workload, nextFence());
      await untilOutput(siteOf(), workload.key, 'set');
      await until(siteOf(), workload.key, ([one]) => one?.state === 'STARTING');
      await signal(siteOf(), workload.key, 'SIGUSR1');
      await untilRunning(siteOf(), workload);
    });
  });
}
