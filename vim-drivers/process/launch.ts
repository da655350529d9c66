import { spawn } from 'node:child_process';
import { mkdir, open, rm } from 'node:fs/promises';
import { accessSync, constants } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { IotmanoError, messageOf, type Clock } from '../../kernel/index.ts';
import type { WorkloadSpec } from '../contract.ts';
import type { Layout, SlotPaths } from './layout.ts';
import { deadmanGraceSeconds } from './lease.ts';
import type { PreparedInstance } from './prepare-instance.ts';
import { readRun, type Run } from './run-record.ts';
import { readIfThere, replaceFile, replaceFileDurably } from './state-files.ts';
import { KEEPER_SCRIPT, WRAPPER_SCRIPT } from './wrapper-script.ts';

/** The outside programs that the shells lean on. */
export interface Tools {
  readonly shell: string;
  readonly flock: string;
  readonly setsid: string;
  readonly sleep: string;
  readonly wrapper: string;
  readonly keeper: string;
}

/**
 * Finds the tools and writes the shell programs beside the state. A shell reads its program while it runs it, so each version has a file of its own.
 * @throws IotmanoError `driver-failed` naming what is missing
 */
export async function prepareTools(layout: Layout): Promise<Tools> {
  const wrapper = join(layout.root, `wrapper-${digest(WRAPPER_SCRIPT)}.sh`);
  const keeper = join(layout.root, `keeper-${digest(KEEPER_SCRIPT)}.sh`);
  if ((await readIfThere(wrapper)) !== WRAPPER_SCRIPT) await replaceFileDurably(wrapper, WRAPPER_SCRIPT);
  if ((await readIfThere(keeper)) !== KEEPER_SCRIPT) await replaceFileDurably(keeper, KEEPER_SCRIPT);
  return {
    shell: find('sh'),
    flock: find('flock'),
    setsid: find('setsid'),
    sleep: find('sleep'),
    wrapper,
    keeper,
  };
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

function find(name: string): string {
  const places = [...(process.env['PATH'] ?? '').split(':'), '/usr/bin', '/bin', '/usr/sbin', '/sbin'];
  for (const place of places) {
    const path = join(place, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // look further
    }
  }
  throw new IotmanoError(
    'driver-failed',
    `the program "${name}" is missing on this host; install util-linux and coreutils`,
  );
}

export interface LaunchInput {
  readonly layout: Layout;
  readonly paths: SlotPaths;
  readonly tools: Tools;
  readonly spec: WorkloadSpec;
  readonly attempt: number;
  readonly bootId: string;
  readonly cgroups: readonly string[];
  readonly prepared: PreparedInstance;
}

export interface Launched {
  /** Fulfilled when the wrapper, and with it the instance, has ended; with the wrapper's own exit code. */
  readonly ended: Promise<number>;
}

/** Starts the wrapper of one attempt. It is on its own from there: in a session of its own, and no descriptor leads back. */
export async function launch(input: LaunchInput): Promise<Launched> {
  const { paths, layout, tools, spec, prepared } = input;
  await mkdir(paths.directory, { recursive: true, mode: 0o700 });
  await rm(paths.exitFile, { force: true });
  await replaceFile(paths.attemptFile, `${input.attempt}\n`);
  const stop = spec.stopAfterSeconds ?? 0;
  const centiseconds = (seconds: number): string => String(Math.round(seconds * 100));
  const output = await open(paths.output, 'a', 0o600);
  try {
    const child = spawn(
      tools.shell,
      [
        tools.wrapper,
        paths.directory,
        String(input.attempt),
        input.bootId,
        layout.leaseFile,
        centiseconds(stop),
        centiseconds(deadmanGraceSeconds(stop, spec.stop.graceSeconds)),
        spec.stop.signal.slice(3),
        input.cgroups.join(':'),
        tools.flock,
        tools.setsid,
        tools.sleep,
        ...prepared.command,
      ],
      {
        cwd: prepared.workingDirectory,
        env: prepared.environment,
        detached: true,
        stdio: ['ignore', output.fd, output.fd],
      },
    );
    const ended = new Promise<number>((resolve) => {
      child.once('exit', (code) => resolve(code ?? -1));
      child.once('error', () => resolve(-1));
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    child.unref();
    return { ended };
  } catch (error) {
    throw new IotmanoError('unavailable', `cannot start a process: ${messageOf(error)}`, {}, error);
  } finally {
    await output.close();
  }
}

/** Waits for the record of an attempt; nothing when its wrapper ended without one. */
export async function awaitRun(
  paths: SlotPaths,
  attempt: number,
  ended: Promise<number>,
  clock: Clock,
): Promise<Run | undefined> {
  let hasEnded = false;
  void ended.then(() => {
    hasEnded = true;
  });
  for (let wait = 2; wait < 4000; wait *= 1.5) {
    const isLast = hasEnded;
    const run = await readRun(paths);
    if (run?.attempt === attempt) return run;
    if (isLast) return undefined;
    await clock.sleep(wait);
  }
  return undefined;
}
