import type { HostId, TenantId } from '../../kernel/index.ts';
import { wantedVnfcs, type WantedUnit } from '../domain/index.ts';
import type { StateView } from '../store/index.ts';

/** What an operator says of automatic scaling as a whole. Manual scaling and healing are not bound by it. */
export interface ScalingLimits {
  /** Instances of all functions of a tenant together, up to which they are scaled out. */
  readonly instancesOfTenant?: Readonly<Record<string, number>>;
  /** Instances on a VIM, of all tenants together, up to which functions are scaled out there. */
  readonly instancesOnVim?: Readonly<Record<string, number>>;
}

/** Counts of instances against the limits; counted anew when something is wanted otherwise. */
export interface LimitCounts {
  /** How many more instances a tenant may have; undefined: as many as there is room for. */
  leftFor(tenant: TenantId): number | undefined;
  /** Why what would be wanted of a function instead of what is, is too much for a VIM; undefined: it is not. */
  refusalOf(before: readonly WantedUnit[], after: readonly WantedUnit[]): string | undefined;
}

export function createLimitCounts(state: StateView, limits: ScalingLimits): LimitCounts {
  let countedAt = -1;
  let byTenant = new Map<string, number>();
  let byHost = new Map<string, number>();

  function count(): void {
    const revision = state.changedAt('vnf-instance');
    if (revision === countedAt) return;
    countedAt = revision;
    byTenant = new Map();
    byHost = new Map();
    for (const { tenant, document } of state.list('vnf-instance')) {
      for (const { hostId } of wantedVnfcs(document.wanted)) {
        byTenant.set(tenant, (byTenant.get(tenant) ?? 0) + 1);
        byHost.set(hostId, (byHost.get(hostId) ?? 0) + 1);
      }
    }
  }

  return {
    leftFor: (tenant) => {
      const limit = limits.instancesOfTenant?.[tenant];
      if (limit === undefined) return undefined;
      count();
      return Math.max(0, limit - (byTenant.get(tenant) ?? 0));
    },
    refusalOf: (before, after) => {
      for (const [vimId, limit] of Object.entries(limits.instancesOnVim ?? {})) {
        count();
        const added = countOn(after, vimId) - countOn(before, vimId);
        const would = (byHost.get(vimId) ?? 0) + added;
        if (added > 0 && would > limit)
          return `there would be ${would} instances on the VIM ${vimId}, and ${limit} is the limit for scaling out`;
      }
      return undefined;
    },
  };
}

function countOn(wanted: readonly WantedUnit[], hostId: string): number {
  return wantedVnfcs(wanted).filter((copy) => copy.hostId === (hostId as HostId)).length;
}
