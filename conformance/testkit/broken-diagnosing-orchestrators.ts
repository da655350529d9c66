import { revising, withBody, answered, refused, type Broken } from './broken-orchestrators.ts';
import type { Json, Meddle, Passed, Passing } from './meddling-proxy.ts';

type Request = Readonly<Record<string, unknown>>;

function requestsOf(body: Json): readonly Request[] {
  return (body?.['diagnosticRequests'] ?? []) as readonly Request[];
}

function withRequests(passed: Passed, requests: readonly Request[]): Passed {
  return passed.status === 200 ? withBody(passed, { diagnosticRequests: requests }) : passed;
}

function receiptFor({ body }: Passing): Passed {
  return answered(200, { nextNumber: Number(body?.['number']) + 1, creditBytes: 262_144 });
}

/** Every request that was ever told stands on. */
function neverWithdrawing(): Meddle {
  const all = new Map<unknown, Request>();
  return async (passing, forward) => {
    const passed = await forward();
    if (passing.what !== 'wanted') return passed;
    for (const each of requestsOf(passed.body)) all.set(each['streamId'], each);
    return withRequests(passed, [...all.values()]);
  };
}

/** Requests stand for a second. */
function impatient(): Meddle {
  const since = new Map<unknown, number>();
  return async (passing, forward) => {
    const passed = await forward();
    if (passing.what !== 'wanted') return passed;
    const now = performance.now();
    const requests = requestsOf(passed.body);
    for (const { streamId } of requests) since.set(streamId, since.get(streamId) ?? now);
    return withRequests(
      passed,
      requests.filter(({ streamId }) => now - (since.get(streamId) ?? now) < 1000),
    );
  };
}

/** One for each behaviour of an orchestrator with diagnostics. */
export const BROKEN_DIAGNOSING_ORCHESTRATORS: readonly Broken[] = [
  {
    requirement: 'MCO-D-003',
    does: 'asks hosts for nothing',
    make: revising('wanted', (passed) => withRequests(passed, [])),
  },
  {
    requirement: 'MCO-D-004',
    does: 'keeps no audit log',
    make: () => (_, forward) => forward(),
    ignores: 'audit',
  },
  {
    requirement: 'MCO-D-006',
    does: 'names the newest request only',
    make: revising('wanted', (passed) => withRequests(passed, requestsOf(passed.body).slice(-1))),
  },
  { requirement: 'MCO-D-006', does: 'never withdraws a request', make: neverWithdrawing },
  {
    requirement: 'MCO-D-007',
    does: 'refuses a chunk that comes again',
    make: () => {
      const taken = new Set<string>();
      return async (passing, forward) => {
        const key = `${passing.path} ${String(passing.body?.['number'])}`;
        if (passing.what !== 'streams' || !taken.has(key)) {
          taken.add(key);
          return forward();
        }
        return refused(409, { expectedSequence: Number(passing.body?.['number']) + 1, fullRequired: false });
      };
    },
  },
  {
    requirement: 'MCO-D-007',
    does: 'takes chunks after a gap',
    make: revising('streams', (passed, passing) => (passed.status === 409 ? receiptFor(passing) : passed)),
  },
  {
    requirement: 'MCO-D-008',
    does: 'takes chunks of any stream',
    make: revising('streams', (passed, passing) => (passed.status === 410 ? receiptFor(passing) : passed)),
  },
  { requirement: 'MCO-D-013', does: 'has no patience with silent streams', make: impatient },
  { requirement: 'MCO-D-014', does: 'lets streams go on for ever', make: neverWithdrawing },
];
