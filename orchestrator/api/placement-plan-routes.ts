import type { components } from '../../api-specs/generated/iotmano.ts';
import type { Lifecycle, Relocation, RelocationRequest } from '../lifecycle/index.ts';
import { OPERATORS, bodyOf, type ApiResponse, type Route } from './route.ts';

type PlacementPlan = components['schemas']['PlacementPlan'];

/** Plans that move what is placed: made, shown, carried out. They are not kept: what they start is. */
export function placementPlanRoutes({ relocation }: Pick<Lifecycle, 'relocation'>): readonly Route[] {
  return [
    {
      method: 'POST',
      path: '/iotmano/v1/placement_plans',
      access: OPERATORS,
      body: 'json',
      idempotent: true,
      handle: async (request) => {
        const { caller, query } = request;
        const wanted = bodyOf<RelocationRequest>(request);
        if (query.get('dryRun') === 'true')
          return { status: 200, body: view(relocation.plan(caller, wanted)) };
        return answer(
          relocation.carryOut(caller, wanted, (started) => request.idempotencyWrites(answer(started))),
        );
      },
    },
  ];
}

/** 200 where nothing has been started. */
function answer(started: Relocation): ApiResponse {
  return { status: started.operations.length > 0 ? 202 : 200, body: view(started) };
}

function view({ placementPlanId, kind, plan, names, operations, postponedSteps }: Relocation): PlacementPlan {
  const { moves, instances, cost, score, loadSpread, freedHosts, stuck, spared, isCutShort } = plan;
  return {
    placementPlanId,
    kind,
    moves: moves.map(({ functionId, unit, from, to, ...rest }) => ({
      ...rest,
      vnfInstanceId: functionId,
      function: names.get(functionId) ?? functionId,
      vduId: unit,
      fromHostId: from,
      toHostId: to,
    })),
    instances,
    cost,
    score,
    loadSpread,
    freedHostIds: [...freedHosts],
    stuck: stuck.map(({ reason, isPassing, ...where }) => ({ ...whereabouts(where), reason, isPassing })),
    spared: spared.map(({ limit, ...where }) => ({ ...whereabouts(where), limit })),
    isCutShort,
    operations: [...operations],
    postponedSteps: [...postponedSteps],
  };
}

function whereabouts({
  functionId,
  name,
  unit,
  hostId,
  instances,
}: Omit<Relocation['plan']['stuck'][number], 'reason' | 'isPassing'>) {
  return { vnfInstanceId: functionId, function: name, vduId: unit, hostId, instances };
}
