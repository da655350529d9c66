import { parseId, type NsInstanceId, type VnfInstanceId } from '../../kernel/index.ts';
import { OPERATORS, READERS, bodyOf, listResponse, type ApiRequest, type Route } from '../api/route.ts';
import { scalingAspectId } from './aspect-id.ts';
import { presentAspect, presentWhole, type AspectsInMind } from './present-aspect.ts';
import type { Scaled } from './scaled.ts';
import type { AspectModifications, ScalingUseCases } from './scaling-use-cases.ts';

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
          id: scalingAspectId(found.scaled.id, found.aspect.aspect),
        }));
        // The pages go by id.
        const rows = all.toSorted((a, b) => (a.id < b.id ? -1 : 1));
        return listResponse(request, rows, ({ found }) => presentAspect(found, inMind));
      },
    },
    ...aspectRoutes(useCases, inMind, 'function', 'vnf_instances/{vnfInstanceId}', ({ params }) =>
      parseId<VnfInstanceId>(params['vnfInstanceId'], 'vnfInstanceId'),
    ),
    ...aspectRoutes(useCases, inMind, 'service', 'ns_instances/{nsInstanceId}', ({ params }) =>
      parseId<NsInstanceId>(params['nsInstanceId'], 'nsInstanceId'),
    ),
  ];
}

function aspectRoutes(
  useCases: ScalingUseCases,
  inMind: AspectsInMind,
  kind: Scaled['kind'],
  instance: string,
  idIn: (request: ApiRequest) => string,
): readonly Route[] {
  const path = `/iotmano/v1/${instance}/scaling_aspects/{aspectId}`;
  const aspectIn = ({ params }: ApiRequest): string => params['aspectId'] ?? '';
  return [
    {
      method: 'GET',
      path,
      access: READERS,
      body: 'none',
      handle: async (request) => {
        const found = useCases.get(request.caller.tenant, kind, idIn(request), aspectIn(request));
        return { status: 200, body: presentWhole(found, inMind) };
      },
    },
    {
      method: 'PATCH',
      path,
      access: OPERATORS,
      body: 'merge-patch',
      handle: async (request) => {
        const changes = bodyOf<AspectModifications>(request);
        const { tenant } = request.caller;
        const found = useCases.modify(tenant, kind, idIn(request), aspectIn(request), changes);
        return { status: 200, body: presentWhole(found, inMind) };
      },
    },
  ];
}
