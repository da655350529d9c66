import type { LcmOpOccId } from '../../kernel/index.ts';
import type { CreateNs, HealNs, InstantiateNs, Services } from '../services/index.ts';
import type { StoredRecord } from '../store/index.ts';
import { NS_INSTANCES, NS_OP_OCCS, nsInstanceView, nsOpOccView } from './ns-representation.ts';
import { OPERATORS, READERS, bodyOf, type ApiRequest, type ApiResponse, type Route } from './route.ts';
import { etagOf, listResponse, requireIfMatch, type ResourceShape } from './sol013/index.ts';

const INSTANCE = `${NS_INSTANCES}/{nsInstanceId}`;
const OP_OCC = `${NS_OP_OCCS}/{nsLcmOpOccId}`;

const INSTANCE_SHAPE: ResourceShape = {
  attributes: [
    'id',
    'nsInstanceName',
    'nsInstanceDescription',
    'nsdId',
    'nsdInfoId',
    'flavourId',
    'vnfInstance',
    'nsState',
    'parameters',
    '_links',
  ],
  optionalComplex: ['vnfInstance', 'parameters'],
  excludedByDefault: ['vnfInstance'],
};

const OP_OCC_SHAPE: ResourceShape = {
  attributes: [
    'id',
    'operationState',
    'stateEnteredTime',
    'nsInstanceId',
    'lcmOperationType',
    'startTime',
    'isAutomaticInvocation',
    'operationParams',
    'isCancelPending',
    'cancelMode',
    'error',
    'resourceChanges',
    'progress',
    '_links',
  ],
  optionalComplex: ['operationParams', 'error', 'resourceChanges', 'progress'],
  excludedByDefault: ['operationParams', 'error', 'resourceChanges'],
};

/** NS lifecycle management (SOL005 clause 6). */
export function nsLcmRoutes(services: Services): readonly Route[] {
  const { ns } = services;
  const idOf = ({ params }: ApiRequest) => params['nsInstanceId'] ?? '';
  return [
    {
      method: 'GET',
      path: NS_INSTANCES,
      access: READERS,
      body: 'none',
      handle: async (request) =>
        listResponse(
          request,
          ns.list(request.caller.tenant),
          (record) => nsInstanceView(services, request.origin, record),
          INSTANCE_SHAPE,
        ),
    },
    {
      method: 'POST',
      path: NS_INSTANCES,
      access: OPERATORS,
      body: 'json',
      idempotent: true,
      handle: async (request) => {
        const answer = (record: StoredRecord<'ns-instance'>): ApiResponse => ({
          status: 201,
          headers: { Location: `${request.origin}${NS_INSTANCES}/${record.id}`, ETag: etagOf(record) },
          body: nsInstanceView(services, request.origin, record),
        });
        return answer(
          ns.create(request.caller.tenant, bodyOf<CreateNs>(request), (record) =>
            request.idempotencyWrites(answer(record)),
          ),
        );
      },
    },
    {
      method: 'GET',
      path: INSTANCE,
      access: READERS,
      body: 'none',
      handle: async (request) => {
        const record = ns.get(request.caller.tenant, idOf(request));
        return {
          status: 200,
          headers: { ETag: etagOf(record) },
          body: nsInstanceView(services, request.origin, record),
        };
      },
    },
    {
      method: 'DELETE',
      path: INSTANCE,
      access: OPERATORS,
      body: 'none',
      handle: async (request) => {
        requireIfMatch(request, ns.get(request.caller.tenant, idOf(request)));
        ns.delete(request.caller.tenant, idOf(request));
        return { status: 204 };
      },
    },
    task(
      `${INSTANCE}/instantiate`,
      (request, alongside) =>
        ns.instantiate(request.caller.tenant, idOf(request), bodyOf<InstantiateNs>(request), alongside),
      (request) => ns.planInstantiation(request.caller.tenant, idOf(request), bodyOf<InstantiateNs>(request)),
    ),
    task(`${INSTANCE}/terminate`, (request, alongside) =>
      ns.terminate(request.caller.tenant, idOf(request), bodyOf<object>(request), alongside),
    ),
    task(`${INSTANCE}/heal`, (request, alongside) =>
      ns.heal(request.caller.tenant, idOf(request), bodyOf<HealNs>(request), alongside),
    ),
    ...opOccRoutes(services),
  ];
}

type StartOperation = (
  request: ApiRequest,
  alongside: (id: LcmOpOccId) => ReturnType<ApiRequest['idempotencyWrites']>,
) => LcmOpOccId;

/** A task resource that starts an operation: 202, with the operation occurrence as Location; `dryRun=true` shows the plan. */
function task(path: string, start: StartOperation, plan?: (request: ApiRequest) => object): Route {
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
        headers: { Location: `${request.origin}${NS_OP_OCCS}/${id}` },
      });
      return answer(start(request, (id) => request.idempotencyWrites(answer(id))));
    },
  };
}

function opOccRoutes(services: Services): readonly Route[] {
  const { opOccs } = services;
  const idOf = ({ params }: ApiRequest) => params['nsLcmOpOccId'] ?? '';
  const view = (request: ApiRequest) =>
    nsOpOccView(services, request.origin, opOccs.get(request.caller.tenant, idOf(request)));
  const act = (name: string, run: (request: ApiRequest) => void, body: Route['body'] = 'none'): Route => ({
    method: 'POST',
    path: `${OP_OCC}/${name}`,
    access: OPERATORS,
    body,
    handle: async (request) => {
      run(request);
      return { status: 202 };
    },
  });
  return [
    {
      method: 'GET',
      path: NS_OP_OCCS,
      access: READERS,
      body: 'none',
      handle: async (request) =>
        listResponse(
          request,
          opOccs.list(request.caller.tenant),
          (record) => nsOpOccView(services, request.origin, record),
          OP_OCC_SHAPE,
        ),
    },
    {
      method: 'GET',
      path: OP_OCC,
      access: READERS,
      body: 'none',
      handle: async (request) => ({ status: 200, body: view(request) }),
    },
    act('retry', (request) => opOccs.retry(request.caller.tenant, idOf(request))),
    act('rollback', (request) => opOccs.rollback(request.caller.tenant, idOf(request))),
    act('continue', (request) => opOccs.continue(request.caller.tenant, idOf(request))),
    {
      method: 'POST',
      path: `${OP_OCC}/fail`,
      access: OPERATORS,
      body: 'none',
      handle: async (request) => {
        opOccs.fail(request.caller.tenant, idOf(request));
        return { status: 200, body: view(request) };
      },
    },
    act(
      'cancel',
      (request) =>
        opOccs.cancel(
          request.caller.tenant,
          idOf(request),
          bodyOf<{ cancelMode: 'GRACEFUL' | 'FORCEFUL' }>(request).cancelMode,
        ),
      'json',
    ),
  ];
}
