import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseId, type StateId } from '../../kernel/index.ts';
import { replaceFileDurably } from '../../vim-drivers/host-files/index.ts';
import type { Fence } from '../../vim-drivers/index.ts';
import { STATE_FORMATS } from '../state-formats.ts';
import { readVersioned, type Versioned } from '../versioned-file.ts';
import {
  assignment,
  collectionJob,
  fence,
  integer,
  list,
  number,
  object,
  upgradeOrder,
  type Assignment,
  type CollectionJob,
  type UpgradeOrder,
} from '../mco-client/index.ts';

/** The wanted state of this host, as it was taken over last. */
export interface StoredWanted {
  /** Revisions, generations and fences compare only within one. */
  readonly stateId: StateId;
  readonly revision: number;
  /** As the orchestrator gave it. */
  readonly fence: Fence;
  /** What is added to lease numbers for the drivers: a new state counts from the start, and drivers never go back. */
  readonly leaseBase: number;
  readonly heartbeatIntervalSeconds: number;
  readonly assignments: readonly Assignment[];
  readonly collectionJobs: readonly CollectionJob[];
  /** The version of the agent itself that is wanted; an agent that knows of none of this reads over it. */
  readonly agentUpgrade?: UpgradeOrder;
}

export interface AssignmentStore {
  /** What is on disk. */
  readonly current: StoredWanted | undefined;
  /** Durable when it resolves; nothing may be acted on before. */
  save(next: StoredWanted): Promise<void>;
  /** After the host has left. */
  clear(): Promise<void>;
}

const shape = object(
  {
    stateId: (value: unknown, at: string) => parseId<StateId>(value, at),
    revision: integer(),
    fence,
    leaseBase: integer(),
    heartbeatIntervalSeconds: number(0),
    assignments: list(assignment),
    collectionJobs: list(collectionJob),
  },
  { agentUpgrade: upgradeOrder },
);

const FORMAT: Versioned<StoredWanted> = {
  version: STATE_FORMATS.assignments,
  // Of version 1 nothing was sealed; an agent that knows it alone would run functions without what is.
  upcasters: { 1: (document) => document },
  parse: (document) => shape(document, ''),
};

/** @throws IotmanoError `store-newer` where a newer version has written it, `store-failed` where it cannot be read */
export async function openAssignmentStore(dataDirectory: string): Promise<AssignmentStore> {
  const path = join(dataDirectory, 'assignments.json');
  let current = await readVersioned(path, FORMAT);
  return {
    get current() {
      return current;
    },
    async save(next) {
      await replaceFileDurably(path, JSON.stringify({ schemaVersion: FORMAT.version, ...next }));
      current = next;
    },
    async clear() {
      await rm(path, { force: true });
      current = undefined;
    },
  };
}

/** The fence that drivers are given: it grows for ever, also when the orchestrator's state was made anew. */
export function driverFence({ fence, leaseBase }: StoredWanted): Fence {
  return { leaseNumber: leaseBase + fence.leaseNumber, revision: fence.revision };
}
