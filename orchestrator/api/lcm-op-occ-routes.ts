import type { TenantId } from '../../kernel/index.ts';
import type { StoredRecord } from '../store/index.ts';
import { OPERATORS, READERS, bodyOf, type ApiRequest, type ApiResponse, type Route } from './route.ts';
import { etagOf, listResponse, type ResourceShape } from './sol013/index.ts';

/** Operation occurrences and what can be done about one. */
export interface LcmOpOccs<OpOcc extends StoredRecord> {
  readonly path: string;
  /** Name of the id in the path. */
  readonly parameter: string;
  readonly shape: ResourceShape;
  readonly useCases: {
    list(tenant: TenantId): readonly OpOcc[];
    get(tenant: TenantId, id: string): OpOcc;
    retry(tenant: TenantId, id: string): void;
    rollback(tenant: TenantId, id: string): void;
    /** Of services only. */
    continue?(tenant: TenantId, id: string): void;
    fail(tenant: TenantId, id: string): void;
    cancel(tenant: TenantId, id: string, mode: 'GRACEFUL' | 'FORCEFUL'): void;
  };
  view(origin: string, record: OpOcc): object;
}

/** Listed, read, and the tasks retry, rollback, fail and cancel; of services also continue. */
export function lcmOpOccRoutes<OpOcc extends StoredRecord>(opOccs: LcmOpOccs<OpOcc>): readonly Route[] {
  const { path, parameter, shape, useCases, view } = opOccs;
  const one = `${path}/{${parameter}}`;
  const idOf = ({ params }: ApiRequest): string => params[parameter] ?? '';
  const show = (request: ApiRequest): ApiResponse => {
    const record = useCases.get(request.caller.tenant, idOf(request));
    return { status: 200, headers: { ETag: etagOf(record) }, body: view(request.origin, record) };
  };
  /** SOL005 asks for the Location, SOL003 does not mind it. */
  const accepted = (request: ApiRequest): ApiResponse => ({
    status: 202,
    headers: { Location: `${request.origin}${path}/${idOf(request)}` },
  });
  const act = (
    name: string,
    body: Route['body'],
    run: (tenant: TenantId, id: string, request: ApiRequest) => void,
    answer: (request: ApiRequest) => ApiResponse = accepted,
  ): Route => ({
    method: 'POST',
    path: `${one}/${name}`,
    access: OPERATORS,
    body,
    handle: async (request) => {
      run(request.caller.tenant, idOf(request), request);
      return answer(request);
    },
  });
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
    { method: 'GET', path: one, access: READERS, body: 'none', handle: async (request) => show(request) },
    act('retry', 'none', useCases.retry),
    act('rollback', 'none', useCases.rollback),
    ...(useCases.continue === undefined ? [] : [act('continue', 'none', useCases.continue)]),
    act('fail', 'none', useCases.fail, show),
    act('cancel', 'json', (tenant, id, request) =>
      useCases.cancel(tenant, id, bodyOf<{ cancelMode: 'GRACEFUL' | 'FORCEFUL' }>(request).cancelMode),
    ),
  ];
}
