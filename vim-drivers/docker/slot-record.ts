import type { ObservedState } from '../contract.ts';
import { describeExit } from '../supervision/index.ts';
import { isUp, type ContainerView } from './container-view.ts';

/** What the driver knows of a slot. Most of it the engine tells; the rest is kept as a note beside the container. */
export interface SlotRecord {
  readonly epoch: number;
  readonly specHash: string;
  readonly state: ObservedState;
  readonly since: string;
  readonly restarts: number;
  readonly reason?: string;
  readonly exitCode?: number;
  readonly ports: Readonly<Record<string, number>>;
  /** The latest run that was seen, by its start; empty: none yet. */
  readonly startedAt: string;
  /** The end of that run has been taken into account. */
  readonly isSettled: boolean;
  /** The engine's own count when that run was seen. */
  readonly engineRestarts: number;
  /** Wall-clock milliseconds of the latest ends that count against the restart limit. */
  readonly recentExits: readonly number[];
  /** Of the bindings that the program has been told. */
  readonly bindingsHash: string;
  /** How often its bindings were replaced. */
  readonly bindingsTurn: number;
}

export function newSlotRecord(
  epoch: number,
  specHash: string,
  since: string,
  ports: SlotRecord['ports'] = {},
): SlotRecord {
  return {
    epoch,
    specHash,
    state: 'PENDING',
    since,
    restarts: 0,
    ports,
    startedAt: '',
    isSettled: true,
    engineRestarts: 0,
    recentExits: [],
    bindingsHash: '',
    bindingsTurn: 0,
  };
}

/** What a container says of its slot without any note: the same whoever looks, and whenever. */
export function deriveRecord(view: ContainerView): SlotRecord {
  const { mark, engineRestarts } = view;
  const base = {
    ...newSlotRecord(mark.epoch, mark.specHash, view.createdAt, mark.ports),
    startedAt: view.startedAt,
    isSettled: view.startedAt === '',
    engineRestarts,
    restarts: engineRestarts,
    bindingsHash: mark.bindingsHash,
  };
  if (isUp(view)) {
    const state = mark.plan.probes.ready === undefined ? 'RUNNING' : 'STARTING';
    return { ...base, state, since: view.startedAt };
  }
  if (view.startedAt === '') return base;
  const since = new Date(view.finishedAt).toISOString();
  const { exitCode } = view;
  const ended = { ...base, since, exitCode };
  if (mark.plan.run.mode === 'job' && exitCode === 0 && view.status === 'exited')
    return { ...ended, state: 'COMPLETED', isSettled: true };
  const reason = howItEnded(view);
  // We alone take the engine's policy away: the slot was given up.
  if (!view.isRestartedByEngine && mark.plan.restart.times > 0)
    return { ...ended, state: 'FAILED', reason: `${reason}; not started again`, isSettled: true };
  return { ...ended, state: 'PENDING', reason };
}

/** What the note of an earlier driver adds, where it is about the same copy. */
export function restoreRecord(view: ContainerView, note: string | undefined): SlotRecord {
  const derived = deriveRecord(view);
  const noted = parseNote(note);
  if (noted?.epoch !== derived.epoch || noted.specHash !== derived.specHash) return derived;
  // Where it tells of another run than the latest one, what is counted goes on from there.
  return { ...noted, ports: derived.ports };
}

/** Nothing for a text that is no note of ours: what the container tells counts then. */
function parseNote(text: string | undefined): SlotRecord | undefined {
  try {
    const record = JSON.parse(text ?? '') as SlotRecord;
    return Array.isArray(record.recentExits) && Number.isInteger(record.restarts) ? record : undefined;
  } catch {
    return undefined;
  }
}

/** What is worth a note: what the container does not tell by itself. */
export function noteFor(record: SlotRecord, view: ContainerView): string | undefined {
  const text = JSON.stringify(sorted(record));
  return text === JSON.stringify(sorted(deriveRecord(view))) ? undefined : text;
}

function sorted(record: SlotRecord): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(record)
      .filter(([, value]) => value !== undefined)
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}

export function howItEnded(view: ContainerView): string {
  const { plan } = view.mark;
  return describeExit(view.exitCode, plan.command, view.isOutOfMemory ? plan.memoryBytes : undefined);
}

/** Why the engine could not start a container, as the exit code that a shell would have given; nothing for any other reason. */
export function startFault(said: string): 126 | 127 | undefined {
  if (
    /executable file not found|no such file or directory: unknown|stat .*: no such file or directory/i.test(
      said,
    )
  )
    return 127;
  if (/permission denied: unknown|exec format error|is a directory: unknown/i.test(said)) return 126;
  return undefined;
}
