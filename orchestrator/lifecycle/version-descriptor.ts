import type { IoTFunctionDescriptor } from '../../descriptors/index.ts';
import { packageIdAt, versionsOf, type VnfInstanceDocument } from '../domain/index.ts';
import { packageOf, type FunctionCatalog, type FunctionPackage } from './function-catalog.ts';
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

/**
 * What copies of an instance are placed by where no change of version is under way: the package that it is of. Where a change that was given up has left copies
 * of another version, with the units that only that one has, so that these are healed as all others.
 */
export function placedPackageOf(catalog: FunctionCatalog, instance: VnfInstanceDocument): FunctionPackage {
  const pkg = packageOf(catalog, instance.vnfPkgId);
  // With coverage each host has units of one version.
  if (instance.replaced === undefined || instance.coverage !== undefined) return pkg;
  const { descriptor } = pkg;
  const known = new Set(descriptor.units.map(({ name }) => name));
  const others = packageOf(catalog, instance.replaced.vnfPkgId).descriptor.units.filter(
    ({ name }) => !known.has(name),
  );
  return { ...pkg, descriptor: { ...descriptor, units: [...descriptor.units, ...others] } };
}
