import type {
  ChangeVnfPkg,
  HealVnf,
  ModifyVnf,
  InstantiateVnf,
  Lifecycle,
  ScaleRequest,
} from '../lifecycle/index.ts';
import { lcmInstanceRoutes, lcmTaskRoute, type LcmTask } from './lcm-instance-routes.ts';
import { lcmOpOccRoutes } from './lcm-op-occ-routes.ts';
import { OPERATORS, READERS, bodyOf, type ApiRequest, type Route } from './route.ts';
import { listResponse, requireIfMatch, type ResourceShape } from './sol013/index.ts';
import { VNF_INSTANCES, VNF_OP_OCCS, vnfInstanceView, vnfOpOccView } from './vnf-representation.ts';

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

const OP_OCC_SHAPE: ResourceShape = {
  attributes: [
    'id',
    'operationState',
    'stateEnteredTime',
    'startTime',
    'vnfInstanceId',
    'operation',
    'isAutomaticInvocation',
    'operationParams',
    'isCancelPending',
    'cancelMode',
    'error',
    'resourceChanges',
    'rollout',
    'progress',
    '_links',
  ],
  optionalComplex: ['operationParams', 'error', 'resourceChanges', 'rollout', 'progress'],
  excludedByDefault: ['operationParams', 'error', 'resourceChanges'],
};

/** VNF lifecycle management (SOL003 clause 5). */
export function vnfLcmRoutes(lifecycle: Lifecycle): readonly Route[] {
  const { vnf, opOccs } = lifecycle;
  const idOf = ({ params }: ApiRequest) => params['vnfInstanceId'] ?? '';
  const task = (name: string, start: LcmTask['start'], plan?: LcmTask['plan']): Route =>
    lcmTaskRoute({
      path: `${INSTANCE}/${name}`,
      opOccs: VNF_OP_OCCS,
      start,
      ...(plan === undefined ? {} : { plan }),
    });
  return [
    ...lcmInstanceRoutes({
      path: VNF_INSTANCES,
      parameter: 'vnfInstanceId',
      shape: INSTANCE_SHAPE,
      useCases: vnf,
      view: (origin, record) => vnfInstanceView(lifecycle, origin, record),
    }),
    task(
      'instantiate',
      (request, alongside) =>
        vnf.instantiate(request.caller.tenant, idOf(request), bodyOf<InstantiateVnf>(request), alongside),
      (request) =>
        vnf.planInstantiation(request.caller.tenant, idOf(request), bodyOf<InstantiateVnf>(request)),
    ),
    task('terminate', (request, alongside) =>
      vnf.terminate(request.caller.tenant, idOf(request), bodyOf<object>(request), alongside),
    ),
    task(
      'heal',
      (request, alongside) =>
        vnf.heal(request.caller.tenant, idOf(request), bodyOf<HealVnf>(request), alongside),
      (request) => vnf.planHeal(request.caller.tenant, idOf(request), bodyOf<HealVnf>(request)),
    ),
    task(
      'scale',
      (request, alongside) =>
        vnf.scale(request.caller.tenant, idOf(request), bodyOf<ScaleRequest>(request), alongside),
      (request) => vnf.planScale(request.caller.tenant, idOf(request), bodyOf<ScaleRequest>(request)),
    ),
    task(
      'change_vnfpkg',
      (request, alongside) =>
        vnf.changePackage(request.caller.tenant, idOf(request), bodyOf<ChangeVnfPkg>(request), alongside),
      (request) => vnf.planChange(request.caller.tenant, idOf(request), bodyOf<ChangeVnfPkg>(request)),
    ),
    ...lcmOpOccRoutes({
      path: VNF_OP_OCCS,
      parameter: 'vnfLcmOpOccId',
      shape: OP_OCC_SHAPE,
      useCases: opOccs,
      view: (origin, record) => vnfOpOccView(lifecycle, origin, record),
    }),
    {
      method: 'PATCH',
      path: INSTANCE,
      access: OPERATORS,
      body: 'merge-patch',
      handle: async (request) => {
        const { tenant } = request.caller;
        requireIfMatch(request, vnf.get(tenant, idOf(request)));
        const id = vnf.modify(tenant, idOf(request), bodyOf<ModifyVnf>(request));
        return { status: 202, headers: { Location: `${request.origin}${VNF_OP_OCCS}/${id}` } };
      },
    },
    ...(['pause', 'resume'] as const).map((name): Route => ({
      method: 'POST',
      path: `/iotmano/v1/vnf_lcm_op_occs/{vnfLcmOpOccId}/${name}`,
      access: OPERATORS,
      body: 'none',
      handle: async ({ caller, params }) => {
        opOccs.pause(caller.tenant, params['vnfLcmOpOccId'] ?? '', name === 'pause');
        return { status: 204 };
      },
    })),
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
