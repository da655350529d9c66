import { IotmanoError, type HostId, type TenantId, type VnfInstanceId } from '../../kernel/index.ts';
import type { VnfInstanceDocument } from '../domain/index.ts';
import type { StoredRecord } from '../store/index.ts';
import type { LifecycleContext } from './context.ts';
import { packageOf, type FunctionPackage } from './function-catalog.ts';
import { countsAfterScaling, countsOfLevel, countsOfWanted, type ScaleRequest } from './levels.ts';
import { isSingleWriter } from './liveness.ts';
import { hostsOf } from './parse-relocation.ts';
import { selectCopies } from './plan-wanted.ts';
import { validateValues } from './validate-values.ts';
import type { CreateVnf, InstantiateVnf } from './vnf-requests.ts';
import { whyFixed } from './why-fixed.ts';
import { intendedOf } from './withdrawals.ts';

/** A VNF instance of a package, not yet instantiated. */
export function newInstance(
  id: VnfInstanceId,
  pkg: FunctionPackage,
  request: Omit<CreateVnf, 'vnfdId'>,
): VnfInstanceDocument {
  return {
    name: request.vnfInstanceName ?? `${pkg.descriptor.metadata.productName}-${id.slice(0, 8)}`,
    description: request.vnfInstanceDescription ?? '',
    vnfPkgId: pkg.vnfPkgId,
    instantiationState: 'NOT_INSTANTIATED',
    config: {},
    constraints: {},
    bind: {},
    credentials: {},
    wanted: [],
    generations: 0,
    metadata: request.metadata ?? {},
  };
}

/**
 * What an instantiate request makes of an instance, checked against descriptor and providers.
 * @throws IotmanoError `unprocessable` or `conflict`
 */
export function instantiationOf(
  context: LifecycleContext,
  { tenant, document }: Pick<StoredRecord<'vnf-instance'>, 'tenant' | 'document'>,
  request: InstantiateVnf,
): Pick<VnfInstanceDocument, 'flavour' | 'level' | 'config' | 'constraints' | 'bind'> & {
  coverage?: string;
} {
  const pkg = packageOf(context.catalog, document.vnfPkgId);
  const { flavour, level, counts } = countsOfLevel(
    pkg.descriptor,
    request.flavourId,
    request.instantiationLevelId,
  );
  const { bind = {}, constraints = {}, coverage } = request.additionalParams ?? {};
  const config = request.vnfConfigurableProperties ?? {};
  validateValues(pkg.descriptor.config, config, `config of ${pkg.descriptor.metadata.productName}`);
  requireOneWriter(
    pkg,
    Object.values(counts).reduce((sum, count) => sum + count, 0),
    coverage,
  );
  requireBindings(context, tenant, pkg, bind);
  return {
    flavour,
    level,
    config,
    constraints,
    bind: bind as VnfInstanceDocument['bind'],
    ...(coverage === undefined ? {} : { coverage }),
  };
}

/**
 * Every requirement is bound to something of the tenant that provides it, unless it is optional.
 * @throws IotmanoError `unprocessable`
 */
export function requireBindings(
  { state, catalog }: LifecycleContext,
  tenant: TenantId,
  { descriptor }: FunctionPackage,
  bind: Readonly<Record<string, string>>,
): void {
  const { productName } = descriptor.metadata;
  const strange = Object.keys(bind).find((name) => descriptor.requires.every((item) => item.name !== name));
  if (strange !== undefined)
    throw new IotmanoError('unprocessable', `${productName} has no requirement "${strange}" to bind`);
  for (const { name, capability, protocol, optional } of descriptor.requires) {
    const providerId = bind[name];
    if (providerId === undefined) {
      if (optional) continue;
      throw new IotmanoError(
        'unprocessable',
        `${productName} requires "${name}" (${capability} over ${protocol}): name the VNF instance that provides it in additionalParams.bind.${name}`,
      );
    }
    const provider = state.get('vnf-instance', providerId);
    if (provider === undefined || provider.tenant !== tenant)
      throw new IotmanoError('unprocessable', `bind.${name}: there is no VNF instance ${providerId}`);
    const provides = packageOf(catalog, provider.document.vnfPkgId).descriptor.provides;
    if (!provides.some((item) => item.capability === capability && item.protocol === protocol))
      throw new IotmanoError(
        'unprocessable',
        `bind.${name}: ${provider.document.name} does not provide ${capability} over ${protocol}`,
      );
  }
}

export function requireOneWriter(
  pkg: FunctionPackage,
  instances: number,
  coverage: string | undefined,
): void {
  if (coverage === undefined && isSingleWriter(pkg.descriptor) && instances > pkg.descriptor.units.length)
    throw new IotmanoError(
      'unprocessable',
      `${pkg.descriptor.metadata.productName} has a single writer: it runs one instance, not ${instances}`,
    );
}

export function requireScalable(
  pkg: FunctionPackage,
  instance: VnfInstanceDocument,
  request: ScaleRequest,
): void {
  if (instance.coverage !== undefined)
    throw new IotmanoError(
      'conflict',
      `${instance.name} runs once on each host that it covers: it is not scaled`,
    );
  const counts = countsAfterScaling(pkg.descriptor, countsOfWanted(intendedOf(instance)), request);
  requireOneWriter(
    pkg,
    Object.values(counts).reduce((sum, count) => sum + count, 0),
    undefined,
  );
}

/**
 * Copies that a heal sends to hosts of its choice.
 * @throws IotmanoError `unprocessable` for a host that there is not, `conflict` for a copy that stays where it is
 */
export function requireMovable(
  context: LifecycleContext,
  { id, tenant, document }: StoredRecord<'vnf-instance'>,
  targetHosts: Readonly<Record<string, HostId>>,
): void {
  hostsOf(context, { tenant }, 'targetHosts', Object.values(targetHosts));
  const key = { tenant, vnfInstanceId: id as VnfInstanceId };
  const pkg = packageOf(context.catalog, document.vnfPkgId);
  for (const { unit, slot } of selectCopies(document.wanted, key, Object.keys(targetHosts)).copies) {
    const reason = whyFixed(pkg, document, unit);
    if (reason !== undefined)
      throw new IotmanoError('conflict', `${document.name}/${unit}-${slot} stays where it is: ${reason}`);
  }
}
