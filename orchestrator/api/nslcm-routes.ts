import type { HealNs, InstantiateNs, ScaleNs, Services, UpdateNs } from '../services/index.ts';
import { lcmInstanceRoutes, lcmTaskRoute, type LcmTask } from './lcm-instance-routes.ts';
import { lcmOpOccRoutes } from './lcm-op-occ-routes.ts';
import { NS_INSTANCES, NS_OP_OCCS, nsInstanceView, nsOpOccView } from './ns-representation.ts';
import { bodyOf, type ApiRequest, type Route } from './route.ts';
import type { ResourceShape } from './sol013/index.ts';

const INSTANCE = `${NS_INSTANCES}/{nsInstanceId}`;

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
    'nsScaleStatus',
    'parameters',
    '_links',
  ],
  optionalComplex: ['vnfInstance', 'nsScaleStatus', 'parameters'],
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
  const { ns, opOccs } = services;
  const idOf = ({ params }: ApiRequest) => params['nsInstanceId'] ?? '';
  const task = (name: string, start: LcmTask['start'], plan?: LcmTask['plan']): Route =>
    lcmTaskRoute({
      path: `${INSTANCE}/${name}`,
      opOccs: NS_OP_OCCS,
      start,
      ...(plan === undefined ? {} : { plan }),
    });
  return [
    ...lcmInstanceRoutes({
      path: NS_INSTANCES,
      parameter: 'nsInstanceId',
      shape: INSTANCE_SHAPE,
      useCases: ns,
      view: (origin, record) => nsInstanceView(services, origin, record),
    }),
    task(
      'instantiate',
      (request, alongside) =>
        ns.instantiate(request.caller.tenant, idOf(request), bodyOf<InstantiateNs>(request), alongside),
      (request) => ns.planInstantiation(request.caller.tenant, idOf(request), bodyOf<InstantiateNs>(request)),
    ),
    task('terminate', (request, alongside) =>
      ns.terminate(request.caller.tenant, idOf(request), bodyOf<object>(request), alongside),
    ),
    task('heal', (request, alongside) =>
      ns.heal(request.caller.tenant, idOf(request), bodyOf<HealNs>(request), alongside),
    ),
    task(
      'scale',
      (request, alongside) =>
        ns.scale(request.caller.tenant, idOf(request), bodyOf<ScaleNs>(request), alongside),
      (request) => ns.planScale(request.caller.tenant, idOf(request), bodyOf<ScaleNs>(request)),
    ),
    task('update', (request, alongside) =>
      ns.update(request.caller.tenant, idOf(request), bodyOf<UpdateNs>(request), alongside),
    ),
    ...lcmOpOccRoutes({
      path: NS_OP_OCCS,
      parameter: 'nsLcmOpOccId',
      shape: OP_OCC_SHAPE,
      useCases: opOccs,
      view: (origin, record) => nsOpOccView(services, origin, record),
    }),
  ];
}
