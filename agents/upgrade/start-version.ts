import { mkdir } from 'node:fs/promises';
import { IotmanoError, type Clock, type Logger } from '../../kernel/index.ts';
import { lockDataDirectory, type DataDirectoryLock } from '../identity/index.ts';
import { becomeProgram, canBecomeProgram, INSTALLED, TRIAL } from './handover.ts';
import { endTrial, planStart, type StartPlan } from './plan-version.ts';
import { isIntact, type OwnProgram } from './program.ts';
import { releaseRoom } from './reserve.ts';
import { killLeftover, runTrial } from './run-trial.ts';
import { versionFile, versionsDirectory } from './version-files.ts';
import { readPointer, writePointer, type Trial, type VersionPointer } from './version-pointer.ts';

export interface StartOptions {
  readonly program: OwnProgram;
  /** Absolute. */
  readonly dataDirectory: string;
  /** What the program was given, without its own name. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** False: only the version that runs is chosen, and a trial that waits is left to the start that runs the agent. */
  readonly mayTry: boolean;
  readonly clock: Clock;
  readonly log: Logger;
}

const LOCK_MILLISECONDS = 5000;
const LOCK_LOOK_MILLISECONDS = 100;

/**
 * The part of an installed program that every start goes through: it finds out which version is to run, and becomes that one. Returns only where this very
 * program is that version. A version on trial is run as a child before, and what comes of it decides.
 * @throws IotmanoError `store-locked` where an agent runs on the directory while a version waits to be tried
 */
export async function startVersion(options: StartOptions): Promise<void> {
  const { program, dataDirectory, env } = options;
  if (env[INSTALLED] !== undefined || !canBecomeProgram()) return;
  const plan = await chooseVersion(options);
  if (plan.run === program.digest) return;
  becomeProgram(versionFile(dataDirectory, plan.run), options.args, {
    ...withoutMarks(env),
    [INSTALLED]: program.file,
  });
}

/** Becomes the installed program, which then chooses the version anew. Never returns. */
export function restartInstalled(
  program: OwnProgram,
  args: readonly string[],
  env: StartOptions['env'],
): never {
  return becomeProgram(program.installed, args, withoutMarks(env));
}

function withoutMarks(env: StartOptions['env']): StartOptions['env'] {
  const { [INSTALLED]: _installed, [TRIAL]: _trial, ...rest } = env;
  return rest;
}

async function chooseVersion(options: StartOptions): Promise<StartPlan> {
  const first = await look(options);
  if (first.pointer.trial === undefined && !first.mustWrite) return first;
  if (!options.mayTry) return first;
  await mkdir(versionsDirectory(options.dataDirectory), { recursive: true, mode: 0o700 });
  const lock = await lockInTime(options, 'versions.lock');
  try {
    const plan = await look(options);
    const left = (await readPointer(options.dataDirectory))?.trial;
    if (left?.startedAt !== undefined) {
      killLeftover(versionFile(options.dataDirectory, left.digest), left);
      await releaseRoom(options.dataDirectory);
    }
    // An agent that runs is about to give way, or is another one that must not be disturbed.
    (await lockInTime(options, 'agent.lock')).release();
    const isNoted = !plan.mustWrite || (await note(options, plan.pointer));
    if (plan.trial === undefined) return plan;
    // A trial that cannot be noted could be started again and again.
    return isNoted ? await tryVersion(options, plan.trial) : await look({ ...options, mayTry: false });
  } finally {
    lock.release();
  }
}

async function look({ program, dataDirectory, mayTry, clock }: StartOptions): Promise<StartPlan> {
  return planStart(await readPointer(dataDirectory), {
    installed: program.digest,
    isIntact: (digest) => isIntact(versionFile(dataDirectory, digest), digest),
    mayTry,
    now: clock.now(),
  });
}

async function tryVersion(options: StartOptions, trial: Trial): Promise<StartPlan> {
  const { program, dataDirectory, args, env, clock, log } = options;
  const { orderId, version } = trial;
  log.info({ orderId, version }, 'a version of the agent is tried');
  const file = versionFile(dataDirectory, trial.digest);
  const { reason, isStopped } = await runTrial({ file, trial, installed: program.file, args, env, clock });
  await releaseRoom(dataDirectory);
  const after = await readPointer(dataDirectory);
  if (after?.trial !== undefined) {
    log.error({ orderId, version, reason }, 'the version before runs on');
    await note(options, endTrial(after, reason, clock.now()));
  }
  if (isStopped) process.exit(0);
  return look(options);
}

/** Whether it is on disk. Where the disk is full, the next start comes to the same end from what is there. */
async function note({ dataDirectory, log }: StartOptions, pointer: VersionPointer): Promise<boolean> {
  try {
    await writePointer(dataDirectory, pointer);
    return true;
  } catch (error) {
    log.error({ err: error }, 'which version of the agent runs could not be written down');
    return false;
  }
}

async function lockInTime({ dataDirectory, clock }: StartOptions, name: string): Promise<DataDirectoryLock> {
  const until = clock.monotonic() + LOCK_MILLISECONDS;
  for (;;) {
    try {
      return lockDataDirectory(dataDirectory, name);
    } catch (error) {
      const isHeld = error instanceof IotmanoError && error.code === 'store-locked';
      if (!isHeld || clock.monotonic() >= until) throw error;
      await clock.sleep(LOCK_LOOK_MILLISECONDS);
    }
  }
}
