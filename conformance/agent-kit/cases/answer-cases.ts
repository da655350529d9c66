import { must } from '../../case.ts';
import { answer, problem } from '../operations.ts';
import type { Received, Reply } from '../orchestrator-wire.ts';
import type { AgentCase, AgentStage } from '../stage.ts';
import { wishOf } from '../workload.ts';
import { wantedSince, type AssignmentWish } from '../ledger.ts';
import { comesToPass, describe, isSameRun, nextReport } from '../observe.ts';

const FAILURES = 5;
/** What is shorter is no pause. */
const SHORTEST_MILLISECONDS = 50;
const RETRY_AFTER_SECONDS = 3;
const MOST_ANSWER_BYTES = 512 * 1024 * 1024;
/** In which something that must not happen would have happened. */
const WATCH_SECONDS = 1.2;

export const answerCases: readonly AgentCase[] = [
  {
    id: 'unknown-members-of-answers-are-ignored',
    title: 'Answers with members that no schema names are taken as without them.',
    requirements: ['MCO-C-006'],
    async play(stage, { check }) {
      await stage.calm();
      stage.played.revise = (_, right) => withUnknownMembers(right);
      stage.ledger.sessions.clear();
      const wish = wishOf(stage.newName(), stage.workload.runs);
      stage.assign(wish);
      const isRunning = await comesToPass(stage, () => stage.isRunning(wish));
      check('MCO-C-006', isRunning, 'what was assigned with unknown members was not started');
    },
  },
  {
    id: 'version-of-an-answer-is-not-judged',
    title: 'Answers that name another minor or another major of Mco are judged by what is in them.',
    requirements: ['MCO-C-004'],
    async play(stage, { check }) {
      await stage.calm();
      for (const version of ['1.99', '9.0']) {
        stage.played.revise = (_, right) => withHeaders(right, { 'mco-version': version });
        stage.ledger.sessions.clear();
        const wish = wishOf(stage.newName(), stage.workload.runs);
        stage.assign(wish);
        const isRunning = await comesToPass(stage, () => stage.isRunning(wish));
        check('MCO-C-004', isRunning, `what was assigned by answers of version ${version} was not started`);
      }
    },
  },
  {
    id: 'answers-that-are-none-change-nothing',
    title:
      'An answer without a mandatory member, or that is no message of Mco, changes nothing, and the agent asks again.',
    requirements: ['MCO-C-007'],
    async play(stage, { check }) {
      await stage.calm();
      const wish = await stage.run();
      const { assignments: _assignments, ...lacking } = wantedSince(stage.ledger, undefined);
      const wrong: readonly (readonly [string, Reply])[] = [
        [
          'a wanted state without assignments',
          answer(200, { ...lacking, revision: stage.ledger.revision + 1 }),
        ],
        ['a page for people', answer(200, '<html>welcome</html>', { 'content-type': 'text/html' })],
        ['an empty object', answer(200, {})],
      ];
      for (const [what, reply] of wrong) {
        const from = stage.since('getWanted').length;
        stage.played.fate = ({ operation }) => (operation === 'getWanted' ? { reply } : undefined);
        await stage.until(
          `the agent asks again after ${what}`,
          () => stage.since('getWanted').length > from + 1,
        );
      }
      stage.played.fate = undefined;
      await nextReport(stage);
      check('MCO-C-007', stage.isRunning(wish), 'what ran does not run any more');
      check(
        'MCO-C-007',
        stage.since('enrolHost').length === 0,
        'the agent enrolled again, as if it were not known any more',
      );
    },
  },
  {
    id: 'repetitions-come-with-growing-pauses',
    title: `What is answered with 503 is asked again with growing pauses, and not before the Retry-After of ${RETRY_AFTER_SECONDS} s.`,
    requirements: ['MCO-C-013'],
    async play(stage, { check }) {
      await stage.calm();
      const from = stage.since('getWanted').length;
      stage.played.fate = ({ operation }) =>
        operation === 'getWanted' ? { reply: problem(503, 'not now') } : undefined;
      const times = await stage.until('the agent asks again and again', () => {
        const asked = stage
          .since('getWanted')
          .slice(from)
          .filter((each) => stage.played.statuses.get(each) === 503);
        return asked.length >= FAILURES && asked.map(({ at }) => at);
      });
      const pauses = times.slice(1).map((at, index) => at - (times[index] ?? 0));
      const [first = 0] = pauses;
      const last = pauses.at(-1) ?? 0;
      const shown = pauses.map((each) => Math.round(each)).join(', ');
      check(
        'MCO-C-013',
        last > Math.max(first * 1.5, SHORTEST_MILLISECONDS),
        `the pauses were ${shown} ms: they do not grow`,
      );
      await judgeRetryAfter(stage, check);
    },
  },
  {
    id: 'answers-are-bounded',
    title: 'The agent does not take in an answer without end.',
    requirements: ['MCO-C-015'],
    async play(stage, { check }) {
      await stage.calm();
      let sent = 0;
      const onSent = (bytes: number): void => void (sent = bytes);
      let isFirst = true;
      stage.played.fate = ({ operation }) => {
        if (operation !== 'getWanted' || !isFirst) return undefined;
        isFirst = false;
        return { reply: { type: 'endless', onSent, maxBytes: MOST_ANSWER_BYTES } };
      };
      await stage.until('the agent asks for its wanted state', () => !isFirst);
      const from = stage.since('getWanted').length;
      await stage.until('the agent asks again', () => stage.since('getWanted').length > from);
      check(
        'MCO-C-015',
        sent < MOST_ANSWER_BYTES,
        `the agent took in ${MOST_ANSWER_BYTES} bytes of one answer and would have gone on`,
      );
    },
  },
  {
    id: 'lost-session-is-opened-anew',
    title: 'An agent whose operation is answered with 401 opens a new session, and goes on.',
    requirements: ['MCO-C-038'],
    async play(stage, { check }) {
      await stage.calm();
      stage.ledger.sessions.clear();
      const wish = wishOf(stage.newName(), stage.workload.runs);
      stage.assign(wish);
      const isRunning = await comesToPass(stage, () => stage.isRunning(wish));
      check('MCO-C-038', stage.since('openSession').length > 0, 'no new session was opened');
      check('MCO-C-038', isRunning, 'what was assigned meanwhile was not started');
    },
  },
  {
    id: 'forgotten-agent-enrols-again',
    title:
      'An agent that the orchestrator does not know any more, and that has a token that is good, enrols again with the same key; its functions run on.',
    requirements: ['MCO-C-027'],
    async play(stage, { check }) {
      await stage.calm();
      const wish = await stage.run();
      const before = stage.instanceOf(wish);
      const { host } = stage.ledger;
      must(host !== undefined, 'no host is enrolled');
      stage.ledger.host = undefined;
      stage.ledger.sessions.clear();
      await stage.until('the agent enrols again', () => stage.ledger.host !== undefined);
      const { publicKey, hostId } = stage.ledger.host ?? host;
      check(
        'MCO-C-027',
        publicKey.x === host.publicKey.x && hostId === host.hostId,
        'it enrolled as somebody else',
      );
      await nextReport(stage);
      const after = stage.instanceOf(wish);
      check(
        'MCO-C-027',
        isSameRun(before, after),
        `its function was ${describe(before)} and is ${describe(after)}`,
      );
    },
  },
  {
    id: 'unconfirmed-state-changes-nothing',
    title:
      'While the orchestrator works on a stateId that no operator has confirmed, the agent runs what it runs and changes nothing; once it is confirmed, it follows.',
    requirements: ['MCO-C-052'],
    async play(stage, { check }) {
      await stage.calm();
      const wish = await stage.run();
      const { ledger, played } = stage;
      ledger.stateId = stage.newName();
      ledger.isStateConfirmed = false;
      ledger.sessions.clear();
      await stage.sleep(WATCH_SECONDS);
      const empty = { ...wantedSince(ledger, undefined), assignments: [], stateIdConfirmed: false };
      played.fate = ({ operation }) =>
        operation === 'getWanted' ? { reply: answer(200, empty) } : undefined;
      await stage.sleep(WATCH_SECONDS);
      played.fate = undefined;
      await nextReport(stage);
      check('MCO-C-052', stage.isRunning(wish), 'what ran was stopped');
      ledger.isStateConfirmed = true;
      stage.assign();
      const isGone = await comesToPass(stage, () => stage.instanceOf(wish) === undefined);
      check('MCO-C-052', isGone, 'once the state was confirmed, the agent did not follow it');
    },
  },
];

