import { toTimestamp } from '../../../kernel/index.ts';
import type { Binding, Judge } from '../../case.ts';
import type { Answer, Message } from '../agent-wire.ts';
import { EMPTY_REPORT, factsOf, told, type PlayedHost, type Schemas } from '../played-host.ts';
import type { OrchestratorCase } from '../stage.ts';

const HOUR_MILLISECONDS = 3_600_000;
/** What a message may take on its way. */
const OFFSET_SLACK_MILLISECONDS = 60_000;

export const envelopeCases: readonly OrchestratorCase[] = [
  {
    id: 'another-major-is-refused',
    title:
      'A message of another major of Mco is answered with 400, in every operation; another minor is taken.',
    requirements: ['MCO-C-004'],
    async play(stage, { check }) {
      const host = await stage.readyHost();
      for (const operation of ['createChallenge', 'getWanted', 'postReport']) {
        const more = operation === 'postReport' ? { sequence: 2, body: EMPTY_REPORT } : {};
        const other = await host.send(operation, { ...more, version: '2.0' });
        check('MCO-C-004', other.status === 400, `version 2.0: ${told(other)}; 400 was to be expected`);
      }
      const minor = await host.send('getWanted', { version: '1.99' });
      check('MCO-C-004', minor.status === 200, `version 1.99: ${told(minor)}; 200 was to be expected`);
    },
  },
  {
    id: 'another-provider-is-refused',
    title: 'A message that names another M2M service provider is answered with 400.',
    requirements: ['MCO-C-005'],
    async play(stage, { check }) {
      const host = await stage.readyHost();
      for (const operation of ['createChallenge', 'getWanted']) {
        const answer = await host.send(operation, { spId: '//another.example' });
        check('MCO-C-005', answer.status === 400, `${told(answer)}; 400 was to be expected`);
      }
    },
  },
  {
    id: 'unknown-members-are-ignored',
    title: 'Facts, reports and measurements with members that no schema names are taken as without them.',
    requirements: ['MCO-C-006'],
    async play(stage, { check }) {
      const host = await stage.readyHost();
      const unknown = { 'x-unknown': { deep: [1, 2, 3] } };
      const messages: readonly (readonly [string, number, object])[] = [
        ['putFacts', 2, { ...factsOf(host.hostId), ...unknown }],
        ['postReport', 2, { ...EMPTY_REPORT, ...unknown }],
        ['postMeasurements', 1, { points: [], ...unknown }],
      ];
      for (const [operation, sequence, body] of messages) {
        const answer = await host.send(operation, { sequence, body });
        check('MCO-C-006', answer.status === 200, `${told(answer)}; 200 was to be expected`);
      }
    },
  },
  {
    id: 'bad-messages-are-told-what-is-wrong',
    title:
      'What cannot be read or is not valid is answered with a problem of status 400 to 499 that says in words what is wrong.',
    requirements: ['MCO-C-009'],
    async play(stage, { check }) {
      const host = await stage.readyHost();
      for (const [what, answer] of await badMessages(host, stage.binding)) {
        const isRefused = answer.status >= 400 && answer.status < 500;
        check(
          'MCO-C-009',
          isRefused,
          `${what}: ${told(answer)}; a status from 400 to 499 was to be expected`,
        );
        const detail = (answer.body as { readonly detail?: unknown } | undefined)?.detail;
        check(
          'MCO-C-009',
          !isRefused || (typeof detail === 'string' && detail.trim() !== ''),
          `${what}: the answer has no detail that says what is wrong, and what to do`,
        );
        check('MCO-C-009', !isRefused || answer.faults.length === 0, `${what}: ${answer.faults.join('; ')}`);
      }
    },
  },
  {
    id: 'repetitions-are-answered-as-before',
    title:
      'A message that comes again with the same boot, operation and number is answered as the first time, and the next number is taken.',
    requirements: ['MCO-C-011'],
    async play(stage, { check }) {
      const host = await stage.readyHost();
      const changedAt = toTimestamp(stage.clock.now());
      const alarms = {
        alarms: [{ name: 'kit-alarm', severity: 'WARNING', text: 'raised by the kit', changedAt }],
      };
      await host.expect(200, 'postAlarms', { sequence: 1, body: alarms });
      const repeated: readonly (readonly [string, number, object])[] = [
        ['putFacts', 1, factsOf(host.hostId)],
        ['postReport', 1, EMPTY_REPORT],
        ['postAlarms', 1, alarms],
      ];
      for (const [operation, sequence, body] of repeated) {
        const again = await host.send(operation, { sequence, body });
        check('MCO-C-011', again.status === 200, `number ${sequence} again: ${told(again)}`);
        const next = (again.body as Partial<Schemas['receipt']> | undefined)?.nextSequence;
        check(
          'MCO-C-011',
          again.status !== 200 || next === sequence + 1,
          `number ${sequence} again: nextSequence is ${String(next)}, not ${sequence + 1}`,
        );
        const following = await host.send(operation, { sequence: sequence + 1, body });
        check('MCO-C-011', following.status === 200, `number ${sequence + 1} after it: ${told(following)}`);
      }
    },
  },
  {
    id: 'clock-offset-is-told-and-not-judged',
    title:
      'A host whose clock is an hour ahead, or two years behind, is told so, and is served as any other.',
    requirements: ['MCO-C-014', 'MCO-C-033'],
    async play(stage, judge) {
      const host = await stage.readyHost();
      await judgeSessionClock(stage.clock.now(), host, judge, HOUR_MILLISECONDS);
      await judgeSessionClock(stage.clock.now(), host, judge, -2 * 365 * 24 * HOUR_MILLISECONDS);
      await host.openSession();
      const time = toTimestamp(stage.clock.now() - HOUR_MILLISECONDS);
      const wanted = await host.send('getWanted', { time });
      judge.check('MCO-C-014', wanted.status === 200, `with a clock that is behind: ${told(wanted)}`);
      const offset = Number(wanted.headers['mco-clock-offset']);
      judge.check(
        'MCO-C-014',
        Math.abs(offset + HOUR_MILLISECONDS) < OFFSET_SLACK_MILLISECONDS,
        `the header Mco-Clock-Offset is ${String(wanted.headers['mco-clock-offset'])} for a clock that is an hour behind`,
      );
    },
  },
];

