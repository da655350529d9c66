import type { Judge } from '../../case.ts';
import { must } from '../../case.ts';
import { memberOf, told, type PlayedHost, type Schemas } from '../played-host.ts';
import { obey } from '../obedience.ts';
import type { OrchestratorCase } from '../stage.ts';

type Wanted = Schemas['wanted'];

const LONG_POLL_SECONDS = 3600;
/** What an answer that comes at once may take. */
const AT_ONCE_SECONDS = 3;
/** What an answer at the end of a wait may come late. */
const LATE_SECONDS = 3;

export const wantedCases: readonly OrchestratorCase[] = [
  {
    id: 'whole-comes-at-once',
    title:
      'A question without a revision, or with full, is answered with the whole at once, however long it may wait.',
    requirements: ['MCO-O-010', 'MCO-D-002'],
    async play(stage, { check }) {
      const host = await stage.readyHost();
      for (const query of [{ wait: '60' }, { wait: '60', full: 'true', since: '0' }]) {
        const answer = await Promise.race([host.send('getWanted', { query }), stage.sleep(AT_ONCE_SECONDS)]);
        check('MCO-O-010', answer !== undefined, `no answer within ${AT_ONCE_SECONDS} s`);
        if (answer === undefined) return;
        const wanted = answer.body as Partial<Wanted> | undefined;
        check(
          'MCO-O-010',
          answer.status === 200 && wanted?.full === true,
          `${told(answer)}, full: ${String(wanted?.full)}`,
        );
        const requests = wanted?.diagnosticRequests;
        // Nobody has switched them on, nor asked for any.
        check('MCO-D-002', requests?.length === 0, `diagnosticRequests is ${JSON.stringify(requests)}`);
      }
    },
  },
  {
    id: 'nothing-new-is-304',
    title:
      'A question for what changed since the newest revision is answered with 304 and the revision to go on from.',
    requirements: ['MCO-O-012'],
    async play(stage, { check }) {
      const host = await stage.readyHost();
      const answer = await askUntilQuiet(host, '0');
      check('MCO-O-012', answer.status === 304, `${told(answer)}; 304 was to be expected`);
      const revision = Number(answer.headers['mco-revision']);
      check(
        'MCO-O-012',
        Number.isSafeInteger(revision),
        `the header Mco-Revision is ${String(answer.headers['mco-revision'])}`,
      );
      const next = await host.send('getWanted', { query: { since: String(revision), wait: '0' } });
      check('MCO-O-012', [200, 304].includes(next.status), `from there: ${told(next)}`);
    },
  },
  {
    id: 'wait-ends-with-the-heartbeat',
    title:
      'A question that would wait for an hour is answered within the heartbeat interval, and not long before.',
    requirements: ['MCO-O-013'],
    bindings: ['http'],
    isWaiting: true,
    async play(stage, { check }) {
      const host = await stage.readyHost();
      const { heartbeatIntervalSeconds } = await host.openSession();
      const quiet = await askUntilQuiet(host, '0');
      const query = { since: String(quiet.headers['mco-revision']), wait: String(LONG_POLL_SECONDS) };
      const startedAt = stage.clock.monotonic();
      const answer = await Promise.race([
        host.send('getWanted', { query }),
        stage.sleep(heartbeatIntervalSeconds + LATE_SECONDS),
      ]);
      const seconds = (stage.clock.monotonic() - startedAt) / 1000;
      check(
        'MCO-O-013',
        answer !== undefined,
        `it still waited after ${seconds.toFixed(1)} s; the heartbeat interval is ${heartbeatIntervalSeconds} s`,
      );
    },
  },
  {
    id: 'revision-that-never-was-is-410',
    title:
      'A question for what changed since a revision that the orchestrator never had is answered with 410.',
    requirements: ['MCO-O-015'],
    async play(stage, { check }) {
      const host = await stage.readyHost();
      const answer = await host.send('getWanted', { query: { since: String(Number.MAX_SAFE_INTEGER) } });
      check('MCO-O-015', answer.status === 410, `${told(answer)}; 410 was to be expected`);
    },
  },
  {
    id: 'older-question-is-ended',
    title: 'Of two waiting questions of one session the older one is answered with 304 at once.',
    requirements: ['MCO-O-017'],
    bindings: ['http'],
    async play(stage, { check }) {
      const host = await stage.readyHost();
      const quiet = await askUntilQuiet(host, '0');
      const query = { since: String(quiet.headers['mco-revision']), wait: String(LONG_POLL_SECONDS) };
      const older = host.send('getWanted', { query });
      await stage.sleep(0.3);
      // It ends with the case.
      const newer = host.send('getWanted', { query }).catch(() => undefined);
      const ended = await Promise.race([older, stage.sleep(AT_ONCE_SECONDS)]);
      check(
        'MCO-O-017',
        ended?.status === 304,
        ended === undefined ? `the older question was still waiting ${AT_ONCE_SECONDS} s later` : told(ended),
      );
      await host.send('getWanted', { query: { since: query.since, wait: '0' } });
      await newer;
    },
  },
  {
    id: 'lease-fits-the-heartbeat',
    title: 'Session and wanted state name a lease of twice the heartbeat interval.',
    requirements: ['MCO-O-041'],
    async play(stage, judge) {
      const host = await stage.readyHost();
      judgeLease(await host.openSession(), judge);
      judgeLease(await host.expect<Wanted>(200, 'getWanted'), judge);
    },
  },
  {
    id: 'assignment-comes-and-goes',
    title:
      'What is assigned wakes the waiting question of its host and no other, in patience with its function; what is taken away is named as removed.',
    requirements: ['MCO-O-011', 'MCO-O-014', 'MCO-O-041', 'MCO-M-002'],
    needs: ['assign', 'unassign'],
    isWaiting: true,
    async play(stage, judge) {
      const { check } = judge;
      const [host, other] = [await stage.enrolledHost(), await stage.enrolledHost()];
      await host.comeUp();
      await other.comeUp();
      const before = await host.expect<Wanted>(200, 'getWanted');
      const obedient = obey(stage, host, before);
      const bystander = obey(stage, other, await other.expect<Wanted>(200, 'getWanted'));
      await stage.operator.do('assign', host.hostId);
      const wanted = await obedient.until(({ assignments }) => assignments.length > 0);
      check('MCO-O-014', wanted !== undefined, 'no waiting question was answered with what was assigned');
      must(wanted !== undefined, 'nothing was assigned');
      judgePatience(wanted, judge);
      judgeJobs(wanted, judge);
      await judgeSince(host, before.revision, wanted, judge);
      await stage.operator.do('unassign', host.hostId);
      const { key } = memberOf(wanted.assignments[0], 'an assignment').workload;
      const gone = await obedient.until(
        ({ removed, full, assignments }) =>
          removed.some((each) => each.vnfInstanceId === key.vnfInstanceId) ||
          (full && assignments.length === 0),
      );
      check(
        'MCO-O-011',
        gone !== undefined,
        `${key.vnfInstanceId} was taken away, and never named as removed`,
      );
      check(
        'MCO-O-014',
        !bystander.answers.some(({ assignments }) => assignments.length > 0),
        'another host was told of it, too',
      );
      obedient.end();
      bystander.end();
    },
  },
];

