import type { components } from '../../api-specs/generated/mco.ts';
import { saying } from './agent-meddles.ts';
import type { BrokenAgent } from './broken-agents.ts';
import type { Meddle } from './meddling-proxy.ts';

type Facts = NonNullable<components['schemas']['host-facts']['agentUpgrade']>;
type Order = NonNullable<Facts['order']>;

/** Changes what the agent tells of the newest order. */
function telling(revise: (order: Order) => Order | undefined): () => Meddle {
  return saying('facts', (body) => {
    const facts = body['agentUpgrade'] as Facts | undefined;
    const order = facts?.order === undefined ? undefined : revise(facts.order);
    const { order: _order, ...rest } = facts ?? { possible: false };
    return { ...body, agentUpgrade: order === undefined ? rest : { ...rest, order } };
  });
}

const AGAIN_MILLISECONDS = 1500;

/** Opens another session for the version of the order once it has ended: it looks as if it were started again. */
function tryingAgain(): Meddle {
  let endedAt = Infinity;
  let isDone = false;
  return async (passing, forward) => {
    const { order } = (passing.body?.['agentUpgrade'] ?? {}) as Partial<Facts>;
    if (passing.what === 'facts' && order?.state === 'ROLLED_BACK')
      endedAt = Math.min(endedAt, performance.now());
    if (performance.now() > endedAt + AGAIN_MILLISECONDS && !isDone && passing.what === 'wanted') {
      isDone = true;
      const body = { proof: 'x', roles: ['orchestration'], lastStateId: 'none', agentVersion: 'x-again' };
      const path = passing.path.replace(/wanted$/, 'sessions');
      const headers = { ...passing.headers, 'mco-boot-id': 'x-again', 'content-type': 'application/json' };
      await forward({ method: 'POST', path, query: new URLSearchParams(), headers, body });
    }
    return forward();
  };
}

/** After each rollback its functions look as if they had been started again. */
function restartingFunctions(): Meddle {
  let isLater = false;
  return (passing, forward) => {
    const { order } = (passing.body?.['agentUpgrade'] ?? {}) as Partial<Facts>;
    if (passing.what === 'facts' && order !== undefined) isLater = true;
    if (passing.what !== 'reports' || passing.body === undefined || !isLater) return forward();
    const workloads = passing.body['workloads'] as readonly {
      readonly instances: readonly { readonly restarts: number }[];
    }[];
    const revised = workloads.map((each) => ({
      ...each,
      instances: each.instances.map((one) => ({ ...one, restarts: one.restarts + 1 })),
    }));
    return forward({ body: { ...passing.body, workloads: revised } });
  };
}

/** One for each behaviour of an agent that exchanges its own program; each is a packed agent. */
export const BROKEN_UPGRADING_AGENTS: readonly BrokenAgent[] = [
  {
    requirement: 'MCO-O-081',
    does: 'goes on with a version that does not come up',
    make: saying('facts', (body) => {
      const { order } = (body['agentUpgrade'] ?? {}) as Partial<Facts>;
      return order === undefined ? body : { ...body, agentVersion: `x-${order.version}` };
    }),
  },
  {
    requirement: 'MCO-O-089',
    does: 'says nothing of orders',
    make: telling(() => undefined),
  },
  {
    requirement: 'MCO-O-090',
    does: 'starts its functions again with another version',
    make: restartingFunctions,
  },
  {
    requirement: 'MCO-O-091',
    does: 'tries what calls itself otherwise',
    make: telling((order) => (order.state === 'REFUSED' ? { ...order, state: 'ROLLED_BACK' } : order)),
  },
  {
    requirement: 'MCO-O-092',
    does: 'stays with a version whose trial was killed',
    make: telling((order) => (order.state === 'ROLLED_BACK' ? { ...order, state: 'CONFIRMED' } : order)),
  },
  {
    requirement: 'MCO-O-094',
    does: 'confirms a version that was not heard',
    make: telling((order) => (order.state === 'ROLLED_BACK' ? { ...order, state: 'CONFIRMED' } : order)),
  },
  {
    requirement: 'MCO-O-095',
    does: 'tries a version again under an order that has ended',
    make: tryingAgain,
  },
];
