import type { ObservedState } from '../contract.ts';
import type { SlotPaths } from './layout.ts';
import { readRecord, replaceFile } from './state-files.ts';

/** What the driver remembers of a slot over its own restarts. */
export interface SlotRecord {
  readonly slot: number;
  readonly epoch: number;
  readonly specHash: string;
  /** Number of the latest start; the wrapper of any other number withdraws. */
  readonly attempt: number;
  /** The boot in which the latest attempt was made. */
  readonly bootId: string;
  /** The end of the latest attempt has been taken into account. */
  readonly isSettled: boolean;
  readonly ports: Readonly<Record<string, number>>;
  readonly state: ObservedState;
  readonly since: string;
  readonly restarts: number;
  /** Wall-clock milliseconds of the latest ends that count against the restart limit. */
  readonly recentExits: readonly number[];
  /** Wall-clock milliseconds before which it is not started again. */
  readonly notBefore: number;
  readonly reason?: string;
  readonly exitCode?: number;
  /** Of the bindings that the running copy has been told. */
  readonly bindingsHash?: string;
  /** Kills for lack of memory that the cgroup had counted when the latest attempt began. */
  readonly oomKills: number;
  /** Held back after a reboot until the orchestrator is heard. */
  readonly awaitsLeader: boolean;
}

export function newSlotRecord(slot: number, epoch: number, specHash: string, since: string): SlotRecord {
  return {
    slot,
    epoch,
    specHash,
    attempt: 0,
    bootId: '',
    isSettled: true,
    ports: {},
    state: 'PENDING',
    since,
    restarts: 0,
    recentExits: [],
    notBefore: 0,
    oomKills: 0,
    awaitsLeader: false,
  };
}

export async function loadSlotRecord(paths: SlotPaths): Promise<SlotRecord | undefined> {
  return readRecord<SlotRecord>(paths.recordFile);
}

export async function saveSlotRecord(paths: SlotPaths, record: SlotRecord): Promise<void> {
  await replaceFile(paths.recordFile, `${JSON.stringify(record)}\n`);
}

/** The record for a copy of another epoch or spec: its ports stay, its history does not. */
export function renewSlotRecord(
  record: SlotRecord,
  epoch: number,
  specHash: string,
  since: string,
): SlotRecord {
  return {
    ...newSlotRecord(record.slot, epoch, specHash, since),
    attempt: record.attempt,
    bootId: record.bootId,
    ports: record.ports,
  };
}
