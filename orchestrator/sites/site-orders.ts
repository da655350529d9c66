import { messageOf, type HostId, type Logger } from '../../kernel/index.ts';
import { isStateConfirmed } from '../inventory/index.ts';
import type { StateStore } from '../store/index.ts';
import type { SiteController } from '../../vim-drivers/site-controller/index.ts';

export interface SiteOrdersOptions {
  readonly store: StateStore;
  readonly log: Logger;
  readonly hostId: HostId;
  /** Who is told; undefined while there is nobody. */
  readonly controller: () => SiteController | undefined;
  readonly signal: AbortSignal;
}

/** Tells a site controller what is wanted, as often as it is asked to, one time after the other. */
export interface SiteOrders {
  give(): void;
}

export function createSiteOrders(options: SiteOrdersOptions): SiteOrders {
  let isDue = false;
  let isGiving = false;

  async function giveAll(): Promise<void> {
    isGiving = true;
    try {
      while (isDue && !options.signal.aborted) {
        isDue = false;
        await giveOnce(options);
      }
    } catch (error) {
      options.log.error({ hostId: options.hostId, err: error }, `orders were not given: ${messageOf(error)}`);
    } finally {
      isGiving = false;
    }
  }

  return {
    give: () => {
      isDue = true;
      if (!isGiving) void giveAll();
    },
  };
}

/** Never what is not durable. A VIM of another store state gets no orders until an operator has confirmed this one. */
async function giveOnce({ store, hostId, controller, signal }: SiteOrdersOptions): Promise<void> {
  const host = store.get('host', hostId)?.document;
  if (host === undefined || !isStateConfirmed(host, store.stateId)) return;
  const revision = store.acceptedRevision;
  const workloads = [...store.listByPrefix('assignment', `${hostId}.`)].map(
    ({ document }) => document.workload,
  );
  await store.whenDurable(revision);
  if (signal.aborted) return;
  const leaseNumber = (host.stateIds?.leaseBase ?? 0) + store.leaseNumber;
  controller()?.setWanted(workloads, { leaseNumber, revision });
}
