import { comesToPass, describe, isSameRun, nextReport } from '../observe.ts';
import { answer, problem } from '../operations.ts';
import { wantedSince, type Schemas } from '../ledger.ts';
import type { AgentCase } from '../stage.ts';
import { wishOf } from '../workload.ts';

const ABSENCE_SECONDS = 2.5;
const STOP_AFTER_SECONDS = 2;
/** From when a rule is due until it has been carried out. */
const STOP_SLACK_SECONDS = 3;

export const absenceCases: readonly AgentCase[] = [
  {
    id: 'functions-run-on-while-cut-off',
    title: `A function without a dead man's rule runs on while the host is cut off for ${ABSENCE_SECONDS} s.`,
    requirements: ['MCO-O-049'],
    async play(stage, { check }) {
      await stage.calm();
      const wish = await stage.run();
      const before = stage.instanceOf(wish);
      await nextReport(stage, ABSENCE_SECONDS);
      const after = stage.instanceOf(wish);
      check('MCO-O-049', isSameRun(before, after), `it was ${describe(before)} and is ${describe(after)}`);
    },
  },
  {
    id: 'dead-mans-rule-stops-the-function',
    title: `A function with a dead man's rule of ${STOP_AFTER_SECONDS} s is stopped while the host is cut off for longer.`,
    requirements: ['MCO-O-047'],
    async play(stage, { check }) {
      await stage.calm();
      const wish = wishOf(stage.newName(), { ...stage.workload.runs, stopAfterSeconds: STOP_AFTER_SECONDS });
      stage.assign(wish);
      await stage.until('the workload runs', () => stage.isRunning(wish));
      const before = stage.instanceOf(wish);
      await nextReport(stage, STOP_AFTER_SECONDS + STOP_SLACK_SECONDS);
      const after = stage.instanceOf(wish);
      check('MCO-O-047', !isSameRun(before, after), `it is still ${describe(after)}`);
    },
  },
  {
    id: 'restarted-agent-is-the-same-host',
    title:
      'An agent that was killed and started again is the same host with the same key, in a new boot, and enrols no more.',
    requirements: ['MCO-C-026'],
    needs: ['restart'],
    async play(stage, { check }) {
      await stage.calm();
      const { host } = stage.ledger;
      await stage.restart();
      check('MCO-C-026', stage.since('enrolHost').length === 0, 'it enrolled again');
      const session = await stage.until('its session is opened', () =>
        stage.since('openSession').find((each) => stage.played.statuses.get(each) !== undefined),
      );
      check(
        'MCO-C-026',
        stage.played.statuses.get(session) === 201 && session.hostId === host?.hostId,
        `the proof of host ${session.hostId} did not hold with the key of ${host?.hostId ?? 'nobody'}`,
      );
    },
  },
  {
    id: 'restarted-agent-finds-its-functions',
    title:
      'An agent that was killed and started again finds its functions running, leaves them as they are, also before it knows what is wanted, and acts on what it has stored.',
    requirements: ['MCO-O-020', 'MCO-O-026', 'MCO-O-050'],
    needs: ['restart'],
    async play(stage, { check }) {
      await stage.calm();
      const wish = await stage.run();
      const before = stage.instanceOf(wish);
      const { revision } = stage.ledger;
      await nextReport(stage);
      stage.played.fate = ({ operation }) =>
        operation === 'getWanted' ? { reply: problem(503, 'not yet') } : undefined;
      const { bootId } = await stage.restart();
      const own = (): Schemas['report'][] =>
        stage
          .since('postReport')
          .filter((each) => each.bootId === bootId && stage.played.statuses.get(each) === 200)
          .map(({ body }) => body as Schemas['report']);
      await stage.until('the new boot reports', () => own().length > 0);
      await comesToPass(stage, () => isSameRun(before, stage.instanceOf(wish)), 5);
      const found = stage.instanceOf(wish);
      check(
        'MCO-O-026',
        found?.state === 'RUNNING',
        `before it knew what is wanted it was ${describe(found)}`,
      );
      check('MCO-O-050', isSameRun(before, found), `it was ${describe(before)} and is ${describe(found)}`);
      const question = await stage.until('the new boot asks', () =>
        stage.since('getWanted').find((each) => each.bootId === bootId),
      );
      const hasStored =
        Number(question.query.get('since')) >= revision ||
        own().some(({ appliedRevision = 0 }) => appliedRevision >= revision);
      check(
        'MCO-O-020',
        hasStored,
        'neither its question nor a report names the revision that it had taken over',
      );
      stage.played.fate = undefined;
    },
  },
  {
    id: 'older-fence-has-no-effect-after-a-restart',
    title:
      'An order with an older fence has no effect either when the agent was killed and started again in between.',
    requirements: ['MCO-O-024'],
    needs: ['restart'],
    async play(stage, { check }) {
      await stage.calm();
      const wish = await stage.run();
      await nextReport(stage);
      const { leaseNumber } = stage.ledger;
      stage.ledger.revision += 1;
      const older = {
        ...wantedSince(stage.ledger, undefined),
        assignments: [],
        fence: { leaseNumber: leaseNumber - 1, revision: stage.ledger.revision },
      };
      stage.played.fate = ({ operation }) =>
        operation === 'getWanted' ? { reply: answer(200, older) } : undefined;
      const { bootId } = await stage.restart();
      await stage.until(
        'the new boot asks again',
        () => stage.since('getWanted').filter((each) => each.bootId === bootId).length > 1,
      );
      stage.played.fate = undefined;
      await nextReport(stage);
      check('MCO-O-024', stage.isRunning(wish), `it is ${describe(stage.instanceOf(wish))}`);
    },
  },
];
