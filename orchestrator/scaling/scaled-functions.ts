import { IotmanoError, type VnfInstanceId } from '../../kernel/index.ts';
import type { ScalingAspect } from '../../descriptors/index.ts';
import { countsOfWanted, packageOf, scaleLevel, type Lifecycle } from '../lifecycle/index.ts';
import type { Monitoring } from '../monitoring/index.ts';
import type { StateView } from '../store/index.ts';
import { everySecondsOf, mostDemanding, readingsOfFunction } from './readings.ts';
import type { Scaled } from './scaled.ts';

export interface ScaledFunctionsContext {
  readonly store: StateView;
  readonly lifecycle: Pick<Lifecycle, 'automaticScalings' | 'context'>;
  readonly monitoring: Pick<Monitoring, 'latestReadings' | 'collectEverySecondsOf'>;
}

/** A function as the loop sees it. */
export function scaledFunction(
  { store, lifecycle, monitoring }: ScaledFunctionsContext,
  id: string,
): Scaled | undefined {
  const record = store.get('vnf-instance', id);
  if (record === undefined) return undefined;
  const { tenant, document } = record;
  const vnfInstanceId = id as VnfInstanceId;
  const { descriptor } = packageOf(lifecycle.context.catalog, document.vnfPkgId);
  const aspectOf = (name: string): ScalingAspect => {
    const found = descriptor.scaling.find(({ aspect }) => aspect === name);
    if (found !== undefined) return found;
    throw new IotmanoError('internal', `${document.name} has no scaling aspect ${name}`);
  };
  const levelOf = (name: string): number => scaleLevel(aspectOf(name), countsOfWanted(document.wanted));
  const covers = document.coverage !== undefined;
  return {
    kind: 'function',
    id: vnfInstanceId,
    tenant,
    name: document.name,
    // What covers hosts follows them, and what is not there has nothing to scale.
    isActive: document.instantiationState === 'INSTANTIATED' && !covers,
    ...(covers
      ? { whyNever: `${document.name} runs once on each host that it covers: it is not scaled` }
      : {}),
    isFree: document.activeOpOcc === undefined,
    aspects: descriptor.scaling,
    functions: [vnfInstanceId],
    levelOf,
    readingsOf: (name, policy, now) => {
      const self = { vnfInstanceId, tenant, instance: document };
      const all = readingsOfFunction(monitoring, self, aspectOf(name), policy, now);
      return mostDemanding(all, ({ value, instances, delta }) => (value * instances) / delta);
    },
    everySecondsOf: (name) => everySecondsOf(monitoring, vnfInstanceId, aspectOf(name)),
    levelWithin: (name, left) => {
      const perStep = Object.values(aspectOf(name).deltas).reduce((sum, delta) => sum + delta, 0);
      return levelOf(name) + Math.floor(left / perStep);
    },
    scopeOf: (name) => ({ descriptor, aspect: aspectOf(name) }),
    start: (scaling, limits, alongside) =>
      lifecycle.automaticScalings.start(
        vnfInstanceId,
        scaling,
        (wanted) => limits?.refusalOf(document.wanted, wanted),
        alongside,
      ),
    failureOf: (operationId) => {
      const operation = store.get('vnf-lcm-op-occ', operationId)?.document;
      return operation?.state === 'ROLLED_BACK' ? (operation.error?.detail ?? 'it was undone') : undefined;
    },
  };
}
