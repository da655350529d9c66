import type { Clock } from '../../kernel/index.ts';
import type { Cgroups } from './cgroups.ts';
import type { Run } from './run-record.ts';
import {
  hasInEnvironment,
  isRunning,
  scanProcesses,
  sendSignal,
  statOf,
  type ProcessStat,
} from './system.ts';

/** Passes over `/proc`; whoever asks while one is waiting to begin shares it. */
export interface ProcessScanner {
  /** A pass that begins after this call. */
  scan(): Promise<readonly ProcessStat[]>;
}

export function createProcessScanner(): ProcessScanner {
  let waiting: Promise<readonly ProcessStat[]> | undefined;
  return {
    scan() {
      waiting ??= new Promise((resolve) => {
        setImmediate(() => {
          waiting = undefined;
          resolve(scanProcesses());
        });
      });
      return waiting;
    },
  };
}

/** What belongs to one slot, however it got away from its parents. */
export interface Belongings {
  /** `NAME=value` in the environment of every process of the slot. */
  readonly mark: string;
  readonly cgroup: string;
  readonly run?: Run;
}

/**
 * Kills everything of a slot that is left, and returns when it is gone. The wrapper of `run` is spared: it ends by itself once it has written
 * down how the program ended.
 */
export async function killLeftovers(
  slot: Belongings,
  cgroups: Cgroups,
  scanner: ProcessScanner,
  clock: Clock,
): Promise<void> {
  for (let turn = 0; turn < 200; turn += 1) {
    const left = await findLeftovers(slot, cgroups, scanner);
    if (left.length === 0) return;
    for (const pid of left) sendSignal(pid, 'SIGKILL');
    await clock.sleep(Math.min(100, 2 + turn * 2));
  }
}

async function findLeftovers(
  slot: Belongings,
  cgroups: Cgroups,
  scanner: ProcessScanner,
): Promise<readonly number[]> {
  const { run, mark } = slot;
  const inGroup = await cgroups.processesOf(slot.cgroup);
  // The group is quick to ask; only when it is empty the whole machine is looked through for what is elsewhere.
  if (inGroup.length > 0) return inGroup;
  const all = await scanner.scan();
  const isSessionReused = all.some(
    (process) => process.pid === run?.program.pid && process.startTicks !== run.program.startTicks,
  );
  const found = all.filter((process) => {
    if (process.state === 'Z' || process.session === run?.wrapperPid) return false;
    if (run !== undefined && !isSessionReused && process.session === run.program.pid) return true;
    return hasInEnvironment(process.pid, mark);
  });
  return found.map((process) => process.pid);
}

/**
 * Ends a run: the signal to its whole process group, SIGKILL to everything after the grace. Returns when nothing of it is left,
 * and its wrapper has written down the end.
 */
export async function endRun(
  slot: Belongings & { readonly run: Run },
  stop: { readonly signal: NodeJS.Signals; readonly graceSeconds: number },
  cgroups: Cgroups,
  scanner: ProcessScanner,
  clock: Clock,
): Promise<void> {
  const { program, wrapperPid } = slot.run;
  const wrapper = statOf(wrapperPid);
  if (isRunning(program)) signalAll(program.pid, stop.signal);
  const end = clock.monotonic() + stop.graceSeconds * 1000;
  for (let wait = 2; isRunning(program) && clock.monotonic() < end; wait = Math.min(50, wait * 1.5))
    await clock.sleep(Math.min(wait, Math.max(1, end - clock.monotonic())));
  if (isRunning(program)) signalAll(program.pid, 'SIGKILL');
  await killLeftovers(slot, cgroups, scanner, clock);
  if (wrapper === undefined) return;
  for (let wait = 1; isRunning(wrapper) && wait < 1000; wait *= 1.5) await clock.sleep(wait);
}

/** To the whole group; before it has one, which is for the first instant of its life, to the process. */
function signalAll(pid: number, signal: NodeJS.Signals): void {
  sendSignal(statOf(pid)?.session === pid ? -pid : pid, signal);
}
