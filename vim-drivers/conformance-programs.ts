/** What every driver does for programs that really run. */
import { createServer } from 'node:net';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  nextFence,
  NO_BINDINGS,
  only,
  outputOf,
  programsOf,
  run,
  runsOf,
  sampleWorkload,
  shell,
  until,
  untilOtherRun,
  untilOutput,
  untilRunning,
  type ConformanceSite,
} from './conformance-site.ts';
import type { WorkloadKey } from './contract.ts';

const HTTP_PORT = { name: 'http', protocol: 'tcp', expose: false } as const;

/** Answers 200 or 503 on `$PORT`. SIGHUP makes `/ready` well, SIGUSR1 makes it ill; SIGUSR2 makes `/alive` ill. */
const SWITCHED_SERVER = [
  'node',
  '-e',
  `const ill = new Set(['/ready']);
   process.on('SIGTERM', () => process.exit(0));
   process.on('SIGUSR1', () => ill.add('/ready'));
   process.on('SIGUSR2', () => ill.add('/alive'));
   process.on('SIGHUP', () => ill.delete('/ready'));
   require('node:http').createServer((request, response) => {
     response.statusCode = ill.has(request.url) ? 503 : 200;
     response.end();
   }).listen(Number(process.env.PORT), () => console.log('listening'));`,
] as const;

function probe(path: string): { action: { type: 'http'; port: string; path: string } } & typeof PACE {
  return { action: { type: 'http', port: 'http', path }, ...PACE };
}
const PACE = { everySeconds: 0.1, timeoutSeconds: 1, failAfter: 2 };

export function describePrograms(siteOf: () => ConformanceSite): void {
  describe('where programs run,', () => describeAll(siteOf));
}

