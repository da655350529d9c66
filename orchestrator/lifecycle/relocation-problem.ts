import type { HostId, VnfInstanceId } from '../../kernel/index.ts';
import type { PlacedFunction, PlacementRule, RelocationProblem } from '../placement/index.ts';
import type { StoredRecord } from '../store/index.ts';
import type { LifecycleContext } from './context.ts';
import { packageOf } from './function-catalog.ts';
import { countsOfWanted } from './levels.ts';
import { isSingleWriter, judgeHost } from './liveness.ts';
import { toPlacementRequest } from './placement-request.ts';
import { rulesOfService } from './service-rules.ts';
import { claimOf } from './snapshot-inventory.ts';
import { placedPackageOf } from './version-descriptor.ts';
import { whyBusy, whyFixed } from './why-fixed.ts';

type Instance = StoredRecord<'vnf-instance'>;

/**
 * All that is placed, as plans of moves see it; what others own, is busy, or may not leave its host is pinned there with the reason.
 * @param whyNot why whoever asks may not move a function; undefined: nothing is against it
 * @param whyNotNow the same of what passes
 */
export function relocationProblem(
  context: LifecycleContext,
  whyNot: (record: Instance) => string | undefined,
  whyNotNow: (record: Instance) => string | undefined,
): RelocationProblem {
  const functions: PlacedFunction[] = [];
  const services = new Map<string, readonly PlacementRule[]>();
  for (const record of context.state.list('vnf-instance')) {
    if (claimOf(record.document).length === 0) continue;
    const pinned = whyNot(record);
    const pinnedForNow = pinned === undefined ? (whyNotNow(record) ?? whyBusy(record.document)) : undefined;
    functions.push({
      ...placedFunction(context, record),
      ...(pinned === undefined ? {} : { pinned }),
      ...(pinnedForNow === undefined ? {} : { pinned: pinnedForNow, isPinnedForNow: true }),
    });
    const { nsInstanceId } = record.document;
    if (nsInstanceId !== undefined && !services.has(nsInstanceId))
      services.set(nsInstanceId, rulesOfService(context.state, nsInstanceId));
  }
  return { functions, rules: [...services.values()].flat() };
}

function placedFunction(
  context: LifecycleContext,
  { id, tenant, document: instance }: Instance,
): PlacedFunction {
  const vnfInstanceId = id as VnfInstanceId;
  const pkg = placedPackageOf(context.catalog, instance);
  const request = toPlacementRequest({
    vnfInstanceId,
    tenant,
    instance,
    function: pkg,
    counts: countsOfWanted(claimOf(instance)),
    dependents: context.index.dependentsOf(vnfInstanceId),
  });
  const units = request.units.flatMap(({ unit }) => {
    const reason = whyFixed(pkg, instance, unit);
    return reason === undefined ? [] : [[unit, reason] as const];
  });
  return {
    request,
    isSingleWriter: isSingleWriter(pkg.descriptor),
    pinnedUnits: Object.fromEntries(units),
  };
}

/** Hosts that are silent for longer than the most impatient function bears: nothing goes there, and nothing is known to leave. */
export function silentHosts(context: LifecycleContext): (hostId: HostId) => boolean {
  const { state, catalog, liveness } = context;
  const packages = new Set([...state.list('vnf-instance')].map(({ document }) => document.vnfPkgId));
  const [impatient] = [...packages]
    .map((id) => packageOf(catalog, id).descriptor)
    .toSorted((a, b) => a.healing.lostAfterSeconds - b.healing.lostAfterSeconds);
  return (hostId) => impatient !== undefined && judgeHost(state, liveness, impatient, hostId).isLost;
}
