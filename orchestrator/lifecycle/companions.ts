import type { HostId, VnfInstanceId } from '../../kernel/index.ts';
import { copyName, toWantedUnits, wantedVnfcs } from '../domain/index.ts';
import { togetherClusters, type PlacementRule } from '../placement/index.ts';
import type { LifecycleContext } from './context.ts';
import { placedPackageOf } from './version-descriptor.ts';
import { countsOfWanted } from './levels.ts';
import type { RequestInput } from './placement-request.ts';
import { abandonedBy, type FunctionRecord } from './abandoned.ts';
import { hostsOfWanted } from './plan-wanted.ts';
import { claimOf, overrideOf, type WantedOverride } from './snapshot-inventory.ts';
import { seatsOf, targetsIn, type Seat } from './target-hosts.ts';

/** A function that leaves its host together with another one. */
export interface Companion {
  readonly request: RequestInput;
  /** What stays where it is. */
  readonly kept: WantedOverride;
  /** Hosts that were chosen for what leaves. */
  readonly seats: readonly Seat[];
}

/**
 * The functions that rules tie to this one and that leave their hosts as well: a group moves as one or not at all, so their places
 * are planned with its own. One that has to stay where it is, is none of them, and keeps the others there.
 */
export function companionsOf(
  context: LifecycleContext,
  vnfInstanceId: VnfInstanceId,
  rules: readonly PlacementRule[],
): readonly Companion[] {
  const members = [...new Set(rules.flatMap(({ functionIds }) => functionIds))];
  const group = togetherClusters(members, rules).find((cluster) => cluster.includes(vnfInstanceId)) ?? [];
  return group
    .filter((id) => id !== vnfInstanceId)
    .flatMap((id) => {
      const companion = leaving(context, id);
      return companion === undefined ? [] : [companion];
    });
}

function leaving(context: LifecycleContext, id: VnfInstanceId): Companion | undefined {
  const record = context.state.get('vnf-instance', id);
  if (record === undefined || record.document.coverage !== undefined) return undefined;
  const { document: instance, tenant } = record;
  const pkg = placedPackageOf(context.catalog, instance);
  const displaced = instance.displaced ?? [];
  const copies = wantedVnfcs(claimOf(instance));
  const self = { vnfInstanceId: id, instance, tenant };
  const isAbandoned = abandonedBy(context, self);
  const targets = targetsOf(context, self);
  const moved = [...copies.filter((copy) => isAbandoned(copy) || targets.has(copyName(copy))), ...displaced];
  if (moved.length === 0) return undefined;
  return {
    request: {
      vnfInstanceId: id,
      tenant,
      instance,
      function: pkg,
      counts: countsOfWanted(toWantedUnits([...copies, ...displaced])),
      avoidHosts: hostsOfWanted(toWantedUnits(moved)),
      dependents: context.index.dependentsOf(id),
    },
    kept: overrideOf(id, instance, toWantedUnits(copies.filter((copy) => !moved.includes(copy)))),
    seats: seatsOf(id, moved, targets),
  };
}

/** The hosts that its operation has chosen for what it moves. */
function targetsOf({ state }: LifecycleContext, record: FunctionRecord): ReadonlyMap<string, HostId> {
  const { activeOpOcc } = record.instance;
  const operation = activeOpOcc === undefined ? undefined : state.get('vnf-lcm-op-occ', activeOpOcc);
  return operation === undefined ? new Map() : targetsIn(record, operation.document);
}
