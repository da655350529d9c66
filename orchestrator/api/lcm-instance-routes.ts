import type { LcmOpOccId, TenantId } from '../../kernel/index.ts';
import type { StoredRecord, Write } from '../store/index.ts';
import { OPERATORS, READERS, bodyOf, type ApiRequest, type ApiResponse, type Route } from './route.ts';
import { etagOf, listResponse, requireIfMatch, type ResourceShape } from './sol013/index.ts';

/** What the instances of SOL003 (functions) and of SOL005 (services) have in common. */
export interface LcmInstances<CreateRequest, Instance extends StoredRecord> {
  readonly path: string;
  /** Name of the id in the path. */
  readonly parameter: string;
  readonly shape: ResourceShape;
  readonly useCases: {
    list(tenant: TenantId): readonly Instance[];
    get(tenant: TenantId, id: string): Instance;
    create(
      tenant: TenantId,
      request: CreateRequest,
      alongside: (created: Instance) => readonly Write[],
    ): Instance;
    delete(tenant: TenantId, id: string): void;
  };
  view(origin: string, record: Instance): object;
}

/** An instance resource: created, listed, read, deleted. */
export function lcmInstanceRoutes<CreateRequest, Instance extends StoredRecord>(
  instances: LcmInstances<CreateRequest, Instance>,
): readonly Route[] {
  const { path, parameter, shape, useCases, view } = instances;
  const one = `${path}/{${parameter}}`;
  const find = ({ params, caller }: ApiRequest): Instance =>
    useCases.get(caller.tenant, params[parameter] ?? '');
  return [
    {
      method: 'GET',
      path,
      access: READERS,
      body: 'none',
      handle: async (request) =>
        listResponse(
          request,
          useCases.list(request.caller.tenant),
          (record) => view(request.origin, record),
          shape,
        ),
    },
    {
      method: 'POST',
      path,
      access: OPERATORS,
      body: 'json',
      idempotent: true,
      handle: async (request) => create(instances, request),
    },
    {
      method: 'GET',
      path: one,
      access: READERS,
      body: 'none',
      handle: async (request) => {
        const record = find(request);
        return { status: 200, headers: { ETag: etagOf(record) }, body: view(request.origin, record) };
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
        useCases.delete(request.caller.tenant, record.id);
        return { status: 204 };
      },
    },
  ];
}

function create<CreateRequest, Instance extends StoredRecord>(
  { path, useCases, view }: LcmInstances<CreateRequest, Instance>,
  request: ApiRequest,
): ApiResponse {
  const answer = (record: Instance): ApiResponse => ({
    status: 201,
    headers: { Location: `${request.origin}${path}/${record.id}`, ETag: etagOf(record) },
    body: view(request.origin, record),
  });
  const alongside = (record: Instance): readonly Write[] => request.idempotencyWrites(answer(record));
  return answer(useCases.create(request.caller.tenant, bodyOf<CreateRequest>(request), alongside));
}

/** A task of an instance, such as `terminate`: it starts an operation, which has writes of the caller's in its first commit. */
export interface LcmTask {
  readonly path: string;
  /** Where the operation occurrences are, for the Location. */
  readonly opOccs: string;
  start(request: ApiRequest, alongside: (id: LcmOpOccId) => readonly Write[]): LcmOpOccId;
  /** What `start` would do, shown for `dryRun=true`. */
  readonly plan?: (request: ApiRequest) => object;
}

/** A task resource: 202, with the operation occurrence as Location. */
export function lcmTaskRoute({ path, opOccs, start, plan }: LcmTask): Route {
  return {
    method: 'POST',
    path,
    access: OPERATORS,
    body: 'json',
    idempotent: true,
    handle: async (request) => {
      if (plan !== undefined && request.query.get('dryRun') === 'true')
        return { status: 200, body: plan(request) };
      const answer = (id: LcmOpOccId): ApiResponse => ({
        status: 202,
        headers: { Location: `${request.origin}${opOccs}/${id}` },
      });
      return answer(start(request, (id) => request.idempotencyWrites(answer(id))));
    },
  };
}
