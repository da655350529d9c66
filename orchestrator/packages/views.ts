import type { Descriptor, Fault } from '../../descriptors/index.ts';
import type { components as PackageWire } from '../../api-specs/generated/vnfpkgm.ts';
import type { components as NsdWire } from '../../api-specs/generated/nsd.ts';
import type { ResourceShape } from '../api/route.ts';
import type { ContentDocument, ContentRecord } from './content-records.ts';

export type VnfPkgInfo = PackageWire['schemas']['VnfPkgInfo'];
export type NsdInfo = NsdWire['schemas']['NsdInfo'];

/** SOL005 clause 9.4.2.3.2. */
export const VNF_PKG_SHAPE: ResourceShape = {
  attributes: [
    'id',
    'vnfdId',
    'vnfdInvariantId',
    'vnfProvider',
    'vnfProductName',
    'vnfSoftwareVersion',
    'vnfdVersion',
    'checksum',
    'additionalArtifacts',
    'onboardingState',
    'operationalState',
    'usageState',
    'vnfmInfo',
    'userDefinedData',
    'onboardingFailureDetails',
    'onboardingWarnings',
    '_links',
  ],
  optionalComplex: [
    'checksum',
    'additionalArtifacts',
    'userDefinedData',
    'onboardingFailureDetails',
    'onboardingWarnings',
  ],
  excludedByDefault: [
    'checksum',
    'additionalArtifacts',
    'userDefinedData',
    'onboardingFailureDetails',
    'onboardingWarnings',
  ],
};

/** SOL005 clause 5.4.2.3.2. */
export const NSD_SHAPE: ResourceShape = {
  attributes: [
    'id',
    'nsdId',
    'nsdName',
    'nsdVersion',
    'nsdDesigner',
    'nsdInvariantId',
    'vnfPkgIds',
    'artifacts',
    'nsdOnboardingState',
    'onboardingFailureDetails',
    'onboardingWarnings',
    'nsdOperationalState',
    'nsdUsageState',
    'userDefinedData',
    '_links',
  ],
  optionalComplex: [
    'vnfPkgIds',
    'artifacts',
    'userDefinedData',
    'onboardingFailureDetails',
    'onboardingWarnings',
  ],
  excludedByDefault: ['artifacts', 'userDefinedData', 'onboardingFailureDetails', 'onboardingWarnings'],
};

/** @param isInUse whether instances were made from it */
export function vnfPkgInfo(record: ContentRecord, isInUse: boolean, origin: string): VnfPkgInfo {
  const { id, document } = record;
  const self = `${origin}/vnfpkgm/v2/vnf_packages/${id}`;
  const descriptor = functionOf(document.descriptor);
  return {
    id,
    ...(descriptor === undefined
      ? {}
      : {
          vnfdId: descriptor.metadata.id,
          vnfdInvariantId: descriptor.metadata.invariantId,
          vnfProvider: descriptor.metadata.provider,
          vnfProductName: descriptor.metadata.productName,
          vnfSoftwareVersion: descriptor.metadata.softwareVersion,
          vnfdVersion: descriptor.metadata.descriptorVersion,
          vnfmInfo: ['iotmano'],
          additionalArtifacts: artifactInfos(document),
        }),
    ...(document.onboardingState === 'ONBOARDED' && document.content !== undefined
      ? { checksum: checksum(document.content.digest) }
      : {}),
    onboardingState: document.onboardingState,
    operationalState: document.operationalState,
    usageState: isInUse ? 'IN_USE' : 'NOT_IN_USE',
    ...shared(document),
    _links: {
      self: { href: self },
      vnfd: { href: `${self}/vnfd` },
      packageContent: { href: `${self}/package_content` },
    },
  };
}

/** @param vnfPkgIds packages that the functions of the service resolve to now */
export function nsdInfo(
  record: ContentRecord,
  isInUse: boolean,
  vnfPkgIds: readonly string[],
  origin: string,
): NsdInfo {
  const { id, document } = record;
  const self = `${origin}/nsd/v2/ns_descriptors/${id}`;
  const descriptor = serviceOf(document.descriptor);
  return {
    id,
    ...(descriptor === undefined
      ? {}
      : {
          nsdId: descriptor.metadata.id,
          nsdInvariantId: descriptor.metadata.invariantId,
          nsdName: descriptor.metadata.name,
          nsdVersion: descriptor.metadata.version,
          nsdDesigner: descriptor.metadata.provider,
          vnfPkgIds,
          artifacts: artifactInfos(document),
        }),
    nsdOnboardingState: document.onboardingState,
    nsdOperationalState: document.operationalState,
    nsdUsageState: isInUse ? 'IN_USE' : 'NOT_IN_USE',
    ...shared(document),
    _links: { self: { href: self }, nsd_content: { href: `${self}/nsd_content` } },
  };
}

interface Shared {
  readonly userDefinedData?: Readonly<Record<string, unknown>>;
  readonly onboardingFailureDetails?: {
    readonly status: number;
    readonly title: string;
    readonly detail: string;
    readonly code: string;
    readonly faults: readonly Fault[];
  };
  readonly onboardingWarnings?: readonly Fault[];
}

function shared({ userDefinedData, failure, faults }: ContentDocument): Shared {
  return {
    ...(Object.keys(userDefinedData).length === 0 ? {} : { userDefinedData }),
    ...(failure === undefined ? {} : { onboardingFailureDetails: { ...failure, faults } }),
    ...(failure !== undefined || faults.length === 0 ? {} : { onboardingWarnings: faults }),
  };
}

function artifactInfos({ artifacts }: ContentDocument) {
  return artifacts.map(({ path, digest, sizeBytes }) => ({
    artifactPath: path,
    checksum: checksum(digest),
    metadata: { sizeBytes },
  }));
}

function checksum(digest: string): { readonly algorithm: 'SHA-256'; readonly hash: string } {
  return { algorithm: 'SHA-256', hash: digest.replace(/^sha256:/, '') };
}

function functionOf(descriptor: Descriptor | undefined) {
  return descriptor?.kind === 'IoTFunctionDescriptor' ? descriptor : undefined;
}

function serviceOf(descriptor: Descriptor | undefined) {
  return descriptor?.kind === 'IoTServiceDescriptor' ? descriptor : undefined;
}
