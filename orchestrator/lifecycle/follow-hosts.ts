import type { HostId, VnfInstanceId } from '../../kernel/index.ts';
import { isSameJson } from '../domain/index.ts';
import { planPlacement } from '../placement/index.ts';
import type { Revision, StateView, StoredRecord } from '../store/index.ts';
import { commitWanted } from './commit-wanted.ts';
import type { LifecycleContext } from './context.ts';
import { packageOf } from './function-catalog.ts';
import { judgeHost } from './liveness.ts';
import { toPlacementRequest } from './placement-request.ts';
import { planOperation } from './plan-operation.ts';
import type { WantedPlan } from './plan-wanted.ts';
import { rulesOfService } from './service-rules.ts';
import { sortDisplaced } from './withdrawals.ts';

/** Coverage is a rule, not a number: hosts that come, change or leave change what is wanted without an operation. */
export interface HostFollower {
  /**
   * Makes a function with coverage want what its rule says of the hosts of now, and forgets copies that have left their hosts.
   * Whether that was a change.
   */
  follow(
    context: LifecycleContext,
    vnfInstanceId: VnfInstanceId,
    record: StoredRecord<'vnf-instance'>,
  ): boolean;
}

/** What was found right: of this record, and of the hosts as they were then. */
interface Right {
  readonly record: Revision;
  readonly hosts: Revision;
  /** Hosts that match and were left out: they may have room by now. */
  readonly skipped: readonly HostId[];
}

/**
 * Most looks at such a function come from what its hosts report, and change nothing of the rule or of the hosts. What was found right then
 * is right still, save on hosts that have changed since and on those that were left out: only of these it is decided anew, and only where
 * that changes what is wanted, all of it is planned. Held in memory: a new leader plans once more.
 */
export function createHostFollower(): HostFollower {
  const right = new Map<VnfInstanceId, Right>();
  return {
    follow: (context, vnfInstanceId, record) => {
      const hosts = context.state.acceptedRevision;
      const known = right.get(vnfInstanceId);
      const self = { vnfInstanceId, tenant: record.tenant, instance: record.document };
      const displaced = sortDisplaced(context, self);
      const open = displaced.gone.length > 0 ? undefined : openHosts(context.state, known, record);
      if (open !== undefined) {
        // What leaves a host keeps all else away until it is gone.
        const left = new Set(displaced.leaving.map(({ hostId }) => hostId));
        const skipped = skippedOf(
          context,
          vnfInstanceId,
          record,
          open.filter((hostId) => !left.has(hostId)),
        );
        if (skipped !== undefined) {
          right.set(vnfInstanceId, { record: record.revision, hosts, skipped });
          return false;
        }
      }
      right.delete(vnfInstanceId);
      const { document, tenant } = record;
      const plan = planOperation(context, self, {
        operation: 'HEAL',
        state: 'PROCESSING',
        operationParams: {},
      });
      if (plan.wanted === undefined) return false;
      // What is gone stops being displaced, though nothing takes its place where its host is not to be covered any more.
      const isChange =
        !isSameJson(plan.wanted, document.wanted) ||
        !isSameJson(plan.displaced ?? [], document.displaced ?? []);
      if (isChange) {
        commitWanted(context, { vnfInstanceId, instance: record }, document, plan);
        context.logger.info({ tenant, vnfInstanceId }, 'coverage follows the hosts');
      }
      const revision = context.state.get('vnf-instance', vnfInstanceId)?.revision ?? -1;
      right.set(vnfInstanceId, { record: revision, hosts, skipped: skippedIn(plan.result) });
      return isChange;
    },
  };
}

/** Hosts of which it has to be decided anew; undefined: of all. */
function openHosts(
  state: StateView,
  known: Right | undefined,
  { revision }: StoredRecord<'vnf-instance'>,
): readonly HostId[] | undefined {
  if (known === undefined || known.record !== revision) return undefined;
  const changed = state.changedSince('host', known.hosts);
  const retold = state.changedSince('host-facts', known.hosts);
  if (changed === 'too-old' || retold === 'too-old') return undefined;
  return [...new Set([...known.skipped, ...changed, ...retold])] as HostId[];
}

/** Those of the hosts that match and cannot run it; undefined: something else is to be wanted on one of them. */
function skippedOf(
  context: LifecycleContext,
  vnfInstanceId: VnfInstanceId,
  { document, tenant }: StoredRecord<'vnf-instance'>,
  hosts: readonly HostId[],
): readonly HostId[] | undefined {
  if (context.coverage.hostsGone(vnfInstanceId, document).size > 0) return undefined;
  if (hosts.length === 0) return [];
  // Which version a host is to have depends on the one that it has.
  if (document.replaced !== undefined) return undefined;
  const pkg = packageOf(context.catalog, document.vnfPkgId);
  const request = toPlacementRequest({
    vnfInstanceId,
    tenant,
    instance: document,
    function: pkg,
    counts: {},
    dependents: context.index.dependentsOf(vnfInstanceId),
    isHealing: true,
    coverageOn: hosts,
  });
  const problem = { requests: [request], rules: rulesOfService(context.state, document.nsInstanceId) };
  const result = context.inventory.look(
    (index) => planPlacement(index, problem),
    [],
    (hostId) => judgeHost(context.state, context.liveness, pkg.descriptor, hostId).isLost,
  );
  const isChange = !result.fits || result.additions.length + result.removals.length > 0;
  return isChange ? undefined : skippedIn(result);
}

function skippedIn(result: WantedPlan['result']): readonly HostId[] {
  return result.fits ? result.skipped.flatMap(({ hosts = [] }) => hosts) : [];
}

/** The revision that last changed a host or its facts. */
export function newestOfHosts(state: StateView): Revision {
  return Math.max(state.changedAt('host'), state.changedAt('host-facts'));
}
