import type { VnfInstanceId } from '../../kernel/index.ts';
import { isSameJson } from '../domain/index.ts';
import type { Revision, StateView, StoredRecord } from '../store/index.ts';
import { commitWanted } from './commit-wanted.ts';
import type { LifecycleContext } from './context.ts';
import { planOperation } from './plan-operation.ts';

/** Coverage is a rule, not a number: hosts that come, change or leave change what is wanted without an operation. */
export interface HostFollower {
  /** Makes a function with coverage want what its rule says of the hosts of now. Whether that was a change. */
  follow(
    context: LifecycleContext,
    vnfInstanceId: VnfInstanceId,
    record: StoredRecord<'vnf-instance'>,
  ): boolean;
}

/**
 * Most looks at such a function come from what its hosts report, and change nothing of the rule or of the hosts. What was found right then
 * is right still, unless a host was left out, which may have room by now. Held in memory: a new leader plans once more.
 */
export function createHostFollower(): HostFollower {
  const right = new Map<VnfInstanceId, { readonly record: Revision; readonly hosts: Revision }>();
  return {
    follow: (context, vnfInstanceId, record) => {
      const hosts = newestOfHosts(context.state);
      const known = right.get(vnfInstanceId);
      if (known?.record === record.revision && known.hosts === hosts) return false;
      const { document, tenant } = record;
      const plan = planOperation(
        context,
        { vnfInstanceId, tenant, instance: document },
        { operation: 'HEAL', state: 'PROCESSING', operationParams: {} },
      );
      if (plan.wanted === undefined) return false;
      if (isSameJson(plan.wanted, document.wanted)) {
        const isWhole = plan.result.fits && plan.result.skipped.length === 0;
        if (isWhole) right.set(vnfInstanceId, { record: record.revision, hosts });
        else right.delete(vnfInstanceId);
        return false;
      }
      right.delete(vnfInstanceId);
      commitWanted(context, { vnfInstanceId, instance: record }, document, plan);
      context.logger.info({ tenant, vnfInstanceId }, 'coverage follows the hosts');
      return true;
    },
  };
}

/** The revision that last changed a host or its facts. */
export function newestOfHosts(state: StateView): Revision {
  return Math.max(state.changedAt('host'), state.changedAt('host-facts'));
}
