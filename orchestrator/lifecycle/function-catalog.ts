import { maxSatisfying } from 'semver';
import { IotmanoError, type TenantId, type VnfPkgId } from '../../kernel/index.ts';
import type { IoTFunctionDescriptor } from '../../descriptors/index.ts';
import type { PackageArtifact } from '../domain/index.ts';
import type { StateView, StoredRecord } from '../store/index.ts';

/** A function that can be instantiated: the descriptor of an onboarded package, and its artifacts by digest. */
export interface FunctionPackage {
  readonly vnfPkgId: VnfPkgId;
  readonly descriptor: IoTFunctionDescriptor;
  readonly artifacts: readonly PackageArtifact[];
}

/** What lifecycle and services need to know of packages. A tenant sees its own. */
export interface FunctionCatalog {
  /** Of an instance: whatever the package's operational state. */
  find(vnfPkgId: VnfPkgId): FunctionPackage | undefined;
  /** Onboarded and enabled. */
  findByVnfdId(tenant: TenantId, vnfdId: string): FunctionPackage | undefined;
  /** The highest onboarded and enabled version in a semver range. */
  resolve(tenant: TenantId, invariantId: string, range: string): FunctionPackage | undefined;
}

/** Reads the package records of the store. */
export function createFunctionCatalog(state: StateView): FunctionCatalog {
  function* usable(tenant: TenantId): Generator<FunctionPackage> {
    for (const record of state.list('vnf-package')) {
      const { document } = record;
      if (record.tenant !== tenant || document.onboardingState !== 'ONBOARDED') continue;
      const found = document.operationalState === 'ENABLED' ? toPackage(record) : undefined;
      if (found !== undefined) yield found;
    }
  }

  return {
    find: (vnfPkgId) => {
      const record = state.get('vnf-package', vnfPkgId);
      return record === undefined ? undefined : toPackage(record);
    },
    findByVnfdId: (tenant, vnfdId) =>
      [...usable(tenant)].find(({ descriptor }) => descriptor.metadata.id === vnfdId),
    resolve: (tenant, invariantId, range) => {
      const candidates = [...usable(tenant)].filter(
        ({ descriptor }) => descriptor.metadata.invariantId === invariantId,
      );
      const versions = candidates.map(({ descriptor }) => descriptor.metadata.softwareVersion);
      const best = maxSatisfying(versions, range);
      return candidates.find(({ descriptor }) => descriptor.metadata.softwareVersion === best);
    },
  };
}

function toPackage({ id, document }: StoredRecord<'vnf-package'>): FunctionPackage | undefined {
  return document.descriptor === undefined
    ? undefined
    : { vnfPkgId: id as VnfPkgId, descriptor: document.descriptor, artifacts: document.artifacts };
}

/**
 * The package of an instance. It cannot be deleted while it is in use.
 * @throws IotmanoError `internal`
 */
export function packageOf(catalog: FunctionCatalog, vnfPkgId: VnfPkgId): FunctionPackage {
  const found = catalog.find(vnfPkgId);
  if (found === undefined)
    throw new IotmanoError('internal', `package ${vnfPkgId} is in use and has no descriptor`, { vnfPkgId });
  return found;
}