function describeAll(siteOf: () => ConformanceSite): void {
  // Whether programs run is known only where a site is open.
  beforeEach(({ skip }) => {
    if (siteOf().programs === undefined) skip('no programs run there');
  });

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

    it('finds a kept volume again after its removal, and another one empty', async () => {
      const volumes = [
        { name: 'db', mount: '/data', sizeBytes: 1024, keep: true },
        { name: 'tmp', mount: '/scratch', sizeBytes: 1024, keep: false },
      ];
      const make = (): ReturnType<typeof sampleWorkload> =>
        sampleWorkload(siteOf(), {
          command: shell('for d in $DB $TMP; do echo x >>$d/f; wc -l <$d/f; done; echo end'),
          spec: { volumes, env: { DB: '{{ volumes.db }}', TMP: '{{ volumes.tmp }}' } },
        });
      const first = make();
      const second = { ...make(), key: { ...first.key, generation: 2 } };
      const third = { ...make(), key: { ...first.key, generation: 3 } };
      await run(siteOf(), first);
      expect(await untilOutput(siteOf(), first.key, 'end')).toBe('1\n1\nend\n');
      await siteOf().driver.remove(first.key, nextFence());
      await run(siteOf(), second);
      expect(await untilOutput(siteOf(), second.key, 'end')).toBe('2\n1\nend\n');
      await siteOf().driver.remove(second.key, nextFence(), { deleteKeptVolumes: true });
      await run(siteOf(), third);
      expect(await untilOutput(siteOf(), third.key, 'end')).toBe('1\n1\nend\n');
    });

    it('waits, and says why, while its fixed port is taken', async () => {
      const blocker = createServer();
      await new Promise<void>((resolve) => blocker.listen(0, programsOf(siteOf()).address, resolve));
      const address = blocker.address();
      const number = typeof address === 'object' && address !== null ? address.port : 0;
      const workload = sampleWorkload(siteOf(), {
        spec: { ports: [{ ...HTTP_PORT, expose: true, number }] },
      });
      await siteOf().driver.apply(workload, nextFence());
      const waiting = only(await until(siteOf(), workload.key, ([one]) => one?.reason !== undefined));
      expect(waiting.state).toBe('PENDING');
      expect(waiting.reason).toContain(`port ${number} (http) is taken`);
      await new Promise((resolve) => blocker.close(resolve));
      expect(only(await untilRunning(siteOf(), workload)).ports).toEqual({ http: number });
    });

    it('says in words how it ended', async () => {
      const restart = { withinSeconds: 60, times: 0, backoffMinSeconds: 1, backoffMaxSeconds: 1 };
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
        const workload = sampleWorkload(siteOf(), { command, spec: { restart } });
        await siteOf().driver.apply(workload, nextFence());
        const failed = only(await until(siteOf(), workload.key, ([one]) => one?.state === 'FAILED'));
        expect(failed.reason).toMatch(reason);
        expect(failed.exitCode).toBe(exitCode);
      }
    });

    it('that is not there fails with its name', async () => {
      const restart = { withinSeconds: 60, times: 0, backoffMinSeconds: 1, backoffMaxSeconds: 1 };
      const workload = sampleWorkload(siteOf(), { command: ['no-such-program'], spec: { restart } });
      await siteOf().driver.apply(workload, nextFence());
      const failed = only(await until(siteOf(), workload.key, ([one]) => one?.state === 'FAILED'));
      expect(failed.reason).toContain('"no-such-program" was not found');
    });

    it('that takes more memory than it may is ended, and the limit is named', async () => {
      if ((await siteOf().driver.capabilities()).limits.memory !== 'enforced') return;
      const eat = 'const all = []; setInterval(() => all.push(Buffer.alloc(8 << 20, 1)), 5)';
      const workload = sampleWorkload(siteOf(), {
        command: ['node', '-e', eat],
        spec: { restart: { withinSeconds: 60, times: 0, backoffMinSeconds: 1, backoffMaxSeconds: 1 } },
      });
      await siteOf().driver.apply(workload, nextFence());
      const failed = only(await until(siteOf(), workload.key, ([one]) => one?.state === 'FAILED'));
      expect(failed.reason).toContain('out of memory (limit 64 MiB)');
    });
  });

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
      expect(unhealthy.reason).toContain('answered 503');
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
          probes: { ready: { action: { type: 'tcp', port: 'http' }, ...PACE }, alive: probe('/alive') },
        },
      });
      await run(siteOf(), workload);
      const [before] = await runsOf(siteOf(), workload.key);
      await signal(siteOf(), workload.key, 'SIGUSR2');
      const after = await untilOtherRun(siteOf(), workload.key, before);
      expect(after.restarts).toBe(1);
    });

    it('may be a program', async () => {
      const workload = sampleWorkload(siteOf(), {
        command: shell('sleep 0.3; : >"$DIR/up"'),
        spec: {
          env: { DIR: '{{ instance.dir }}' },
          probes: {
            ready: { action: { type: 'exec', command: ['sh', '-c', 'test -e "$DIR/up"'] }, ...PACE },
          },
        },
      });
      await siteOf().driver.apply(workload, nextFence());
      expect(only(await until(siteOf(), workload.key, ([one]) => one !== undefined)).state).not.toBe(
        'RUNNING',
      );
      await untilRunning(siteOf(), workload);
    });
  });

  describe('stopping', () => {
    it('gives a program its grace', async () => {
      const volumes = [{ name: 'kept', mount: '/kept', sizeBytes: 1024, keep: true }];
      const spec = { volumes, env: { KEPT: '{{ volumes.kept }}' } };
      const command = shell('trap "sleep 0.3; echo bye >$KEPT/f; exit 0" TERM; echo set');
      const workload = sampleWorkload(siteOf(), { command, spec });
      await run(siteOf(), workload);
      await untilOutput(siteOf(), workload.key, 'set');
      await siteOf().driver.remove(workload.key, nextFence());
      const reader = sampleWorkload(siteOf(), {
        key: { ...workload.key, generation: 2 },
        command: shell('cat "$KEPT/f"'),
        spec,
      });
      await run(siteOf(), reader);
      await untilOutput(siteOf(), reader.key, 'bye');
    });

    it('kills what does not heed the signal, its children, and those that left its session', async () => {
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
  });
}

async function signal(site: ConformanceSite, key: WorkloadKey, name: NodeJS.Signals): Promise<void> {
  await programsOf(site).signal(key, 0, name);
}
