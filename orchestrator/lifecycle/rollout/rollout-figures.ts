import { isReplacedAt, vnfcInstanceId, wantedVnfcs } from '../../domain/index.ts';
import type { FunctionRecord } from '../abandoned.ts';
import type { LifecycleContext } from '../context.ts';
import type { VersionValues } from './rollout-waves.ts';

/** Recent values of an indicator, by the version of the instance that has them. */
export function valuesOf(
  { indicatorsOf }: Pick<LifecycleContext, 'indicatorsOf'>,
  { vnfInstanceId, tenant, instance }: FunctionRecord,
  indicator: string,
): VersionValues {
  const isFreshById = new Map(
    wantedVnfcs(instance.wanted).map((copy) => [
      vnfcInstanceId(copy.hostId, { tenant, vnfInstanceId, ...copy }, copy.slot),
      !isReplacedAt(instance, copy.generation),
    ]),
  );
  const values = indicatorsOf(vnfInstanceId)
    .filter(({ name }) => name === indicator)
    .flatMap(({ instances }) => instances);
  const of = (isFresh: boolean): readonly number[] =>
    values.filter(({ vnfcInstanceId: id }) => isFreshById.get(id) === isFresh).map(({ value }) => value);
  return { old: of(false), fresh: of(true) };
}
