import { ENVELOPE, assignmentsOf, hearing, withSpec } from './agent-meddles.ts';
import type { BrokenAgent } from './broken-agents.ts';
import type { Json, Meddle, Passed, Passing } from './meddling-proxy.ts';

type Request = Readonly<Record<string, unknown>>;

function requestsOf(body: NonNullable<Json>): readonly Request[] {
  return (body['diagnosticRequests'] ?? []) as readonly Request[];
}

/** Changes what the agent understands of each request. */
function misreading(revise: (request: Request) => Request): () => Meddle {
  return hearing('wanted', (body) => ({ ...body, diagnosticRequests: requestsOf(body).map(revise) }));
}

function receiptFor({ body }: Passing): Passed {
  const nextNumber = Number(body?.['number']) + 1;
  return { status: 200, headers: ENVELOPE, body: { nextNumber, creditBytes: 262_144 } };
}

/** Every request that was ever heard stands on, and its chunks are taken whatever the orchestrator says. */
function goingOn(): Meddle {
  const all = new Map<unknown, Request>();
  return async (passing, forward) => {
    const passed = await forward();
    if (passing.what === 'streams' && passed.status === 410) return receiptFor(passing);
    if (passing.what !== 'wanted' || passed.status !== 200 || passed.body === undefined) return passed;
    for (const each of requestsOf(passed.body)) all.set(each['streamId'], each);
    return { ...passed, body: { ...passed.body, diagnosticRequests: [...all.values()] } };
  };
}

/** One for each behaviour of an agent that is asked for diagnostics; each needs real programs. */
export const BROKEN_DIAGNOSTICS_AGENTS: readonly BrokenAgent[] = [
  {
    requirement: 'MCO-D-003',
    does: 'does not answer diagnostic requests',
    make: hearing('wanted', (body) => ({ ...body, diagnosticRequests: [] })),
  },
  {
    requirement: 'MCO-D-003',
    does: 'does not tell how a command has ended',
    make: () => (passing, forward) => {
      if (passing.what !== 'streams' || passing.body?.['end'] === undefined) return forward();
      return forward({ body: { ...passing.body, end: { reason: 'EXITED' } } });
    },
  },
  { requirement: 'MCO-D-005', does: 'goes on with streams that nobody wants any more', make: goingOn },
  {
    requirement: 'MCO-D-005',
    does: 'knows no bounds of streams',
    make: misreading((request) => ({ ...request, maxBytes: 100_000_000, maxSeconds: 3600 })),
  },
  {
    requirement: 'MCO-D-009',
    does: 'does not say that it refuses a request',
    make: () => async (passing, forward) => {
      const { reason } = (passing.body?.['end'] ?? {}) as { readonly reason?: string };
      return passing.what === 'streams' && reason === 'REFUSED' ? receiptFor(passing) : forward();
    },
  },
  {
    requirement: 'MCO-D-009',
    does: 'runs commands outside of the context of their function',
    make: hearing('wanted', (body) => ({
      ...body,
      assignments: assignmentsOf(body).map((each) => withSpec(each, { env: {} })),
    })),
  },
  {
    requirement: 'MCO-D-010',
    does: 'sends as much as it likes',
    make: () => async (passing, forward) => {
      const passed = await forward();
      if (passing.what !== 'streams' || passed.status !== 200) return passed;
      return { ...passed, body: { ...passed.body, creditBytes: 262_144 } };
    },
  },
  {
    requirement: 'MCO-D-010',
    does: 'does not wait for receipts',
    make: () => async (passing, forward) => {
      if (passing.what !== 'streams' || passing.body?.['number'] === 1) return forward();
      void forward().catch(() => undefined);
      return receiptFor(passing);
    },
  },
  { requirement: 'MCO-D-011', does: 'lets run on what a command has started', make: goingOn },
  {
    requirement: 'MCO-D-012',
    does: 'takes no wanted state with a request that it cannot read',
    make: () => async (passing, forward) => {
      const passed = await forward();
      const isReadable =
        passed.body === undefined || requestsOf(passed.body).every(({ kind }) => kind !== 'x-kit');
      return passing.what === 'wanted' && !isReadable ? 'cut' : passed;
    },
  },
  {
    requirement: 'MCO-D-013',
    does: 'says nothing while there is nothing',
    make: () => async (passing, forward) => {
      const { number, stdout, end } = passing.body ?? {};
      const isEmpty = passing.what === 'streams' && number !== 1 && stdout === undefined && end === undefined;
      return isEmpty ? receiptFor(passing) : forward();
    },
  },
];
