import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { IotmanoError, messageOf, type Clock } from '../../kernel/index.ts';
import type { CommandEvent, CommandOptions } from '../contract.ts';
import type { Cgroups, CgroupLimits } from './cgroups.ts';
import type { Layout } from './layout.ts';
import { killLeftovers, type ProcessScanner } from './leftovers.ts';
import type { PreparedInstance } from './prepare-instance.ts';
import { sendSignal } from './system.ts';

/** A command beside a running instance. */
export interface ExecInput {
  readonly layout: Layout;
  readonly shell: string;
  readonly cgroups: Cgroups;
  readonly scanner: ProcessScanner;
  readonly clock: Clock;
  /** How the instance itself is started; the mark in its environment lets the end of the instance reach the command, too. */
  readonly prepared: PreparedInstance;
  readonly limits: CgroupLimits;
  /** Of this command alone: of its cgroup, and in the environment of all that it starts. */
  readonly name: string;
  /** Whether the instance still runs. */
  readonly isThere: () => boolean;
}

/**
 * Enters the groups and becomes the command. A guard in the same process group kills all of it when descriptor 3 closes, which it does with the
 * process that has started it, however that ends.
 */
const SCRIPT = `
IFS=:
for group in $1; do echo 0 >"$group/cgroup.procs"; done 2>/dev/null
unset IFS
shift
( exec </dev/null >/dev/null 2>&1; read -r line <&3; kill -s KILL 0 ) &
exec 3<&-
exec "$@"
`;

/** A process that cannot be found, since it has left the group and given up its environment, may hold the output open: it is not waited for. */
const LINGER_MILLISECONDS = 500;

/** In the environment of every process of every command of this state directory. */
export function execMark(layout: Layout): string {
  return `IOTMANO_EXEC=${layout.root}`;
}

/** Name of one command of an instance: also of its cgroup. */
export function execName(slotName: string, number: number): string {
  return `${slotName}-exec-${number}`;
}

/** Whether a cgroup is that of a command: names of instances end with their generation and slot. */
export function isExecName(name: string): boolean {
  return /-g\d+-\d+-exec-\d+$/.test(name);
}

function ownMark(layout: Layout, name: string): readonly [name: string, value: string] {
  return ['IOTMANO_EXEC_NAME', `${name}@${layout.root}`];
}

/** Runs a command as an instance is run, in a cgroup of its own with the same limits: it must not take the instance with it when it lacks memory. */
export async function* execBeside(
  input: ExecInput,
  { command, input: stdin, signal }: Pick<CommandOptions, 'command' | 'input' | 'signal'>,
): AsyncGenerator<CommandEvent> {
  const { cgroups, name } = input;
  const groups = await cgroups.prepare(name, input.limits);
  const child = start(input, groups, command, stdin !== undefined);
  const end = (): void => killGroup(child);
  try {
    await spawned(child);
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted || !input.isThere()) end();
    if (child.stdin !== null && stdin !== undefined) void feed(child.stdin, stdin);
    const hasEnded = new Promise<void>((resolve) => {
      child.once('exit', () => void endAll(input, child).finally(resolve));
    });
    yield* outputOf(child, hasEnded, input.clock);
    yield { type: 'exit', ...exitOf(child) };
  } finally {
    signal.removeEventListener('abort', end);
    await endAll(input, child);
    for (const stream of child.stdio) stream?.destroy();
    await cgroups.remove(name);
  }
}

function start(
  { layout, shell, prepared, name }: ExecInput,
  groups: readonly string[],
  command: readonly string[],
  hasInput: boolean,
): ChildProcess {
  const [markName, markValue] = ownMark(layout, name);
  const [allName = '', allValue = ''] = execMark(layout).split(/=(.*)/s);
  return spawn(shell, ['-c', SCRIPT, 'exec', groups.join(':'), ...command], {
    cwd: prepared.workingDirectory,
    env: { ...prepared.environment, [markName]: markValue, [allName]: allValue },
    // A group of its own, so that it ends with all its children.
    detached: true,
    stdio: [hasInput ? 'pipe' : 'ignore', 'pipe', 'pipe', 'pipe'],
  });
}

async function spawned(child: ChildProcess): Promise<void> {
  try {
    await once(child, 'spawn');
  } catch (error) {
    throw new IotmanoError('unavailable', `cannot start a process: ${messageOf(error)}`, {}, error);
  }
}

/** What is written to a command that does not read, or has ended, is lost with it. Never rejects. */
async function feed(stdin: Writable, input: AsyncIterable<Uint8Array>): Promise<void> {
  await pipeline(input, stdin).catch(() => undefined);
}

/**
 * Both channels as they come. Nothing is read before it is asked for, so that the command waits for its reader.
 * @param hasEnded resolves when the command has ended, and all that can be found of it
 */
async function* outputOf(
  child: ChildProcess,
  hasEnded: Promise<void>,
  clock: Clock,
): AsyncGenerator<CommandEvent> {
  let hasClosed = false;
  let isOver = false;
  let changed = Promise.withResolvers<void>();
  const tell = (): void => changed.resolve();
  child.once('close', () => {
    hasClosed = true;
    tell();
  });
  void hasEnded.then(() => {
    isOver = true;
    tell();
  });
  const channels = [['stdout', child.stdout] as const, ['stderr', child.stderr] as const];
  for (const [, stream] of channels) stream?.on('readable', tell).on('error', tell);
  for (;;) {
    changed = Promise.withResolvers<void>();
    const isLast = hasClosed;
    let hasRead = false;
    for (const [type, stream] of channels) {
      const bytes = stream?.read() as Buffer | null | undefined;
      if (bytes === null || bytes === undefined || bytes.length === 0) continue;
      hasRead = true;
      yield { type, bytes };
    }
    if (hasRead) continue;
    if (isLast) return;
    if (!isOver) await changed.promise;
    else if (!(await isWithin(changed.promise, LINGER_MILLISECONDS, clock))) return;
  }
}

async function isWithin(what: Promise<void>, milliseconds: number, clock: Clock): Promise<boolean> {
  const over = clock.sleep(milliseconds).then(() => false);
  return Promise.race([what.then(() => true), over]);
}

function exitOf({ exitCode, signalCode }: ChildProcess): { exitCode?: number; signal?: string } {
  if (signalCode !== null) return { signal: signalCode };
  return exitCode === null ? {} : { exitCode };
}

function killGroup({ pid }: ChildProcess): void {
  if (pid !== undefined) sendSignal(-pid, 'SIGKILL');
}

/** Also what has left the group: it still has the mark. */
async function endAll(
  { layout, cgroups, scanner, clock, name }: ExecInput,
  child: ChildProcess,
): Promise<void> {
  killGroup(child);
  const mark = ownMark(layout, name).join('=');
  await killLeftovers({ mark, cgroup: name }, cgroups, scanner, clock);
}
