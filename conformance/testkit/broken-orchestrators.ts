import { decodeJwt } from 'jose';
import type { OperatorAction } from '../index.ts';
import type { Json, Meddle, Passed, Passing } from './meddling-proxy.ts';
import { reproving } from './reproving.ts';

/** A side that does one thing wrong, and what it breaks. */
export interface Broken {
  readonly requirement: string;
  /** What it does. */
  readonly does: string;
  /** With a memory of its own. */
  readonly make: () => Meddle;
  /** What its operator asks for, and it does not do. */
  readonly ignores?: OperatorAction;
}

const ENVELOPE = { 'mco-version': '1.0', 'mco-sp-id': '//iotmano.test', 'content-type': 'application/json' };

export function answered(
  status: number,
  body: Json,
  headers: Readonly<Record<string, string>> = ENVELOPE,
): Passed {
  return { status, headers, body };
}

export function refused(status: number, more: object = {}): Passed {
  const headers = { ...ENVELOPE, 'content-type': 'application/problem+json' };
  return answered(status, { title: 'Refused', status, detail: 'it is refused', ...more }, headers);
}

function receiptFor({ headers }: Passing, ignored = 0): Passed {
  return answered(200, { nextSequence: Number(headers['mco-sequence']) + 1, ignored });
}

/** Changes what is answered to one operation. */
export function revising(what: string, revise: (passed: Passed, passing: Passing) => Passed): () => Meddle {
  return () => async (passing, forward) => {
    const passed = await forward();
    return passing.what === what ? revise(passed, passing) : passed;
  };
}

export function withBody(passed: Passed, more: object): Passed {
  return passed.status === 200 || passed.status === 201
    ? { ...passed, body: { ...passed.body, ...more } }
    : passed;
}

/** Gives the newest session of the host to proofs that do not hold, where `isTaken` says so. */
function takingProofs(
  isTaken: (claims: Readonly<Record<string, unknown>>, passing: Passing, seen: Set<unknown>) => boolean,
): () => Meddle {
  return () => {
    const sessions = new Map<string, Passed>();
    const seen = new Set<unknown>();
    return async (passing, forward) => {
      const passed = await forward();
      if (passing.what !== 'sessions') return passed;
      const claims = decodeJwt(String(passing.body?.['proof']));
      const session = sessions.get(passing.hostId);
      const isWrong = isTaken(claims, passing, seen);
      seen.add(claims['nonce']).add(claims['counter']);
      if (passed.status === 201) sessions.set(passing.hostId, passed);
      else if (session !== undefined && isWrong) return session;
      return passed;
    };
  };
}

/** Refuses numbers, by what came before of the same boot and operation. */
function refusingNumbers(
  what: string,
  isRefused: (sequence: number, before: number | undefined) => boolean,
): () => Meddle {
  return () => {
    const newest = new Map<string, number>();
    return async (passing, forward) => {
      const { headers, path } = passing;
      const key = `${headers['mco-boot-id'] ?? ''} ${path}`;
      const sequence = Number(headers['mco-sequence']);
      const before = newest.get(key);
      if (passing.what === what && isRefused(sequence, before))
        return refused(409, { expectedSequence: (before ?? 0) + 1 });
      if (passing.what === what) newest.set(key, sequence);
      return forward();
    };
  };
}

const AN_ENROLMENT = {
  stateId: 'another',
  m2mSpId: '//iotmano.test',
  mcoVersion: '1.0',
  roles: ['orchestration', 'monitoring'],
  tenants: [],
  keyThumbprint: 'a'.repeat(43),
  enrolledAt: '2026-11-22T18:00:00.000Z',
};

/** Enrols where it has to be refused with this status. */
function enrolling(status: number): () => Meddle {
  return revising('enrolments', (passed, { body }) =>
    passed.status === status ? answered(201, { ...AN_ENROLMENT, hostId: body?.['hostId'] }) : passed,
  );
}

const A_CHALLENGE = { nonce: 'a-nonce-0123456789', expiresInSeconds: 60 };

function givingChallenges(status: number): () => Meddle {
  return revising('challenges', (passed) => (passed.status === status ? answered(201, A_CHALLENGE) : passed));
}

