import { answered, revising, withBody, type Broken } from './broken-orchestrators.ts';
import type { Meddle, Passed, Passing } from './meddling-proxy.ts';

interface Facts {
  readonly possible?: boolean;
  readonly order?: { readonly state?: string };
}

function orderIn({ body }: Passed): unknown {
  return body?.['agentUpgrade'];
}

function factsIn({ what, body }: Passing): Facts | undefined {
  return what === 'facts' ? (body?.['agentUpgrade'] as Facts | undefined) : undefined;
}

function withoutOrder(passed: Passed): Passed {
  if (passed.body === undefined) return passed;
  const { agentUpgrade: _order, ...body } = passed.body;
  return { ...passed, body };
}

/** Gives the newest order to more hosts than have it. @param isMeant by what the host has said of itself, and of how far it is */
function spreading(isMeant: (facts: Facts | undefined, hasEnded: boolean) => boolean): () => Meddle {
  return () => {
    const known = new Map<string, Facts>();
    let order: unknown;
    let hasEnded = false;
    return async (passing, forward) => {
      const facts = factsIn(passing);
      if (facts !== undefined) known.set(passing.hostId, facts);
      hasEnded ||= facts?.order !== undefined;
      const passed = await forward();
      if (passing.what !== 'wanted' || passed.status !== 200) return passed;
      order = orderIn(passed) ?? order;
      const isToBe = order !== undefined && isMeant(known.get(passing.hostId), hasEnded);
      return isToBe ? withBody(passed, { agentUpgrade: order }) : passed;
    };
  };
}

/** An order that a host was told once stands for ever, or only for a while in which the host is heard. */
function remembering(
  revise: (
    told: { readonly order: unknown; readonly silentMilliseconds: number; readonly times: number },
    passed: Passed,
  ) => Passed,
): () => Meddle {
  return () => {
    const orders = new Map<string, { order: unknown; at: number; times: number }>();
    return async (passing, forward) => {
      const passed = await forward();
      if (passing.what !== 'wanted' || passed.status !== 200) return passed;
      const before = orders.get(passing.hostId);
      const order = orderIn(passed) ?? before?.order;
      const now = performance.now();
      if (order !== undefined)
        orders.set(passing.hostId, { order, at: now, times: (before?.times ?? 0) + 1 });
      const silentMilliseconds = before === undefined ? 0 : now - before.at;
      return order === undefined
        ? passed
        : revise({ order, silentMilliseconds, times: before?.times ?? 0 }, passed);
    };
  };
}

const LONG_MILLISECONDS = 10_000;

/** One for each behaviour of an orchestrator that upgrades agents. */
export const BROKEN_UPGRADING_ORCHESTRATORS: readonly Broken[] = [
  {
    requirement: 'MCO-O-082',
    does: 'upgrades all hosts at once',
    make: spreading((facts, hasEnded) => facts?.possible === true && !hasEnded),
  },
  {
    requirement: 'MCO-O-096',
    does: 'forgets its orders',
    make: remembering(({ times }, passed) => (times > 0 ? withoutOrder(passed) : passed)),
  },
  {
    requirement: 'MCO-O-097',
    does: 'gives no order to hosts that were away',
    make: remembering(({ silentMilliseconds }, passed) =>
      silentMilliseconds > LONG_MILLISECONDS ? withoutOrder(passed) : passed,
    ),
  },
  {
    requirement: 'MCO-O-098',
    does: 'gives orders to hosts that cannot follow them',
    make: spreading((facts) => facts?.possible === false),
  },
  {
    requirement: 'MCO-O-099',
    does: 'gives programs to everybody',
    make: revising('artifacts', (passed) => (passed.status === 404 ? answered(200, {}) : passed)),
  },
  {
    requirement: 'MCO-O-099',
    does: 'takes no order back',
    make: remembering(({ order }, passed) => withBody(passed, { agentUpgrade: order })),
  },
];
