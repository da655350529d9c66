import { toTimestamp } from '../../kernel/index.ts';
import type { Trial, UpgradeOutcome, VersionPointer } from './version-pointer.ts';

/** What a start of the agent does: which version it runs, as what, and what is to be on disk before. */
export interface StartPlan {
  readonly run: string;
  /** It runs on trial, watched by whoever starts it. */
  readonly trial?: Trial;
  readonly pointer: VersionPointer;
  /** The pointer is another one than was read. */
  readonly mustWrite: boolean;
}

/** The pointer of a host that was never upgraded. */
export function pointerOf(installed: string): VersionPointer {
  return { installed, current: installed };
}

/**
 * Decides a start. A version on trial is started once: whatever ended it before it had confirmed, the next start runs the version before. Who installs
 * another program by hand means that one. A version whose file is damaged gives way to the one before it, and that to the installed program. Pure.
 * @param isIntact whether the file of a version is there with the content that its digest says
 * @param mayTry false: a trial that waits stays as it is, for a start that runs the agent
 */
export function planStart(
  known: VersionPointer | undefined,
  host: {
    readonly installed: string;
    readonly isIntact: (digest: string) => boolean;
    readonly mayTry: boolean;
    readonly now: number;
  },
): StartPlan {
  const { installed, isIntact, mayTry, now } = host;
  const before = known?.installed === installed ? known : reinstalled(known, installed, now);
  const { trial } = before;
  if (trial !== undefined && trial.startedAt === undefined && mayTry && isIntact(trial.digest)) {
    const started = { ...trial, startedAt: toTimestamp(now) };
    return { run: trial.digest, trial: started, pointer: { ...before, trial: started }, mustWrite: true };
  }
  const ended = trial === undefined || !mayTry ? before : endTrial(before, reasonOf(trial), now);
  const run =
    [ended.current, ended.previous].find(
      (digest) => digest !== undefined && (digest === installed || isIntact(digest)),
    ) ?? installed;
  const pointer = run === ended.current ? ended : { ...ended, current: run };
  return { run, pointer, mustWrite: mayTry && known !== undefined && pointer !== known };
}

function reasonOf({ startedAt }: Trial): string {
  return startedAt === undefined
    ? 'its file is not there, or damaged'
    : 'the agent ended before the version had confirmed: it was killed, or its machine was started anew';
}

function reinstalled(known: VersionPointer | undefined, installed: string, now: number): VersionPointer {
  if (known === undefined) return pointerOf(installed);
  const ended =
    known.trial === undefined ? known : endTrial(known, 'another program was installed meanwhile', now);
  return { ...pointerOf(installed), ...(ended.last === undefined ? {} : { last: ended.last }) };
}

/** The next start tries that version. Pure. */
export function beginTrial(pointer: VersionPointer, trial: Omit<Trial, 'startedAt'>): VersionPointer {
  return { ...pointer, trial };
}

/** The version on trial is the one that runs from now on. Without a trial nothing changes. Pure. */
export function confirmTrial(pointer: VersionPointer, now: number): VersionPointer {
  const { trial, ...rest } = pointer;
  if (trial === undefined) return pointer;
  const { orderId, version, digest } = trial;
  const last: UpgradeOutcome = { orderId, version, state: 'CONFIRMED', at: toTimestamp(now) };
  return { ...rest, previous: rest.current, current: digest, last };
}

/** The version before runs on. Without a trial nothing changes. Pure. */
export function endTrial(pointer: VersionPointer, reason: string, now: number): VersionPointer {
  const { trial, ...rest } = pointer;
  if (trial === undefined) return pointer;
  const { orderId, version } = trial;
  return { ...rest, last: { orderId, version, state: 'ROLLED_BACK', reason, at: toTimestamp(now) } };
}

/** Versions whose files are needed. */
export function keptVersions({ current, previous, trial }: VersionPointer): ReadonlySet<string> {
  return new Set([current, previous, trial?.digest].filter((digest) => digest !== undefined));
}