/** One for each behaviour; a real orchestrator is behind each. */
export const BROKEN_ORCHESTRATORS: readonly Broken[] = [
  {
    requirement: 'MCO-C-004',
    does: 'takes every version',
    make: () => (passing, forward) => forward({ headers: { ...passing.headers, 'mco-version': '1.0' } }),
  },
  {
    requirement: 'MCO-C-005',
    does: 'takes messages for other service providers',
    make: () => (passing, forward) =>
      forward({ headers: { ...passing.headers, 'mco-sp-id': '//iotmano.test' } }),
  },
  {
    requirement: 'MCO-C-006',
    does: 'refuses members that it does not know',
    make: () => async (passing, forward) =>
      passing.body !== undefined && 'x-unknown' in passing.body ? refused(400) : forward(),
  },
  {
    requirement: 'MCO-C-009',
    does: 'fails over what it cannot read',
    make: () => async (passing, forward) =>
      passing.body !== undefined && 'unreadable' in passing.body ? refused(500) : forward(),
  },
  {
    requirement: 'MCO-C-009',
    does: 'does not say what is wrong',
    make: revising('facts', (passed) =>
      passed.status === 400 ? { ...passed, body: { title: 'No', status: 400 } } : passed,
    ),
  },
  {
    requirement: 'MCO-C-011',
    does: 'refuses what comes again',
    make: refusingNumbers('alarms', (sequence, before) => sequence === before),
  },
  {
    requirement: 'MCO-C-014',
    does: 'tells no offset of clocks',
    make: revising('sessions', (passed) => withBody(passed, { clockOffsetMilliseconds: undefined })),
  },
  {
    requirement: 'MCO-C-033',
    does: 'refuses proofs of hosts whose clock is wrong',
    make: () => async (passing, forward) => {
      const { iat } = passing.what === 'sessions' ? decodeJwt(String(passing.body?.['proof'])) : {};
      return iat !== undefined && Math.abs(iat - Date.now() / 1000) > 7200 ? refused(401) : forward();
    },
  },
  { requirement: 'MCO-C-020', does: 'enrols with tokens that nobody issued', make: enrolling(401) },
  { requirement: 'MCO-C-020', does: 'enrols with tokens that were used', make: enrolling(410) },
  {
    requirement: 'MCO-C-021',
    does: 'takes the repetition of an enrolment for misuse',
    make: () => {
      const used = new Set<unknown>();
      return async (passing, forward) => {
        if (passing.what !== 'enrolments') return forward();
        if (used.has(passing.body?.['token'])) return refused(410);
        used.add(passing.body?.['token']);
        return forward();
      };
    },
  },
  { requirement: 'MCO-C-022', does: 'lets every host use the token of one', make: enrolling(401) },
  { requirement: 'MCO-C-023', does: 'binds an enrolled host to another key', make: enrolling(409) },
  {
    requirement: 'MCO-C-030',
    does: 'takes a nonce again',
    make: takingProofs(({ nonce }, _, seen) => seen.has(nonce)),
  },
  {
    requirement: 'MCO-C-031',
    does: 'takes proofs for other hosts',
    make: takingProofs(({ sub }, { hostId }) => sub !== hostId),
  },
  {
    requirement: 'MCO-C-032',
    does: 'does not look at counters',
    make: takingProofs(({ counter }, _, seen) => seen.has(counter)),
  },
  {
    requirement: 'MCO-C-034',
    does: 'lets the boot before report on',
    make: revising('reports', (passed, passing) => (passed.status === 401 ? receiptFor(passing) : passed)),
  },
  {
    requirement: 'MCO-C-035',
    does: 'lets any session open any host',
    make: () => {
      const opened = new Map<string, { readonly authorization: string; readonly 'mco-boot-id': string }>();
      return async (passing, forward) => {
        if (passing.what === 'wanted')
          return forward({ headers: { ...passing.headers, ...opened.get(passing.hostId) } });
        const passed = await forward();
        if (passing.what === 'sessions' && passed.status === 201)
          opened.set(passing.hostId, {
            authorization: `Bearer ${String(passed.body?.['token'])}`,
            'mco-boot-id': passing.headers['mco-boot-id'] ?? '',
          });
        return passed;
      };
    },
  },
  {
    requirement: 'MCO-C-036',
    does: 'takes a session from any boot',
    make: () => {
      let bootId = '';
      return async (passing, forward) => {
        if (passing.what === 'sessions') bootId = passing.headers['mco-boot-id'] ?? '';
        return forward(
          passing.what === 'wanted' ? { headers: { ...passing.headers, 'mco-boot-id': bootId } } : {},
        );
      };
    },
  },
  {
    requirement: 'MCO-C-037',
    does: 'takes reports of who only monitors',
    make: revising('reports', (passed, passing) => (passed.status === 403 ? receiptFor(passing) : passed)),
  },
  {
    requirement: 'MCO-C-040',
    does: 'does not notice two machines',
    make: takingProofs((_, { hostId }) => hostId !== ''),
  },
  { requirement: 'MCO-C-041', does: 'goes on with a host in dispute', make: givingChallenges(409) },
  {
    requirement: 'MCO-C-042',
    does: 'takes every restart for a second machine',
    make: () => {
      const boots = new Map<string, string>();
      return async (passing, forward) => {
        if (passing.what !== 'sessions') return forward();
        const bootId = passing.headers['mco-boot-id'] ?? '';
        const before = boots.get(passing.hostId) ?? bootId;
        boots.set(passing.hostId, bootId);
        return before === bootId ? forward() : refused(409);
      };
    },
  },
  {
    requirement: 'MCO-C-051',
    does: 'gives orders to hosts that follow another state',
    make: revising('wanted', (passed) =>
      passed.status === 304 ? answered(200, { full: true, assignments: [] }) : passed,
    ),
  },
  {
    requirement: 'MCO-C-053',
    does: 'gives challenges to hosts that it has forgotten',
    make: givingChallenges(404),
  },
  {
    requirement: 'MCO-O-001',
    does: 'takes older facts',
    make: revising('facts', (passed, passing) => (passed.status === 409 ? receiptFor(passing) : passed)),
  },
  {
    requirement: 'MCO-O-002',
    does: 'counts facts over boots',
    make: () => {
      const newest = new Map<string, number>();
      return async (passing, forward) => {
        const sequence = Number(passing.headers['mco-sequence']);
        if (passing.what !== 'facts') return forward();
        if (sequence < (newest.get(passing.hostId) ?? 0)) return refused(409, { expectedSequence: 99 });
        newest.set(passing.hostId, sequence);
        return forward();
      };
    },
  },
  {
    requirement: 'MCO-O-010',
    does: 'gives the whole as if it were changes',
    make: revising('wanted', (passed) => withBody(passed, { full: false })),
  },
  {
    requirement: 'MCO-O-012',
    does: 'does not say from where to go on',
    make: revising('wanted', (passed) => {
      const { 'mco-revision': _revision, ...headers } = passed.headers;
      return { ...passed, headers };
    }),
  },
  {
    requirement: 'MCO-O-015',
    does: 'knows every revision',
    make: revising('wanted', (passed) =>
      passed.status === 410 ? answered(304, undefined, { ...ENVELOPE, 'mco-revision': '1' }) : passed,
    ),
  },
  {
    requirement: 'MCO-O-017',
    does: 'lets both questions wait',
    make: () => async (passing, forward) => {
      const passed = await forward();
      if (Number(passing.query.get('wait')) > 0) await new Promise((resolve) => setTimeout(resolve, 4000));
      return passed;
    },
  },
  {
    requirement: 'MCO-O-030',
    does: 'takes a first report that is not full',
    make: revising('reports', (passed, passing) =>
      passed.body?.['fullRequired'] === true ? receiptFor(passing) : passed,
    ),
  },
  {
    requirement: 'MCO-O-031',
    does: 'takes reports after a gap',
    make: revising('reports', (passed, passing) => (passed.status === 409 ? receiptFor(passing) : passed)),
  },
  {
    requirement: 'MCO-O-033',
    does: 'believes every report',
    make: revising('reports', (passed) => withBody(passed, { ignored: 0 })),
  },
  {
    requirement: 'MCO-O-041',
    does: 'gives a lease of three heartbeats',
    make: revising('sessions', (passed) => withBody(passed, { leaseSeconds: 30 })),
  },
  {
    requirement: 'MCO-O-060',
    does: 'tells which files there are',
    make: revising('artifacts', (passed) => (passed.status === 404 ? refused(403) : passed)),
  },
  {
    requirement: 'MCO-O-071',
    does: 'remembers the key of a host that has left',
    make: () => {
      const left = new Set<unknown>();
      return async (passing, forward) => {
        if (passing.what === 'leave') left.add(passing.hostId);
        return passing.what === 'enrolments' && left.has(passing.body?.['hostId']) ? refused(409) : forward();
      };
    },
  },
  {
    requirement: 'MCO-O-080',
    does: 'leaves secret values in the clear',
    make: reproving(({ sealingKey: _key, ...claims }) => claims),
  },
  {
    requirement: 'MCO-O-080',
    does: 'seals to a key that the host has not told',
    make: reproving((claims) => ({
      ...claims,
      ...('sealingKey' in claims
        ? { sealingKey: { kty: 'OKP', crv: 'X25519', x: 'hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo' } }
        : {}),
    })),
  },
  {
    requirement: 'MCO-O-086',
    does: 'takes any key for sealed values',
    make: takingProofs(({ sealingKey }) => sealingKey !== undefined),
  },
  {
    requirement: 'MCO-M-002',
    does: 'asks for no measurements',
    make: revising('wanted', (passed) => withBody(passed, { collectionJobs: [] })),
  },
  {
    requirement: 'MCO-M-005',
    does: 'refuses measurements that come again',
    make: refusingNumbers('measurements', (sequence, before) => sequence === before),
  },
  {
    requirement: 'MCO-M-006',
    does: 'refuses alarms after a gap',
    make: refusingNumbers('alarms', (sequence, before) => before !== undefined && sequence > before + 1),
  },
  {
    requirement: 'MCO-M-007',
    does: 'believes every measurement',
    make: revising('measurements', (passed) => withBody(passed, { ignored: 0 })),
  },
  {
    requirement: 'MCO-D-002',
    does: 'asks for diagnostics that nobody has switched on',
    make: revising('wanted', (passed) => withBody(passed, { diagnosticRequests: [{}] })),
  },
];
