import type { components as NsdWire } from '../../api-specs/generated/nsd.ts';
import type { components as PackageWire } from '../../api-specs/generated/vnfpkgm.ts';
import type { StateView } from '../store/index.ts';
import {
  OPERATORS,
  READERS,
  bodyOf,
  etagOf,
  listResponse,
  mergePatch,
  requireIfMatch,
  type ApiRequest,
  type ApiResponse,
  type Route,
} from '../api/route.ts';
import type { ContentFiles } from './content-files.ts';
import type { ContentDocument, ContentRecord } from './content-records.ts';
import { idsInUse } from './ids-in-use.ts';
import { contentRoutes } from './content-routes.ts';
import type { Onboarding } from './onboarding.ts';
import { RESOURCES, type Resource } from './resources.ts';

export interface PackageRouteOptions {
  readonly state: StateView;
  readonly onboarding: Onboarding;
  readonly files: ContentFiles;
}

/** `/vnfpkgm/v2/vnf_packages` and `/nsd/v2/ns_descriptors` with all that is below them. */
export function packageRoutes(options: PackageRouteOptions): readonly Route[] {
  return RESOURCES.flatMap((resource) => [
    ...resourceRoutes(options, resource),
    ...contentRoutes(options.onboarding, options.files, resource),
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
