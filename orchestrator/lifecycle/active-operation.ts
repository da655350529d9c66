import type { VnfInstanceId } from '../../kernel/index.ts';
import type { VnfInstanceDocument } from '../domain/index.ts';
import type { StoredRecord } from '../store/index.ts';
import { assessConvergence, type Convergence } from './assess-convergence.ts';
import type { LifecycleContext } from './context.ts';
import { packageOf } from './function-catalog.ts';
import { judgeHost } from './liveness.ts';
import { hostsOfWanted } from './plan-wanted.ts';
import { openWithdrawals } from './withdrawals.ts';

export interface ActiveOperation {
  readonly vnfInstanceId: VnfInstanceId;
  readonly instance: StoredRecord<'vnf-instance'>;
  readonly operation: StoredRecord<'vnf-lcm-op-occ'>;
}

/** The operation that a function is busy with, if any. */
export function activeOperation(
  { state }: Pick<LifecycleContext, 'state'>,
  vnfInstanceId: VnfInstanceId,
): ActiveOperation | undefined {
  const instance = state.get('vnf-instance', vnfInstanceId);
  const id = instance?.document.activeOpOcc;
  const operation = id === undefined ? undefined : state.get('vnf-lcm-op-occ', id);
  return instance === undefined || operation === undefined
    ? undefined
    : { vnfInstanceId, instance, operation };
}

/** How far a function is from what is wanted of it, by what its hosts report. */
export function convergenceOf(
  context: LifecycleContext,
  vnfInstanceId: VnfInstanceId,
  instance: VnfInstanceDocument,
): Convergence {
  if (instance.coverage !== undefined) return context.coverage.convergenceOf(vnfInstanceId, instance);
  const { descriptor } = packageOf(context.catalog, instance.vnfPkgId);
  const observed = context.index.observedOf(vnfInstanceId).map(({ document }) => document);
  const withdrawnFrom = openWithdrawals(context.state, instance).map(({ hostId }) => hostId);
  const hosts = new Set([
    ...observed.map(({ hostId }) => hostId),
    ...hostsOfWanted(instance.wanted),
    ...withdrawnFrom,
  ]);
  const lostHosts = new Set(
    [...hosts].filter((hostId) => judgeHost(context.state, context.liveness, descriptor, hostId).isLost),
  );
  return assessConvergence({
    wanted: instance.wanted,
    displaced: instance.displaced ?? [],
    observed,
    mode: descriptor.run.mode,
    lostHosts,
    withdrawnFrom,
    isCoverage: false,
  });
}
