import { maxSatisfying } from 'semver';
import type { ResourceShape } from '../api/route.ts';
import type { StateView } from '../store/index.ts';
import type { ContentKind, ContentRecord } from './content-records.ts';
import { NSD_SHAPE, VNF_PKG_SHAPE, nsdInfo, vnfPkgInfo } from './views.ts';

/** What differs between the two resources. */
export interface Resource {
  readonly kind: ContentKind;
  readonly path: string;
  readonly parameter: string;
  readonly content: string;
  readonly descriptor: string;
  readonly stateAttribute: 'operationalState' | 'nsdOperationalState';
  readonly shape: ResourceShape;
  readonly view: (
    state: StateView,
    record: ContentRecord,
    inUse: ReadonlySet<string>,
    origin: string,
  ) => object;
}

export const RESOURCES: readonly Resource[] = [
  {
    kind: 'vnf-package',
    path: '/vnfpkgm/v2/vnf_packages',
    parameter: 'vnfPkgId',
    content: 'package_content',
    descriptor: 'vnfd',
    stateAttribute: 'operationalState',
    shape: VNF_PKG_SHAPE,
    view: (_state, record, inUse, origin) => vnfPkgInfo(record, inUse.has(record.id), origin),
  },
  {
    kind: 'ns-descriptor',
    path: '/nsd/v2/ns_descriptors',
    parameter: 'nsdInfoId',
    content: 'nsd_content',
    descriptor: 'nsd',
    stateAttribute: 'nsdOperationalState',
    shape: NSD_SHAPE,
    view: (state, record, inUse, origin) =>
      nsdInfo(record, inUse.has(record.id), resolvePackages(state, record), origin),
  },
];

/** Packages that the functions of a service resolve to now: the highest enabled version in each range. */
function resolvePackages(state: StateView, { tenant, document }: ContentRecord): readonly string[] {
  const descriptor = document.descriptor;
  if (descriptor?.kind !== 'IoTServiceDescriptor') return [];
  const usable = [...state.list('vnf-package')].filter(
    (record) => record.tenant === tenant && record.document.operationalState === 'ENABLED',
  );
  const ids = descriptor.functions.flatMap(({ function: invariantId, version }) => {
    const candidates = usable.filter(
      (record) => record.document.descriptor?.metadata.invariantId === invariantId,
    );
    const versions = candidates.flatMap(
      (record) => record.document.descriptor?.metadata.softwareVersion ?? [],
    );
    const best = maxSatisfying(versions, version);
    return (
      candidates.find((record) => record.document.descriptor?.metadata.softwareVersion === best)?.id ?? []
    );
  });
  return [...new Set(ids)];
}
