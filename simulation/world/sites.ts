import { silentLogger, type HostId } from '../../kernel/index.ts';
import { takeReport } from '../../orchestrator/inventory/index.ts';
import type { StateStore } from '../../orchestrator/store/index.ts';
import type { Fence, ObservedWorkload } from '../../vim-drivers/index.ts';
import { createFakeDriver, createFakeWorld, type FakeHost } from '../../vim-drivers/fake/index.ts';
import {
  createSiteController,
  createVolatileBook,
  type SiteController,
} from '../../vim-drivers/site-controller/index.ts';
import type { Fleet } from './fleet.ts';
import type { Power } from './power.ts';
import type { Timeline } from './timeline.ts';

/** From a durable assignment until its host has it: an open poll is answered. */
const ORDER_MILLISECONDS = 50;
/** A look without a hint is never needed: whatever changes on a fake host, changes because something here says so. */
const NEVER_MILLISECONDS = Number.MAX_SAFE_INTEGER;

interface Site {
  readonly controller: SiteController;
  readonly host: FakeHost;
  /** What was observed last, told or not. */
  observed: readonly ObservedWorkload[];
  fence: Fence | undefined;
}

export interface SitesOptions {
  readonly store: StateStore;
  readonly timeline: Timeline;
  readonly fleet: Fleet;
  readonly power: Power;
}

/**
 * What runs on the hosts: a real site controller over a fake driver for each host that was ever given something to do. A host that is cut
 * off gets no orders and is not heard; one without power forgets what ran.
 */
export interface Sites {
  close(): Promise<void>;
}

export function createSites({ store, timeline, fleet, power }: SitesOptions): Sites {
  const world = createFakeWorld({ clock: timeline });
  const sites = new Map<HostId, Site>();
  const due = new Set<HostId>();

  function open(hostId: HostId): Site {
    const startMilliseconds = fleet.host(hostId)?.startMilliseconds ?? 0;
    const host = world.host(hostId);
    // Its lease is renewed all the time while it is up.
    host.renewedAt = Infinity;
    const controller: SiteController = createSiteController({
      driver: createFakeDriver({ world, hostId, pace: { startMilliseconds } }),
      clock: timeline,
      log: silentLogger,
      schedules: createVolatileBook(),
      resyncMilliseconds: NEVER_MILLISECONDS,
      onObserved: (observed, fence) => {
        const site = sites.get(hostId);
        if (site?.controller !== controller) return;
        Object.assign(site, { observed, fence });
        report(hostId, site);
        if (observed.some(({ instances }) => instances.some(({ state }) => state === 'STARTING')))
          timeline.after(startMilliseconds, () => void controller.renewed());
      },
    });
    const site = { controller, host, observed: [], fence: undefined };
    sites.set(hostId, site);
    return site;
  }

  function report(hostId: HostId, { observed, fence }: Site): void {
    if (!power.isUp(hostId)) return;
    const applied =
      fence === undefined ? {} : { appliedRevision: fence.revision, appliedStateId: store.stateId };
    takeReport(store, timeline, hostId, { full: true, workloads: observed, removed: [], ...applied });
  }

  function giveOrders(hostId: HostId): void {
    due.delete(hostId);
    if (!power.isUp(hostId)) return;
    const workloads = [...store.listByPrefix('assignment', `${hostId}.`)].map(
      ({ document }) => document.workload,
    );
    const { controller } = sites.get(hostId) ?? open(hostId);
    controller.setWanted(workloads, { leaseNumber: store.leaseNumber, revision: store.durableRevision });
  }

  function order(hostId: HostId): void {
    if (due.has(hostId)) return;
    due.add(hostId);
    timeline.after(ORDER_MILLISECONDS, () => giveOrders(hostId));
  }

  store.subscribe(({ entries }) => {
    for (const { kind, id } of entries)
      if (kind === 'assignment') order(id.slice(0, id.indexOf('.')) as HostId);
  });

  power.listen({
    down: (hostId, kind) => {
      const site = sites.get(hostId);
      if (site === undefined) return;
      if (kind === 'network') {
        site.host.renewedAt = timeline.monotonic();
        return;
      }
      void site.controller.close();
      sites.delete(hostId);
      site.host.workloads.clear();
    },
    up: (hostId) => {
      const site = sites.get(hostId);
      if (site !== undefined) {
        // What the dead man's rule has stopped meanwhile, stays stopped until it is applied again.
        void site.controller.renewed().then(() => {
          site.host.renewedAt = Infinity;
        });
        report(hostId, site);
      }
      order(hostId);
    },
  });

  return {
    close: async () => {
      for (const { controller } of sites.values()) await controller.close();
    },
  };
}
