import type { Clock, Logger } from '../../kernel/index.ts';
import {
  workloadId,
  type Fence,
  type ObservedWorkload,
  type VimDriver,
  type Workload,
} from '../../vim-drivers/index.ts';
import {
  createSiteController,
  type ScheduleBook,
  type SiteController,
} from '../../vim-drivers/site-controller/index.ts';

/** All drivers of this host as one: each workload goes to the first one that runs artifacts of its type. */
export interface Sites {
  setWanted(workloads: readonly Workload[], fence: Fence): void;
  /** The lease was renewed by an answer to what was sent at that instant of the monotonic clock. */
  renewed(sentAtMonotonic: number): Promise<void>;
  /** What is, of all drivers; undefined until each of them has looked. */
  observed(): readonly ObservedWorkload[] | undefined;
  /** Whether the drivers run nothing at all, asked just now. */
  areEmpty(): Promise<boolean>;
  close(): Promise<void>;
}

interface Site {
  readonly driver: VimDriver;
  readonly artifactTypes: ReadonlySet<string>;
  readonly controller: SiteController;
}

export interface SitesOptions {
  readonly drivers: readonly VimDriver[];
  readonly clock: Clock;
  readonly log: Logger;
  /** Where it is remembered what ran of schedules, by the name of the driver. */
  readonly openSchedules: (driver: string) => Promise<ScheduleBook>;
  /** IANA name of the zone of this host. */
  readonly localTimeZone: () => string;
  /**
   * What is, of all drivers, whenever it has changed; for the first time when each of them has looked.
   * @param reflects the fence of the wanted state that all of it reflects; undefined while some driver's part is older
   */
  readonly onChange: (observed: readonly ObservedWorkload[], reflects: Fence | undefined) => void;
}

export async function createSites(options: SitesOptions): Promise<Sites> {
  const { drivers, clock, log, localTimeZone, onChange } = options;
  const seen = new Map<VimDriver, readonly ObservedWorkload[]>();
  const reflected = new Map<VimDriver, Fence | undefined>();
  let newest: Fence | undefined;
  let homeless: readonly ObservedWorkload[] = [];
  const observed = (): readonly ObservedWorkload[] | undefined =>
    seen.size < drivers.length ? undefined : [...[...seen.values()].flat(), ...homeless].toSorted(byId);
  const tell = (): void => {
    const all = observed();
    const isNewest = drivers.every((driver) => reflected.get(driver) === newest);
    if (all !== undefined) onChange(all, isNewest ? newest : undefined);
  };
  const opened = await Promise.all(
    drivers.map(async (driver) => {
      const { artifactTypes, driver: name } = await driver.capabilities();
      return { driver, artifactTypes, schedules: await options.openSchedules(name) };
    }),
  );
  const sites = opened.map(({ driver, artifactTypes, schedules }): Site => {
    const onObserved = (workloads: readonly ObservedWorkload[], fence: Fence | undefined): void => {
      seen.set(driver, workloads);
      reflected.set(driver, fence);
      tell();
    };
    const controller = createSiteController({ driver, clock, log, schedules, localTimeZone, onObserved });
    return { driver, artifactTypes: new Set(artifactTypes), controller };
  });
  return {
    setWanted(workloads, fence) {
      newest = fence;
      const left = new Set(workloads);
      for (const { artifactTypes, controller } of sites) {
        const own = [...left].filter(({ spec }) => artifactTypes.has(spec.artifact.type));
        for (const each of own) left.delete(each);
        controller.setWanted(own, fence);
      }
      homeless = [...left].map(withoutDriver);
      tell();
    },
    async renewed(sentAtMonotonic) {
      for (const { controller } of sites) await controller.renewed(sentAtMonotonic);
    },
    observed,
    areEmpty: async () => {
      const lists = await Promise.all(sites.map(({ driver }) => driver.list()));
      return lists.flat().length === 0;
    },
    close: async () => {
      await Promise.all(sites.map(({ controller }) => controller.close()));
    },
  };
}

function withoutDriver({ key, specHash, spec }: Workload): ObservedWorkload {
  const problem = `no driver on this host runs artifacts of type "${spec.artifact.type}"`;
  return { key, specHash, instances: [], problem };
}

function byId(a: ObservedWorkload, b: ObservedWorkload): number {
  return workloadId(a.key) < workloadId(b.key) ? -1 : 1;
}
