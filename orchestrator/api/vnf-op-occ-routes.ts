import type { Lifecycle } from '../lifecycle/index.ts';
import { OPERATORS, READERS, bodyOf, type ApiRequest, type ApiResponse, type Route } from './route.ts';
import { listResponse, type ResourceShape } from './sol013/index.ts';
import { VNF_OP_OCCS, vnfOpOccView } from './vnf-representation.ts';

const OP_OCC = `${VNF_OP_OCCS}/{vnfLcmOpOccId}`;

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
    'progress',
    '_links',
  ],
  optionalComplex: ['operationParams', 'error', 'resourceChanges', 'progress'],
  excludedByDefault: ['operationParams', 'error', 'resourceChanges'],
};

/** VNF LCM operation occurrences and their tasks (SOL003 clauses 5.4.12 to 5.4.17). */
export function vnfOpOccRoutes(lifecycle: Lifecycle): readonly Route[] {
  const { opOccs } = lifecycle;
  const idOf = ({ params }: ApiRequest) => params['vnfLcmOpOccId'] ?? '';
  const act = (
    name: string,
    run: (request: ApiRequest) => ApiResponse,
    body: Route['body'] = 'none',
  ): Route => ({
    method: 'POST',
    path: `${OP_OCC}/${name}`,
    access: OPERATORS,
    body,
    handle: async (request) => run(request),
  });
  const accepted: ApiResponse = { status: 202 };
  return [
    {
      method: 'GET',
      path: VNF_OP_OCCS,
      access: READERS,
      body: 'none',
      handle: async (request) =>
        listResponse(
          request,
          opOccs.list(request.caller.tenant),
          (record) => vnfOpOccView(lifecycle, request.origin, record),
          OP_OCC_SHAPE,
        ),
    },
    {
      method: 'GET',
      path: OP_OCC,
      access: READERS,
      body: 'none',
      handle: async (request) => ({
        status: 200,
        body: vnfOpOccView(lifecycle, request.origin, opOccs.get(request.caller.tenant, idOf(request))),
      }),
    },
    act('retry', (request) => {
      opOccs.retry(request.caller.tenant, idOf(request));
      return accepted;
    }),
    act('rollback', (request) => {
      opOccs.rollback(request.caller.tenant, idOf(request));
      return accepted;
    }),
    act('fail', (request) => {
      opOccs.fail(request.caller.tenant, idOf(request));
      const record = opOccs.get(request.caller.tenant, idOf(request));
      return { status: 200, body: vnfOpOccView(lifecycle, request.origin, record) };
    }),
    act(
      'cancel',
      (request) => {
        opOccs.cancel(
          request.caller.tenant,
          idOf(request),
          bodyOf<{ cancelMode: 'GRACEFUL' | 'FORCEFUL' }>(request).cancelMode,
        );
        return accepted;
      },
      'json',
    ),
  ];
}
