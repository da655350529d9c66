/** What a program finds around it: environment, files, bindings, secrets, volumes. */
import { describe, expect, it } from 'vitest';
import {
  NO_BINDINGS,
  nextFence,
  only,
  programsOf,
  run,
  runsOf,
  sampleWorkload,
  shell,
  untilOtherRun,
  untilOutput,
  untilRunning,
  type ConformanceSite,
  type ConformanceTarget,
} from '../conformance-site.ts';
import type { Workload } from '../contract.ts';
import { skipWithout } from './abilities.ts';
import { HTTP_PORT } from './programs.ts';

export function describeSurroundings(siteOf: () => ConformanceSite, target: ConformanceTarget): void {
  describe('a program', () => {
    it('gets its environment, with what only the host knows filled in, and nothing of the driver’s own', async () => {
      process.env['IOTMANO_TEST_SECRET'] = 'of the agent';
      const workload = sampleWorkload(siteOf(), {
        command: shell('env; echo "arg=$1"', '{{ instance.id }}'),
        spec: {
          ports: [HTTP_PORT],
          env: {
            PLAIN: 'a b',
            PORT: '{{ ports.http }}',
            ID: '{{ instance.id }}',
            WHERE: '{{ host.address }}',
          },
        },
      });
      const { ports } = only(await run(siteOf(), workload));
      const output = await untilOutput(siteOf(), workload.key, 'arg=');
      expect(output).toContain('PLAIN=a b\n');
      expect(output).toContain(`PORT=${ports['http']}\n`);
      expect(output).toMatch(/ID=.+-main-g1-0\n/);
      expect(output).toMatch(/arg=.+-main-g1-0\n/);
      expect(output).not.toContain('of the agent');
    });

    it('finds its files and bindings', async () => {
      const workload = sampleWorkload(siteOf(), {
        command: shell('cat "$DIR/conf/app.conf" "$BINDINGS"'),
        bindings: { ...NO_BINDINGS, config: { level: 'info' } },
        spec: {
          env: { DIR: '{{ instance.dir }}', BINDINGS: '{{ bindings.path }}' },
          files: [{ path: 'conf/app.conf', content: 'id = {{ instance.id }}\n' }],
          bindings: { path: 'bindings.json', onChange: 'reload' },
        },
      });
      await run(siteOf(), workload);
      const output = await untilOutput(siteOf(), workload.key, 'level');
      expect(output).toMatch(/id = .+-main-g1-0\n/);
      expect(output).toContain('"level": "info"');
    });

    it('has a directory of its own that it may write, and loses it with the instance', async () => {
      const workload = sampleWorkload(siteOf(), {
        command: shell('cd "$DIR" && ls own 2>/dev/null; echo mine >own && cat own'),
        spec: { env: { DIR: '{{ instance.dir }}' } },
      });
      await run(siteOf(), workload);
      expect(await untilOutput(siteOf(), workload.key, 'mine')).toBe('mine\n');
      await siteOf().driver.remove(workload.key, nextFence());
      expect(await siteOf().traces(workload.key)).toEqual([]);
    });

    it('is told of changed bindings after they are in the file', async () => {
      const workload = sampleWorkload(siteOf(), {
        command: shell('trap "cat $BINDINGS" HUP; echo set'),
        spec: {
          env: { BINDINGS: '{{ bindings.path }}' },
          bindings: { path: 'bindings.json', onChange: 'reload' },
        },
      });
      await run(siteOf(), workload);
      await siteOf().driver.apply(
        { ...workload, bindings: { ...NO_BINDINGS, config: { level: 'debug' } } },
        nextFence(),
      );
      await untilOutput(siteOf(), workload.key, '"level": "debug"');
    });

    it('reads its credentials in its bindings, and nobody reads them elsewhere', async () => {
      const seed = Buffer.from(`secret of ${Math.trunc(performance.now())}, 32 bytes long`).toString(
        'base64url',
      );
      const database = {
        capability: 'database',
        protocol: 'tcp',
        endpoints: [],
        credential: { id: 'me', seed },
      };
      const workload = sampleWorkload(siteOf(), {
        command: shell('cat "$BINDINGS"'),
        bindings: { ...NO_BINDINGS, requires: { database } },
        spec: {
          env: { BINDINGS: '{{ bindings.path }}' },
          bindings: { path: 'bindings.json', onChange: 'reload' },
        },
      });
      await run(siteOf(), workload);
      await untilOutput(siteOf(), workload.key, seed);
      expect(JSON.stringify(await siteOf().driver.list())).not.toContain(seed);
      const shown = await programsOf(siteOf()).shownByTool(workload.key);
      expect(shown).toContain(workload.key.vnfInstanceId);
      expect(shown).not.toContain(seed);
      expect(shown).not.toContain(Buffer.from(seed).toString('base64'));
    });
  });

  describe('volumes', () => {
    it('are found again by the next generation where they are kept, and are empty where they are not', async () => {
      const first = volumeCounter(siteOf());
      const second = { ...volumeCounter(siteOf()), key: { ...first.key, generation: 2 } };
      await run(siteOf(), first);
      expect(await untilOutput(siteOf(), first.key, 'end')).toBe('1\n1\nend\n');
      await siteOf().driver.remove(first.key, nextFence());
      await run(siteOf(), second);
      expect(await untilOutput(siteOf(), second.key, 'end')).toBe('2\n1\nend\n');
    });

    it('that are kept go with the workload when that is asked for', async ({ skip }) => {
      skipWithout(target, 'remove-options', skip);
      const first = volumeCounter(siteOf());
      const second = { ...volumeCounter(siteOf()), key: { ...first.key, generation: 2 } };
      await run(siteOf(), first);
      await untilOutput(siteOf(), first.key, 'end');
      await siteOf().driver.remove(first.key, nextFence(), { deleteKeptVolumes: true });
      await run(siteOf(), second);
      expect(await untilOutput(siteOf(), second.key, 'end')).toBe('1\n1\nend\n');
    });
  });
}

/** Says how often its kept volume was seen, and its other one. */
function volumeCounter(site: ConformanceSite): Workload {
  const volumes = [
    { name: 'db', mount: '/data', sizeBytes: 1024 ** 2, keep: true },
    { name: 'tmp', mount: '/scratch', sizeBytes: 1024 ** 2, keep: false },
  ];
  return sampleWorkload(site, {
    command: shell('for d in $DB $TMP; do echo x >>$d/f; wc -l <$d/f; done; echo end'),
    spec: { volumes, env: { DB: '{{ volumes.db }}', TMP: '{{ volumes.tmp }}' } },
  });
}

export function describeBindingChanges(siteOf: () => ConformanceSite): void {
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
}
