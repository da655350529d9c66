import type { IoTFunctionDescriptor } from '../../descriptors/index.ts';
import { packageIdAt, versionsOf, type VnfInstanceDocument } from '../domain/index.ts';
import { packageOf, type FunctionCatalog } from './function-catalog.ts';
import { isSingleWriter } from './liveness.ts';

/**
 * The descriptor by which copies of a generation are judged: how long their host may be silent, and whether they are fenced, is what they were started with. Where
 * any version that has copies bears no second writer, none of them does.
 */
export function descriptorAt(
  catalog: FunctionCatalog,
  instance: VnfInstanceDocument,
  generation: number,
): IoTFunctionDescriptor {
  const { descriptor } = packageOf(catalog, packageIdAt(instance, generation));
  if (instance.replaced === undefined || isSingleWriter(descriptor)) return descriptor;
  const versions = versionsOf(instance).map(({ vnfPkgId }) => packageOf(catalog, vnfPkgId).descriptor);
  return versions.some(isSingleWriter)
    ? { ...descriptor, state: { ...descriptor.state, writers: 'single' } }
    : descriptor;
}
