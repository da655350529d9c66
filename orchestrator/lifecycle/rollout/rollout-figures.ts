import { generationOf, vnfcInstanceId, wantedVnfcs } from '../../domain/index.ts';
import type { FunctionRecord } from '../abandoned.ts';
import type { LifecycleContext } from '../context.ts';
import type { VersionValues } from './rollout-waves.ts';

/** Recent values of an indicator, by the version of the instance that has them. */
export function valuesOf(
  { indicatorsOf }: Pick<LifecycleContext, 'indicatorsOf'>,
  { vnfInstanceId, tenant, instance }: FunctionRecord,
  indicator: string,
): VersionValues {
  const generations = new Map(
    wantedVnfcs(instance.wanted).map((copy) => [
      vnfcInstanceId(copy.hostId, { tenant, vnfInstanceId, ...copy }, copy.slot),
      copy.generation,
    ]),
  );
  const values = indicatorsOf(vnfInstanceId)
    .filter(({ name }) => name === indicator)
    .flatMap(({ instances }) => instances);
  const fresh = generationOf(instance);
  const of = (isFresh: boolean): readonly number[] =>
    values
      .filter(({ vnfcInstanceId: id }) => generations.has(id) && (generations.get(id) === fresh) === isFresh)
      .map(({ value }) => value);
  return { old: of(false), fresh: of(true) };
}
