import { IotmanoError, createTurns } from '../../kernel/index.ts';
import type { Fence } from '../contract.ts';
import type { Layout } from './layout.ts';
import { readRecord, replaceFileDurably } from './state-files.ts';

/** Remembers, over restarts and losses of power, the newest command that was seen. */
export interface FenceGuard {
  /** @throws IotmanoError `stale-lease` */
  pass(fence: Fence): Promise<void>;
}

export async function openFenceGuard(layout: Layout): Promise<FenceGuard> {
  let stored = (await readRecord<{ fence: Fence }>(layout.driverFile))?.fence ?? {
    leaseNumber: 0,
    revision: 0,
  };
  let newest = stored;
  const inTurn = createTurns();
  const store = async (): Promise<void> => {
    const fence = newest;
    if (stored === fence) return;
    await replaceFileDurably(layout.driverFile, `${JSON.stringify({ schemaVersion: 1, fence })}\n`);
    stored = fence;
  };
  return {
    async pass(fence) {
      const order = fence.leaseNumber - newest.leaseNumber || fence.revision - newest.revision;
      if (order < 0) {
        throw new IotmanoError(
          'stale-lease',
          `the command is of lease ${fence.leaseNumber}, revision ${fence.revision}; this host has seen lease ${newest.leaseNumber}, revision ${newest.revision}`,
          { seen: newest },
        );
      }
      if (order > 0) newest = { leaseNumber: fence.leaseNumber, revision: fence.revision };
      // Also where nothing is newer: the last write may have failed, on a full disk for instance.
      await inTurn(store);
    },
  };
}
