/** Commands beside programs that run. */
import { beforeEach, describe, expect, it } from 'vitest';
import {
  eventually,
  nextFence,
  outputOf,
  run,
  sampleWorkload,
  until,
  type ConformanceSite,
  type ConformanceTarget,
} from '../conformance-site.ts';
import { isCommandRunner, type CommandEvent, type CommandOptions, type WorkloadKey } from '../contract.ts';
import { skipWithout } from './abilities.ts';
import { NO_RESTART } from './programs.ts';

interface Told {
  readonly stdout: string;
  readonly stderr: string;
  readonly exit: CommandEvent | undefined;
}

function begin(
  site: ConformanceSite,
  key: WorkloadKey,
  command: readonly string[],
  options: Partial<CommandOptions> = {},
): AsyncIterable<CommandEvent> {
  const { driver } = site;
  if (!isCommandRunner(driver)) throw new RangeError('the driver runs no commands');
  return driver.exec(key, { slot: 0, command, signal: new AbortController().signal, ...options });
}

async function told(events: AsyncIterable<CommandEvent>): Promise<Told> {
  const text = { stdout: '', stderr: '' };
  let exit: CommandEvent | undefined;
  for await (const event of events)
    if (event.type === 'exit') exit = event;
    else text[event.type] += Buffer.from(event.bytes).toString();
  return { ...text, exit };
}

async function* pieces(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

/** Beats until it is ended: a look at the file shows whether it still does. */
const BEATING = 'echo begun; i=0; while :; do i=$((i+1)); echo $i >"$0"; sleep 0.05; done';

export function describeCommands(siteOf: () => ConformanceSite, target: ConformanceTarget): void {
  describe('a command beside a program', () => {
    beforeEach(({ skip }) => skipWithout(target, 'commands', skip));

    it('has the environment of the program, and tells its two outputs and its exit code apart', async () => {
      const workload = sampleWorkload(siteOf(), { spec: { env: { GREETING: 'hello you' } } });
      await run(siteOf(), workload);
      const command = ['sh', '-c', 'echo "$GREETING $1"; echo oops >&2; exit 3', 'sh', 'two  words'];
      expect(await told(begin(siteOf(), workload.key, command))).toEqual({
        stdout: 'hello you two  words\n',
        stderr: 'oops\n',
        exit: { type: 'exit', exitCode: 3 },
      });
    });

    it('finds no standard input where it is given none', async () => {
      const workload = sampleWorkload(siteOf());
      await run(siteOf(), workload);
      expect(await told(begin(siteOf(), workload.key, ['cat']))).toEqual({
        stdout: '',
        stderr: '',
        exit: { type: 'exit', exitCode: 0 },
      });
    });

    it('reads its standard input to the end', async ({ skip }) => {
      skipWithout(target, 'command-input', skip);
      const workload = sampleWorkload(siteOf());
      await run(siteOf(), workload);
      const input = pieces('one ', 'x'.repeat(300_000), ' two');
      const { stdout, exit } = await told(begin(siteOf(), workload.key, ['cat'], { input }));
      expect([stdout.length, stdout.slice(-4), exit]).toEqual([
        300_008,
        ' two',
        { type: 'exit', exitCode: 0 },
      ]);
    });

    it('may end without having read its input', async ({ skip }) => {
      skipWithout(target, 'command-input', skip);
      const workload = sampleWorkload(siteOf());
      await run(siteOf(), workload);
      const input = pieces('x'.repeat(300_000), 'y'.repeat(300_000), 'z'.repeat(300_000));
      const { stdout, exit } = await told(
        begin(siteOf(), workload.key, ['sh', '-c', 'sleep 0.2; echo bye'], { input }),
      );
      expect([stdout, exit]).toEqual(['bye\n', { type: 'exit', exitCode: 0 }]);
    });

    it('ends with all that it has started when its signal aborts', async () => {
      const workload = sampleWorkload(siteOf());
      await run(siteOf(), workload);
      const file = `/tmp/iotmano-beat-${workload.key.vnfInstanceId}`;
      const abort = new AbortController();
      const command = ['sh', '-c', `sh -c '${BEATING}' "$1" & wait`, 'sh', file];
      for await (const event of begin(siteOf(), workload.key, command, { signal: abort.signal }))
        if (event.type === 'stdout') abort.abort();
      const beat = async (): Promise<string> =>
        (await told(begin(siteOf(), workload.key, ['cat', file]))).stdout;
      await eventually(siteOf(), async () => {
        const before = await beat();
        await new Promise((resolve) => setTimeout(resolve, 200));
        expect(await beat()).toBe(before);
      });
      await told(begin(siteOf(), workload.key, ['rm', '-f', file]));
    });

    it('is none of the program: its failures, its output and its end are not counted there', async () => {
      const workload = sampleWorkload(siteOf(), { spec: { restart: NO_RESTART } });
      const [instance] = await run(siteOf(), workload);
      const ran = await siteOf().runOf(workload.key, 0);
      await told(begin(siteOf(), workload.key, ['sh', '-c', 'echo of the command; kill -9 $$']));
      expect(await siteOf().runOf(workload.key, 0)).toBe(ran);
      const [after] = await until(siteOf(), workload.key, ([one]) => one?.state === 'RUNNING');
      expect(after).toEqual(instance);
      expect(await outputOf(siteOf(), workload.key)).not.toContain('of the command');
    });

    it('that is not there ends with code 127', async () => {
      const workload = sampleWorkload(siteOf());
      await run(siteOf(), workload);
      const { exit } = await told(begin(siteOf(), workload.key, ['no-such-program-here']));
      expect(exit).toEqual({ type: 'exit', exitCode: 127 });
    });

    it('ends with the program, and is refused where none runs', async () => {
      const workload = sampleWorkload(siteOf());
      await run(siteOf(), workload);
      const ended = told(begin(siteOf(), workload.key, ['sh', '-c', 'echo begun; sleep 600']));
      await siteOf().driver.remove(workload.key, nextFence());
      await ended.catch(() => undefined);
      await expect(told(begin(siteOf(), workload.key, ['true']))).rejects.toMatchObject({
        code: 'not-found',
      });
      const failing = sampleWorkload(siteOf(), {
        command: ['sh', '-c', 'exit 1'],
        spec: { restart: NO_RESTART },
      });
      await siteOf().driver.apply(failing, nextFence());
      await until(siteOf(), failing.key, ([one]) => one?.state === 'FAILED');
      await expect(told(begin(siteOf(), failing.key, ['true']))).rejects.toMatchObject({ code: 'conflict' });
    });
  });
}
