import type { LcmOpOccId } from '../../kernel/index.ts';
import {
  type CreateVnf,
  type HealVnf,
  type InstantiateVnf,
  type Lifecycle,
  type ScaleRequest,
} from '../lifecycle/index.ts';
import type { StoredRecord } from '../store/index.ts';
import { OPERATORS, READERS, bodyOf, type ApiRequest, type ApiResponse, type Route } from './route.ts';
import { etagOf, listResponse, requireIfMatch, type ResourceShape } from './sol013/index.ts';
import { vnfOpOccRoutes } from './vnf-op-occ-routes.ts';
import { VNF_INSTANCES, VNF_OP_OCCS, vnfInstanceView } from './vnf-representation.ts';

const INSTANCE = `${VNF_INSTANCES}/{vnfInstanceId}`;

const INSTANCE_SHAPE: ResourceShape = {
  attributes: [
    'id',
    'vnfInstanceName',
    'vnfInstanceDescription',
    'vnfdId',
    'vnfProvider',
    'vnfProductName',
    'vnfSoftwareVersion',
    'vnfdVersion',
    'vnfPkgId',
    'vnfConfigurableProperties',
    'instantiationState',
    'instantiatedVnfInfo',
    'metadata',
    'extensions',
    '_links',
  ],
  optionalComplex: ['vnfConfigurableProperties', 'instantiatedVnfInfo', 'metadata', 'extensions'],
  excludedByDefault: ['vnfConfigurableProperties', 'instantiatedVnfInfo', 'metadata', 'extensions'],
};

/** VNF lifecycle management (SOL003 clause 5). */
export function vnfLcmRoutes(lifecycle: Lifecycle): readonly Route[] {
  const { vnf } = lifecycle;
  const idOf = ({ params }: ApiRequest) => params['vnfInstanceId'] ?? '';
  return [
    {
      method: 'GET',
      path: VNF_INSTANCES,
      access: READERS,
      body: 'none',
      handle: async (request) =>
        listResponse(
          request,
          vnf.list(request.caller.tenant),
          (record) => vnfInstanceView(lifecycle, request.origin, record),
          INSTANCE_SHAPE,
        ),
    },
    {
      method: 'POST',
      path: VNF_INSTANCES,
      access: OPERATORS,
      body: 'json',
      idempotent: true,
      handle: async (request) => {
        const answer = (record: StoredRecord<'vnf-instance'>): ApiResponse => ({
          status: 201,
          headers: { Location: `${request.origin}${VNF_INSTANCES}/${record.id}`, ETag: etagOf(record) },
          body: vnfInstanceView(lifecycle, request.origin, record),
        });
        return answer(
          vnf.create(request.caller.tenant, bodyOf<CreateVnf>(request), (record) =>
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
        const record = vnf.get(request.caller.tenant, idOf(request));
        return {
          status: 200,
          headers: { ETag: etagOf(record) },
          body: vnfInstanceView(lifecycle, request.origin, record),
        };
      },
    },
    {
      method: 'DELETE',
      path: INSTANCE,
      access: OPERATORS,
      body: 'none',
      handle: async (request) => {
        requireIfMatch(request, vnf.get(request.caller.tenant, idOf(request)));
        vnf.delete(request.caller.tenant, idOf(request));
        return { status: 204 };
      },
    },
    task(
      `${INSTANCE}/instantiate`,
      (request, alongside) =>
        vnf.instantiate(request.caller.tenant, idOf(request), bodyOf<InstantiateVnf>(request), alongside),
      (request) =>
        vnf.planInstantiation(request.caller.tenant, idOf(request), bodyOf<InstantiateVnf>(request)),
    ),
    task(`${INSTANCE}/terminate`, (request, alongside) =>
      vnf.terminate(request.caller.tenant, idOf(request), bodyOf<object>(request), alongside),
    ),
    task(`${INSTANCE}/heal`, (request, alongside) =>
      vnf.heal(request.caller.tenant, idOf(request), bodyOf<HealVnf>(request), alongside),
    ),
    task(`${INSTANCE}/scale`, (request, alongside) =>
      vnf.scale(request.caller.tenant, idOf(request), bodyOf<ScaleRequest>(request), alongside),
    ),
    ...vnfOpOccRoutes(lifecycle),
    {
      method: 'GET',
      path: '/iotmano/v1/vnfc_instances',
      access: READERS,
      body: 'none',
      handle: async (request) =>
        listResponse(
          request,
          vnf
            .list(request.caller.tenant)
            .flatMap((record) => lifecycle.viewVnfcs(record))
            .toSorted((a, b) => (a.id < b.id ? -1 : 1)),
          ({ resource: _resource, isLeftover: _isLeftover, ...view }) => view,
        ),
    },
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
        headers: { Location: `${request.origin}${VNF_OP_OCCS}/${id}` },
      });
      return answer(start(request, (id) => request.idempotencyWrites(answer(id))));
    },
  };
}