async function judgeSessionClock(
  now: number,
  host: PlayedHost,
  { check }: Judge,
  ahead: number,
): Promise<void> {
  const answer = await host.askSession({ issuedAt: (now + ahead) / 1000 });
  check('MCO-C-033', answer.status === 201, `with a clock that is ${ahead} ms ahead: ${told(answer)}`);
  const offset = (answer.body as Partial<Schemas['session']> | undefined)?.clockOffsetMilliseconds;
  check(
    'MCO-C-014',
    answer.status !== 201 || Math.abs((offset ?? Number.NaN) - ahead) < OFFSET_SLACK_MILLISECONDS,
    `clockOffsetMilliseconds is ${String(offset)} for a clock that is ${ahead} ms ahead`,
  );
}

/** Each with what is wrong with it. */
async function badMessages(
  host: PlayedHost,
  binding: Binding,
): Promise<readonly (readonly [string, Answer])[]> {
  const { memory: _memory, ...withoutMemory } = factsOf(host.hostId);
  const bad: readonly (readonly [string, string, Partial<Message>])[] = [
    ['a body that is not JSON', 'putFacts', { sequence: 2, raw: json('{"architecture":') }],
    ['facts without memory', 'putFacts', { sequence: 2, body: withoutMemory }],
    [
      'a report whose workloads are a text',
      'postReport',
      { sequence: 2, body: { ...EMPTY_REPORT, workloads: 'all' } },
    ],
    ['a report without a number', 'postReport', { body: EMPTY_REPORT }],
    ['a report with number 0', 'postReport', { sequence: 0, body: EMPTY_REPORT }],
    [
      'a body of another media type',
      'postReport',
      { sequence: 2, raw: { text: 'full', mediaType: 'text/plain' } },
    ],
    ['a revision that is no number', 'getWanted', { query: { since: 'yesterday' } }],
    ['a digest that is none', 'retrieveArtifact', { digest: 'md5:00' }],
    ['a boot id that is none', 'createChallenge', { bootId: '!' }],
    [
      'an enrolment without a key',
      'enrolHost',
      { body: { token: 'x'.repeat(20), hostId: host.hostId, roles: ['monitoring'] } },
    ],
    ['no token at all', 'getWanted', { token: undefined }],
  ];
  const answers: (readonly [string, Answer])[] = [];
  // Over NATS only who enrols may send an enrolment.
  const sent = bad.filter(([, operation]) => binding === 'http' || operation !== 'enrolHost');
  for (const [what, operation, deviation] of sent)
    answers.push([what, await host.send(operation, deviation)]);
  return answers;
}

function json(text: string): { text: string; mediaType: string } {
  return { text, mediaType: 'application/json' };
}
