import { IotmanoError } from '../../kernel/index.ts';
import { READERS, type ApiRequest, type Route } from '../api/route.ts';
import type { FunctionChoice, Lifecycle } from '../lifecycle/index.ts';
import type { StateStore } from '../store/index.ts';
import { hostOf } from './host-routes.ts';

const CHOICES = ['nsInstanceId', 'vnfInstanceId', 'vnfPkgId'] as const;

/** Why functions are on a host, or are not. A tenant learns of its own functions; of what others have there, only how much it is together. */
export function hostExplanationRoutes(
  store: StateStore,
  lifecycle: Pick<Lifecycle, 'explainHost'>,
): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/iotmano/v1/hosts/{hostId}/explanation',
      access: READERS,
      body: 'none',
      handle: async (request) => ({
        status: 200,
        body: lifecycle.explainHost(request.caller.tenant, hostOf(store, request), choiceOf(request)),
      }),
    },
  ];
}

/** @throws IotmanoError `invalid-parameter` */
function choiceOf({ query }: ApiRequest): FunctionChoice {
  const given = CHOICES.flatMap((name) => {
    const value = query.get(name);
    return value === null ? [] : [[name, value] as const];
  });
  if (given.length > 1)
    throw new IotmanoError(
      'invalid-parameter',
      `${given.map(([name]) => name).join(' and ')} exclude each other; name one of ${CHOICES.join(', ')}, or none`,
    );
  return Object.fromEntries(given);
}
