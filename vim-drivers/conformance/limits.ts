/** Limits and rights, looked at from inside. */
import { describe, expect, it } from 'vitest';
import { run, sampleWorkload, shell, untilOutput, type ConformanceSite } from '../conformance-site.ts';

/** Uses all it gets for a second and a half, then tells its share of one core. */
const BURNER = [
  'node',
  '-e',
  `process.on('SIGTERM', () => process.exit(0));
   const begin = performance.now();
   while (performance.now() - begin < 1500);
   const { user, system } = process.cpuUsage();
   console.log('share=' + ((user + system) / 1000 / (performance.now() - begin)).toFixed(3) + ';');
   setInterval(() => undefined, 1000);`,
] as const;

/** A fifth of a core is wanted; a start is paid from what was saved up, and a core may be slower than the reference. */
const SHARE_LIMIT = 0.6;

export function describeLimits(siteOf: () => ConformanceSite): void {
  describe('limits and rights', () => {
    it('keep a program to its share of a core', async ({ skip }) => {
      const { limits } = await siteOf().driver.capabilities();
      if (limits.cpu === 'none') skip('its capabilities tell of no CPU limit');
      if (limits.cpu === 'shares') skip('its capabilities tell of CPU shared by weight, not limited');
      const spec = { resources: { cpuMillis: 200, memoryBytes: 128 * 1024 ** 2 } };
      const workload = sampleWorkload(siteOf(), { command: BURNER, spec });
      await run(siteOf(), workload);
      const output = await untilOutput(siteOf(), workload.key, ';');
      const share = Number(/share=([\d.]+)/.exec(output)?.[1]);
      expect(share).toBeLessThan(SHARE_LIMIT);
    });

    it('take from a program in a container what it was not given', async ({ skip }) => {
      const { isolation } = await siteOf().driver.capabilities();
      if (isolation !== 'container') skip('its capabilities tell of no containers');
      const script = [
        'echo "uid=$(id -u);"',
        'grep -E "^(CapBnd|NoNewPrivs):" /proc/self/status | tr -d "\\t"',
        'touch /intruder 2>/dev/null && echo wrote /',
        'touch /tmp/scratch "$DIR/own" && echo wrote its own',
        'echo end',
      ].join('; ');
      const workload = sampleWorkload(siteOf(), {
        command: shell(script),
        spec: {
          env: { DIR: '{{ instance.dir }}' },
          security: { nonRoot: true, readOnlyRoot: true, capabilities: [] },
        },
      });
      await run(siteOf(), workload);
      const output = await untilOutput(siteOf(), workload.key, 'end');
      expect(output).toMatch(/uid=[1-9]\d*;/);
      expect(output).toMatch(/CapBnd:0+\n/);
      expect(output).toContain('NoNewPrivs:1');
      expect(output).not.toContain('wrote /\n');
      expect(output).toContain('wrote its own');
    });
  });
}
