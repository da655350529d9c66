import { maxSatisfying } from 'semver';
import { IotmanoError } from '../../kernel/index.ts';
import type { components as NsdWire } from '../../api-specs/generated/nsd.ts';
import type { components as PackageWire } from '../../api-specs/generated/vnfpkgm.ts';
import type { StateView } from '../store/index.ts';
import {
  OPERATORS,
  READERS,
  bodyOf,
  etagOf,
  fileResponse,
  listResponse,
  mergePatch,
  requireIfMatch,
  type ApiRequest,
  type ApiResponse,
  type ResourceShape,
  type Route,
} from '../api/route.ts';
import type { ContentFiles } from './content-files.ts';
import {
  CONTENT_NAMES,
  idsInUse,
  type ContentDocument,
  type ContentKind,
  type ContentRecord,
} from './content-records.ts';
import type { MediaType, Onboarding } from './onboarding.ts';
import { NSD_SHAPE, VNF_PKG_SHAPE, nsdInfo, vnfPkgInfo } from './views.ts';

export interface PackageRouteOptions {
  readonly state: StateView;
  readonly onboarding: Onboarding;
  readonly files: ContentFiles;
}

/** What differs between the two resources. */
interface Resource {
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

const RESOURCES: readonly Resource[] = [
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

/** `/vnfpkgm/v2/vnf_packages` and `/nsd/v2/ns_descriptors` with all that is below them. */
export function packageRoutes(options: PackageRouteOptions): readonly Route[] {
  return RESOURCES.flatMap((resource) => [
    ...resourceRoutes(options, resource),
    ...contentRoutes(options, resource),
  ]);
}

function resourceRoutes({ state, onboarding }: PackageRouteOptions, resource: Resource): readonly Route[] {
  const { kind, path, parameter, shape } = resource;
  const one = `${path}/{${parameter}}`;
  const find = (request: ApiRequest): ContentRecord =>
    onboarding.get(kind, request.caller.tenant, request.params[parameter] ?? '');
  const view = (record: ContentRecord, request: ApiRequest): object =>
    resource.view(state, record, idsInUse(state, kind), request.origin);
  return [
    {
      method: 'GET',
      path,
      access: READERS,
      body: 'none',
      handle: async (request) => {
        const inUse = idsInUse(state, kind);
        const rows = onboarding.list(kind, request.caller.tenant);
        return listResponse(
          request,
          rows,
          (record) => resource.view(state, record, inUse, request.origin),
          shape,
        );
      },
    },
    {
      method: 'POST',
      path,
      access: OPERATORS,
      body: 'json',
      idempotent: true,
      handle: async (request) => {
        const { userDefinedData = {} } = bodyOf<CreateContent>(request);
        const answer = (record: ContentRecord): ApiResponse => ({
          status: 201,
          headers: { Location: `${request.origin}${path}/${record.id}`, ETag: etagOf(record) },
          body: view(record, request),
        });
        const record = onboarding.create(kind, request.caller.tenant, userDefinedData, (draft) =>
          request.idempotencyWrites(answer(draft)),
        );
        return answer(record);
      },
    },
    {
      method: 'GET',
      path: one,
      access: READERS,
      body: 'none',
      handle: async (request) => {
        const record = find(request);
        return { status: 200, headers: { ETag: etagOf(record) }, body: view(record, request) };
      },
    },
    {
      method: 'PATCH',
      path: one,
      access: OPERATORS,
      body: 'merge-patch',
      handle: async (request) => {
        const record = find(request);
        requireIfMatch(request, record);
        const { change, modified } = modificationOf(resource, record, bodyOf(request));
        const changed = onboarding.modify(record, change);
        return { status: 200, headers: { ETag: etagOf(changed) }, body: modified };
      },
    },
    {
      method: 'DELETE',
      path: one,
      access: OPERATORS,
      body: 'none',
      handle: async (request) => {
        const record = find(request);
        requireIfMatch(request, record);
        await onboarding.delete(record);
        return { status: 204 };
      },
    },
  ];
}

/** The two are alike. */
type CreateContent = PackageWire['schemas']['CreateVnfPkgInfoRequest'] &
  NsdWire['schemas']['CreateNsdInfoRequest'];

type Modifications = Readonly<Record<string, unknown>> & {
  readonly userDefinedData?: Readonly<Record<string, unknown>>;
};

/** The change of the record, and what the answer shows of it. */
function modificationOf(
  { stateAttribute }: Resource,
  { document }: ContentRecord,
  wanted: Modifications,
): {
  readonly change: Partial<Pick<ContentDocument, 'operationalState' | 'userDefinedData'>>;
  readonly modified: object;
} {
  const state = wanted[stateAttribute] as ContentDocument['operationalState'] | undefined;
  const data =
    wanted.userDefinedData === undefined
      ? undefined
      : (mergePatch(document.userDefinedData, wanted.userDefinedData) as Readonly<Record<string, unknown>>);
  return {
    change: {
      ...(state === undefined ? {} : { operationalState: state }),
      ...(data === undefined ? {} : { userDefinedData: data }),
    },
    modified: {
      ...(state === undefined ? {} : { [stateAttribute]: state }),
      ...(data === undefined ? {} : { userDefinedData: data }),
    },
  };
}

function contentRoutes({ onboarding, files }: PackageRouteOptions, resource: Resource): readonly Route[] {
  const { kind, path, parameter } = resource;
  const one = `${path}/{${parameter}}`;
  const onboarded = (request: ApiRequest): ContentRecord =>
    requireOnboarded(onboarding.get(kind, request.caller.tenant, request.params[parameter] ?? ''));
  return [
    {
      method: 'PUT',
      path: `${one}/${resource.content}`,
      access: OPERATORS,
      body: 'stream',
      handle: async (request) => {
        await onboarding.upload(kind, request.caller.tenant, request.params[parameter] ?? '', {
          stream: request.stream,
          mediaType: mediaTypeOf(request),
          signal: request.signal,
        });
        return { status: 202 };
      },
    },
    {
      method: 'GET',
      path: `${one}/${resource.content}`,
      access: READERS,
      body: 'none',
      handle: async (request) => {
        const { id, document } = onboarded(request);
        const { sizeBytes = 0, mediaType = 'application/zip' } = document.content ?? {};
        return fileResponse(request, { path: files.contentPath(id), sizeBytes, mediaType });
      },
    },
    {
      method: 'GET',
      path: `${one}/${resource.descriptor}`,
      access: READERS,
      body: 'none',
      handle: async (request) => {
        requireTextAccepted(request);
        const { id } = onboarded(request);
        const text = await files.readDescriptor(id);
        return { status: 200, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, text };
      },
    },
    {
      method: 'GET',
      path: `${one}/artifacts/{artifactPath}`,
      access: READERS,
      body: 'none',
      multiSegment: 'artifactPath',
      handle: async (request) => {
        const { document } = onboarded(request);
        const wanted = request.params['artifactPath'] ?? '';
        const artifact = document.artifacts.find((other) => other.path === wanted);
        if (artifact === undefined) {
          throw new IotmanoError(
            'not-found',
            `there is no file ${JSON.stringify(wanted.slice(0, 200))} in it; its resource lists the files it has`,
          );
        }
        const file = await files.openArtifact(artifact.digest);
        return fileResponse(request, { ...file, mediaType: 'application/octet-stream' });
      },
    },
  ];
}

function requireOnboarded(record: ContentRecord): ContentRecord {
  const { onboardingState } = record.document;
  if (onboardingState === 'ONBOARDED') return record;
  throw new IotmanoError(
    'conflict',
    `${CONTENT_NAMES[record.kind]} ${record.id} is ${onboardingState} and has no content to read; upload it, and wait until it is ONBOARDED`,
    { state: onboardingState },
  );
}

/** The pipeline has checked that it is one of the two. */
function mediaTypeOf(request: ApiRequest): MediaType {
  return request.headers['content-type']?.toLowerCase().startsWith('application/yaml') === true
    ? 'application/yaml'
    : 'application/zip';
}

function requireTextAccepted(request: ApiRequest): void {
  const accept = request.headers['accept'];
  if (accept === undefined || /text\/plain|text\/\*|\*\/\*/.test(accept)) return;
  throw new IotmanoError('not-acceptable', 'the descriptor is served as text/plain; accept that', {
    parameter: 'Accept',
  });
}

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
