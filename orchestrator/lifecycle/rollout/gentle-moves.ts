import type { HostId } from '../../../kernel/index.ts';
import { copyName, versionOf, wantedVnfcs, type RolloutRecord, type WantedVnfc } from '../../domain/index.ts';
import { abandonedBy, type FunctionRecord } from '../abandoned.ts';
import { findCopy } from '../assess-convergence.ts';
import type { LifecycleContext } from '../context.ts';
import { packageOf } from '../function-catalog.ts';
import { isSingleWriter, judgeHost } from '../liveness.ts';
import type { PlannedOperation } from '../plan-operation.ts';
import { selectCopies } from '../plan-wanted.ts';
import { rulesOfService } from '../service-rules.ts';
import { countsOfWanted } from '../levels.ts';
import { targetsIn } from '../target-hosts.ts';
import type { HealParams } from '../vnf-requests.ts';
import { whyFixed } from '../why-fixed.ts';
import { placeRollout } from './place-rollout.ts';

/**
 * A heal that does nothing but move copies that are well, from hosts that are heard, goes as a change of version does: the copy on the new host is
 * well, and those who are bound to the function use it, before the one on the old host ends. Undefined: it goes as any other heal.
 */
export function gentleMoves(
  context: LifecycleContext,
  record: FunctionRecord,
  operation: PlannedOperation,
): RolloutRecord | undefined {
  const { vnfInstanceId, instance: document } = record;
  const pkg = packageOf(context.catalog, document.vnfPkgId);
  const { descriptor } = pkg;
  if (document.coverage !== undefined || isSingleWriter(descriptor)) return undefined;
  if (document.replaced !== undefined || (document.displaced ?? []).length > 0) return undefined;
  if (rulesOfService(context.state, document.nsInstanceId).some(({ type }) => type === 'together'))
    return undefined;
  const targets = targetsIn(record, operation);
  const copies = leavingIn(context, record, operation, targets);
  if (copies.length === 0) return undefined;
  const observed = context.index.observedOf(vnfInstanceId).map((each) => each.document);
  const isWell = (copy: WantedVnfc): boolean =>
    findCopy(observed, copy)?.instance?.state === 'RUNNING' &&
    whyFixed(pkg, document, copy.unit) === undefined &&
    !judgeHost(context.state, context.liveness, descriptor, copy.hostId).isLost;
  if (!copies.every(isWell)) return undefined;
  const hosts = (list: readonly string[]): string => `hosts ${[...new Set(list)].toSorted().join(', ')}`;
  const version = versionOf(document);
  const rollout: RolloutRecord = {
    policy: {
      strategy: 'rolling',
      maxUnavailable: 0,
      maxSurge: copies.length,
      healthyForSeconds: 0,
      autoRollback: false,
    },
    from: hosts(copies.map(({ hostId }) => hostId)),
    to: targets.size === 0 ? 'other hosts' : hosts([...targets.values()]),
    before: version,
    target: version,
    moves: { copies: copies.map(copyName), targets: Object.fromEntries(targets) },
  };
  return hasRoom(context, record, rollout, copies) ? rollout : undefined;
}

/** The copies that the heal moves; none where it is to do something else as well. */
function leavingIn(
  context: LifecycleContext,
  record: FunctionRecord,
  { operationParams, isAutomaticInvocation = false }: PlannedOperation,
  targets: ReadonlyMap<string, HostId>,
): readonly WantedVnfc[] {
  const { instance } = record;
  const { vnfcInstanceIds } = (operationParams['additionalParams'] ?? {}) as HealParams;
  const isAbandoned = abandonedBy(context, record);
  const leaving = wantedVnfcs(instance.wanted).filter(
    (copy) => isAbandoned(copy) || targets.has(copyName(copy)),
  );
  if (vnfcInstanceIds === undefined) return targets.size === 0 ? [] : leaving;
  const observed = context.index.observedOf(record.vnfInstanceId).map(({ document }) => document);
  const others = selectCopies(instance.wanted, record, vnfcInstanceIds).copies.filter(
    (copy) => !leaving.some((each) => copyName(each) === copyName(copy)),
  );
  const isOver = (copy: WantedVnfc): boolean =>
    isAutomaticInvocation && findCopy(observed, copy)?.instance?.state === 'RUNNING';
  return others.every(isOver) ? leaving : [];
}

/** Whether all of them fit on other hosts while they are still where they are. */
function hasRoom(
  context: LifecycleContext,
  record: FunctionRecord,
  { moves }: RolloutRecord,
  copies: readonly WantedVnfc[],
): boolean {
  const names = new Set(copies.map(copyName));
  const plan = placeRollout(context, record, {
    old: copies,
    fresh: wantedVnfcs(record.instance.wanted).filter((copy) => !names.has(copyName(copy))),
    gone: [],
    counts: countsOfWanted(record.instance.wanted),
    ...(moves === undefined ? {} : { moves }),
  });
  return plan.wanted !== undefined;
}
