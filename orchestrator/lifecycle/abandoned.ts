import type { HostId, TenantId, VnfInstanceId } from '../../kernel/index.ts';
import type { IoTFunctionDescriptor } from '../../descriptors/index.ts';
import type { VnfInstanceDocument, WantedVnfc } from '../domain/index.ts';
import type { ObservedInstance } from '../../vim-drivers/index.ts';
import { findCopy } from './assess-convergence.ts';
import type { LifecycleContext } from './context.ts';
import { judgeHost } from './liveness.ts';
import { descriptorAt } from './version-descriptor.ts';

/** One function instance with what its operation is planned from. */
export interface FunctionRecord {
  readonly vnfInstanceId: VnfInstanceId;
  readonly tenant: TenantId;
  readonly instance: VnfInstanceDocument;
}

/**
 * Whether a copy is to be placed elsewhere because its host has fallen away. With coverage it never is: its host is the point,
 * unless the host has left for good. A job's copy that has completed is done.
 */
export function abandonedBy(
  context: LifecycleContext,
  { instance, vnfInstanceId }: FunctionRecord,
): (copy: WantedVnfc) => boolean {
  const verdicts = new Map<string, boolean>();
  const observed = context.index.observedOf(vnfInstanceId).map(({ document }) => document);
  return (copy) => {
    const { hostId, generation } = copy;
    const hasLeft = context.state.get('host', hostId) === undefined;
    if (instance.coverage !== undefined) return hasLeft;
    const found = findCopy(observed, copy)?.instance;
    if (found?.state === 'COMPLETED') return false;
    const descriptor = descriptorAt(context.catalog, instance, generation);
    const known =
      verdicts.get(`${generation} ${hostId}`) ??
      judgeHost(context.state, context.liveness, descriptor, hostId).isAbandoned;
    verdicts.set(`${generation} ${hostId}`, known);
    return known || (isDrainedOf(context, descriptor, hostId) && !mayFinish(descriptor, found));
  };
}

/** A run that goes on and has a limit is waited for: its host is left at its end. */
function mayFinish({ run }: IoTFunctionDescriptor, found: ObservedInstance | undefined): boolean {
  if (run.mode !== 'schedule' || run.timeLimitSeconds === undefined) return false;
  return found !== undefined && found.state !== 'SCHEDULED';
}

/** A host that is being drained is left by what may move. */
function isDrainedOf(
  { state }: LifecycleContext,
  descriptor: IoTFunctionDescriptor,
  hostId: HostId,
): boolean {
  return state.get('host', hostId)?.document.draining === true && descriptor.offline.relocate === 'allowed';
}
