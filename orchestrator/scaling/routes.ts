import { parseId, type VnfInstanceId } from '../../kernel/index.ts';
import { OPERATORS, READERS, bodyOf, listResponse, type Route } from '../api/route.ts';
import { scalingAspectId } from './aspect-id.ts';
import { presentAspect, presentWhole, type AspectsInMind } from './present-aspect.ts';
import type { AspectModifications, ScalingUseCases } from './scaling-use-cases.ts';

const PATH = '/iotmano/v1/vnf_instances/{vnfInstanceId}/scaling_aspects/{aspectId}';

/** What there is to see and to set of automatic scaling. */
export function scalingRoutes(useCases: ScalingUseCases, inMind: AspectsInMind): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/iotmano/v1/scaling_aspects',
      access: READERS,
      body: 'none',
      handle: async (request) => {
        const all = [...useCases.list(request.caller.tenant)].map((found) => ({
          found,
          id: scalingAspectId(found.record.id as VnfInstanceId, found.aspect.aspect),
        }));
        // The pages go by id.
        const rows = all.toSorted((a, b) => (a.id < b.id ? -1 : 1));
        return listResponse(request, rows, ({ found }) => presentAspect(found, inMind));
      },
    },
    {
      method: 'GET',
      path: PATH,
      access: READERS,
      body: 'none',
      handle: async ({ params, caller }) => ({
        status: 200,
        body: presentWhole(useCases.get(caller.tenant, idIn(params), params['aspectId'] ?? ''), inMind),
      }),
    },
    {
      method: 'PATCH',
      path: PATH,
      access: OPERATORS,
      body: 'merge-patch',
      handle: async (request) => {
        const { params, caller } = request;
        const changes = bodyOf<AspectModifications>(request);
        const found = useCases.modify(caller.tenant, idIn(params), params['aspectId'] ?? '', changes);
        return { status: 200, body: presentWhole(found, inMind) };
      },
    },
  ];
}

function idIn(params: Readonly<Record<string, string>>): VnfInstanceId {
  return parseId<VnfInstanceId>(params['vnfInstanceId'], 'vnfInstanceId');
}