/** The first question that finds nothing new, from a revision on. */
async function askUntilQuiet(host: PlayedHost, since: string): ReturnType<PlayedHost['send']> {
  let next = since;
  for (;;) {
    const answer = await host.send('getWanted', { query: { since: next, wait: '0' } });
    if (answer.status === 410) next = String((await host.expect<Wanted>(200, 'getWanted')).revision);
    else if (answer.status === 200 && next !== String((answer.body as Wanted).revision))
      next = String((answer.body as Wanted).revision);
    else return answer;
  }
}

function judgeLease(
  terms: { readonly heartbeatIntervalSeconds: number; readonly leaseSeconds: number },
  { check }: Judge,
): void {
  const { heartbeatIntervalSeconds, leaseSeconds } = terms;
  check(
    'MCO-O-041',
    Math.abs(leaseSeconds - 2 * heartbeatIntervalSeconds) < 0.01,
    `leaseSeconds is ${leaseSeconds}, heartbeatIntervalSeconds ${heartbeatIntervalSeconds}`,
  );
}

function judgePatience(wanted: Wanted, judge: Judge): void {
  const shortest = Math.min(...wanted.assignments.map(({ lostAfterSeconds }) => lostAfterSeconds));
  judge.check(
    'MCO-O-041',
    wanted.heartbeatIntervalSeconds <= shortest / 3 + 0.001,
    `heartbeatIntervalSeconds is ${wanted.heartbeatIntervalSeconds} for a function that is given up after ${shortest} s`,
  );
  judgeLease(wanted, judge);
}

function judgeJobs({ collectionJobs, assignments }: Wanted, { check }: Judge): void {
  const sources = collectionJobs.map(({ source, workload }) =>
    `${source} ${workload?.vnfInstanceId ?? ''}`.trim(),
  );
  const { key, spec } = memberOf(assignments[0], 'an assignment').workload;
  const needed = [
    'host',
    `usage ${key.vnfInstanceId}`,
    ...(spec.metrics === undefined ? [] : [`scrape ${key.vnfInstanceId}`]),
  ];
  for (const source of needed)
    check('MCO-M-002', sources.includes(source), `there is no job "${source}" among ${sources.join(', ')}`);
}

async function judgeSince(host: PlayedHost, before: number, wanted: Wanted, { check }: Judge): Promise<void> {
  const again = await host.send('getWanted', { query: { since: String(before) } });
  const told200 = again.body as Partial<Wanted> | undefined;
  check(
    'MCO-O-011',
    again.status === 410 || told200?.assignments?.length === wanted.assignments.length,
    `what was assigned after revision ${before} is not told to a question from there: ${told(again)}`,
  );
}