type Check = (requirement: string, holds: boolean, message: string) => void;

async function judgeRetryAfter(stage: AgentStage, check: Check): Promise<void> {
  const slow = problem(503, 'much later');
  const reply: Reply = { ...slow, headers: { 'retry-after': String(RETRY_AFTER_SECONDS) } };
  const asked: Received[] = [];
  stage.played.fate = (received) => {
    if (received.operation !== 'getWanted') return undefined;
    asked.push(received);
    return { reply };
  };
  await stage.until('the agent asks again after Retry-After', () => asked.length > 1);
  stage.played.fate = undefined;
  const [first, second] = asked;
  const pause = ((second?.at ?? 0) - (first?.at ?? 0)) / 1000;
  check(
    'MCO-C-013',
    pause >= RETRY_AFTER_SECONDS,
    `Retry-After was ${RETRY_AFTER_SECONDS} s, and the agent asked again after ${pause.toFixed(2)} s`,
  );
}

function withHeaders(reply: Reply, headers: Readonly<Record<string, string>>): Reply {
  return 'status' in reply ? { ...reply, headers: { ...reply.headers, ...headers } } : reply;
}

function withUnknownMembers(reply: Reply): Reply {
  if (reply.type !== 'answer' || typeof reply.body !== 'object' || reply.body === null) return reply;
  const unknown = { 'x-unknown': { deep: [1, { more: true }] } };
  const { assignments } = reply.body as { readonly assignments?: readonly AssignmentWish[] };
  return {
    ...reply,
    headers: { ...reply.headers, 'x-unknown': 'yes' },
    body: {
      ...reply.body,
      ...unknown,
      ...(assignments === undefined
        ? {}
        : {
            assignments: assignments.map((each) => ({
              ...each,
              ...unknown,
              workload: { ...each.workload, ...unknown },
            })),
          }),
    },
  };
}
