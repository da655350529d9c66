import { answer } from '../operations.ts';
import { assign, wantedSince, type AssignmentWish, type Schemas } from '../ledger.ts';
import type { Received } from '../orchestrator-wire.ts';
import { comesToPass, describe, isSameRun, nextReport } from '../observe.ts';
import type { AgentCase, AgentStage } from '../stage.ts';
import { wishOf } from '../workload.ts';

/** In which something that must not happen would have happened. */
const WATCH_SECONDS = 1.2;

export const wantedCases: readonly AgentCase[] = [
  {
    id: 'agent-ends-with-what-is-assigned',
    title:
      'Over assignments, changes, removals and a session lost in between, the agent ends with exactly what is assigned.',
    requirements: ['MCO-O-016'],
    async play(stage, { check }) {
      await stage.calm();
      const [first, second, third] = ['a', 'b', 'c'].map(() => wishOf(stage.newName(), stage.workload.runs));
      if (first === undefined || second === undefined || third === undefined) return;
      stage.assign(first);
      stage.assign(first, second);
      await stage.until('the first two run', () => stage.isRunning(first) && stage.isRunning(second));
      stage.assign(second, third);
      stage.ledger.sessions.clear();
      stage.assign(third, { ...second, workload: { ...second.workload, labels: { changed: 'yes' } } });
      const areRight = await comesToPass(stage, () => {
        const names = [...stage.ledger.observed.values()].map(({ key }) => key.vnfInstanceId);
        return names.length === 2 && stage.isRunning(second) && stage.isRunning(third);
      });
      const shown = [...stage.ledger.observed.values()].map(
        ({ key, instances }) => `${key.vnfInstanceId} ${instances.map(({ state }) => state).join(',')}`,
      );
      check('MCO-O-016', areRight, `what is there is: ${shown.join('; ')}`);
    },
  },
  {
    id: 'what-is-not-assigned-is-stopped',
    title:
      'What is named as removed, and what a whole wanted state does not mention, is stopped and reported as gone; the rest is left as it is.',
    requirements: ['MCO-O-025'],
    async play(stage, { check }) {
      await stage.calm();
      const [stays, removed, omitted] = [1, 2, 3].map(() => wishOf(stage.newName(), stage.workload.runs));
      if (stays === undefined || removed === undefined || omitted === undefined) return;
      stage.assign(stays, removed, omitted);
      await stage.until('all of it runs', () => [stays, removed, omitted].every(stage.isRunning));
      const before = stage.instanceOf(stays);
      stage.assign(stays, omitted);
      const isGone = await comesToPass(stage, () => stage.instanceOf(removed) === undefined);
      check('MCO-O-025', isGone, `what was named as removed is ${describe(stage.instanceOf(removed))}`);
      stage.played.revise = ({ operation }, right) =>
        operation === 'getWanted' && right.type === 'answer' && right.status === 200
          ? answer(200, wantedSince(stage.ledger, undefined))
          : right;
      stage.assign(stays);
      const isOut = await comesToPass(stage, () => stage.instanceOf(omitted) === undefined);
      check('MCO-O-025', isOut, `what the whole does not mention is ${describe(stage.instanceOf(omitted))}`);
      const after = stage.instanceOf(stays);
      check(
        'MCO-O-025',
        isSameRun(before, after),
        `what is assigned was ${describe(before)} and is ${describe(after)}`,
      );
    },
  },
  {
    id: 'older-generation-is-refused',
    title: 'An assignment with an older generation than the one before changes nothing.',
    requirements: ['MCO-O-021'],
    async play(stage, { check }) {
      await stage.calm();
      const wish = await stage.run();
      const [current] = stage.ledger.assignments;
      if (current === undefined) return;
      stage.ledger.revision += 1;
      const older = {
        ...current,
        generation: current.generation - 1,
        workload: { ...current.workload, instances: [] },
      };
      await tellOnce(stage, { ...wantedSince(stage.ledger, undefined), assignments: [older] });
      await stage.sleep(WATCH_SECONDS);
      await nextReport(stage);
      check('MCO-O-021', stage.isRunning(wish), `the workload is ${describe(stage.instanceOf(wish))}`);
    },
  },
  {
    id: 'older-fence-is-refused',
    title:
      'A wanted state whose fence is older than the one before, by its lease number or by its revision, changes nothing.',
    requirements: ['MCO-O-022'],
    async play(stage, { check }) {
      await stage.calm();
      const wish = await stage.run();
      const { leaseNumber, revision } = stage.ledger;
      const older: readonly Schemas['fence'][] = [
        { leaseNumber: leaseNumber - 1, revision: revision + 100 },
        { leaseNumber, revision: revision - 1 },
      ];
      for (const fence of older) {
        stage.ledger.revision += 1;
        await tellOnce(stage, { ...wantedSince(stage.ledger, undefined), assignments: [], fence });
        await stage.sleep(WATCH_SECONDS / 2);
        await nextReport(stage);
        check(
          'MCO-O-022',
          stage.isRunning(wish),
          `after the fence ${JSON.stringify(fence)} the workload is ${describe(stage.instanceOf(wish))}`,
        );
      }
    },
  },
  {
    id: 'changes-of-an-unknown-state-ask-for-the-whole',
    title:
      'Changes that build on a state that the agent does not have are answered with a question for the whole.',
    requirements: ['MCO-O-023'],
    async play(stage, { check }) {
      await stage.calm();
      const { ledger } = stage;
      ledger.stateId = stage.newName();
      ledger.revision += 1;
      const part = { ...wantedSince(ledger, undefined), full: false };
      const from = stage.since('getWanted').length;
      await tellOnce(stage, part);
      const hasAsked = await comesToPass(stage, () =>
        stage
          .since('getWanted')
          .slice(from + 1)
          .some(({ query }) => query.get('full') === 'true' || !query.has('since')),
      );
      check('MCO-O-023', hasAsked, 'the agent did not ask for the whole');
    },
  },
  {
    id: 'what-cannot-be-made-is-told',
    title:
      'A workload whose file is not to be had is reported with the reason, and what is assigned beside it is started.',
    requirements: ['MCO-O-027'],
    async play(stage, { check }) {
      await stage.calm();
      const { runs } = stage.workload;
      const artifact = { ...runs.artifact, files: { digest: `sha256:${'0'.repeat(64)}`, sizeBytes: 1000 } };
      const good = wishOf(stage.newName(), runs);
      const impossible = wishOf(stage.newName(), { ...runs, artifact });
      stage.assign(impossible, good);
      const isRunning = await comesToPass(stage, () => stage.isRunning(good));
      check('MCO-O-027', isRunning, 'what could be made was not started');
      const isTold = await comesToPass(stage, () => reasonOf(stage, impossible) !== undefined);
      check('MCO-O-027', isTold, 'no report gives a reason, neither as problem nor of an instance');
    },
  },
  {
    id: 'who-was-away-reports-first',
    title: 'After an absence the agent reports in full before it asks for its wanted state.',
    requirements: ['MCO-O-037'],
    async play(stage, { check }) {
      await stage.calm();
      const { wire } = stage.played;
      await wire.disappear();
      await stage.sleep(WATCH_SECONDS);
      const wish = wishOf(stage.newName(), stage.workload.runs);
      assign(stage.ledger, [wish]);
      const from = stage.since().length;
      await wire.appear();
      const since = (): readonly Received[] => stage.since().slice(from);
      const isQuestion = ({ operation }: Received): boolean => operation === 'getWanted';
      await stage.until('the agent asks for its wanted state again', () => since().some(isQuestion));
      const before = since().slice(0, since().findIndex(isQuestion));
      check(
        'MCO-O-037',
        before.some(
          ({ operation, body }) => operation === 'postReport' && (body as { full?: boolean }).full === true,
        ),
        `before it asked it sent: ${before.map(({ operation }) => operation).join(', ') || 'nothing'}`,
      );
    },
  },
];

/** Answers the next question with this, as it is, and waits until the one after it. */
async function tellOnce(stage: AgentStage, wanted: Schemas['wanted']): Promise<void> {
  let isTold = false;
  const from = stage.since('getWanted').length;
  stage.played.fate = ({ operation }) => {
    if (operation !== 'getWanted' || isTold) return undefined;
    isTold = true;
    return { reply: answer(200, wanted, { 'mco-revision': String(wanted.revision) }) };
  };
  await stage.until('the agent asks again', () => isTold && stage.since('getWanted').length > from + 1);
  stage.played.fate = undefined;
}

function reasonOf(stage: AgentStage, wish: AssignmentWish): string | undefined {
  const observed = [...stage.ledger.observed.values()].find(
    ({ key }) => key.vnfInstanceId === wish.workload.key.vnfInstanceId,
  );
  return observed?.problem ?? observed?.instances.find(({ reason }) => reason !== undefined)?.reason;
}
