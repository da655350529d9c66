import type { Judge } from '../../case.ts';
import { digestOf } from '../archive.ts';
import type { AssignmentWish, Schemas } from '../ledger.ts';
import { comesToPass, describe, isSameRun } from '../observe.ts';
import type { AgentCase, AgentStage } from '../stage.ts';
import {
  TRIAL_SECONDS,
  endOf,
  newestFacts,
  order,
  prepare,
  refuseTrials,
  stateOf,
  versionOf,
  type Facts,
} from '../upgrade-orders.ts';

/** A version that is heard confirms in that time, also on a machine that is busy. */
const CONFIRM_SECONDS = 60;
const SLACK_SECONDS = 30;
/** In which something that must not happen would have happened. */
const WATCH_SECONDS = 4;
/** Trials start programs, which takes a while. */
const PATIENT = { leastTimeoutSeconds: 180 } as const;

/** The last one brings the agent to the version: it cannot be brought there again. */
export const upgradeCases: readonly AgentCase[] = [
  {
    id: 'facts-tell-of-upgrades',
    title:
      'The facts say whether the agent can exchange its own program, and then which program runs, and otherwise why not.',
    requirements: ['MCO-O-089'],
    async play(stage, { check }) {
      await stage.calm();
      const { agentUpgrade } = newestFacts(stage);
      check('MCO-O-089', agentUpgrade !== undefined, 'the facts have no agentUpgrade');
      const isTold = agentUpgrade?.possible === true ? agentUpgrade.digest : agentUpgrade?.reason;
      check('MCO-O-089', (isTold ?? '') !== '', `agentUpgrade is ${JSON.stringify(agentUpgrade)}`);
    },
  },
  {
    id: 'program-with-another-digest-is-not-tried',
    title: 'A program whose content has another digest than the order names is not tried.',
    requirements: ['MCO-O-091'],
    async play(stage, { check }) {
      const { content } = await prepare(stage);
      const digest = digestOf(Buffer.concat([content, Buffer.from('\n// what the kit has promised\n')]));
      const orderId = order(stage, { content, digest, version: versionOf(stage) });
      await stage.until('the program is fetched', () =>
        stage.since('retrieveArtifact').some((each) => each.digest === digest),
      );
      await judgeNotTried(stage, orderId, check);
    },
  },
  {
    id: 'program-that-calls-itself-otherwise-is-not-tried',
    title:
      'A program that calls itself other than the order does is refused, with the reason, and not tried.',
    requirements: ['MCO-O-091'],
    async play(stage, { check }) {
      const { content } = await prepare(stage);
      const orderId = order(stage, { content, version: `${versionOf(stage)}-kit` });
      const state = await endOf(stage, orderId, SLACK_SECONDS);
      check('MCO-O-091', state === 'REFUSED', `the order is ${state ?? 'not told of'}, not REFUSED`);
      await judgeNotTried(stage, orderId, check);
    },
  },
  {
    id: 'program-that-does-not-come-up-is-left',
    title:
      'Programs that are cut off in the middle, or end at once, are left again by the agent itself: the version before runs, and says so.',
    requirements: ['MCO-O-081'],
    ...PATIENT,
    async play(stage, { check }) {
      const { content, before } = await prepare(stage);
      for (const [what, broken] of brokenOf(content)) {
        const orderId = order(stage, { content: broken, version: versionOf(stage) });
        const state = await endOf(stage, orderId, TRIAL_SECONDS + SLACK_SECONDS);
        const isLeft = state === 'REFUSED' || state === 'ROLLED_BACK';
        check('MCO-O-081', isLeft, `with ${what} the order is ${state ?? 'not told of'}`);
        const { agentVersion } = newestFacts(stage);
        check('MCO-O-081', agentVersion === before, `after ${what} ${agentVersion} runs, not ${before}`);
        if (!isLeft) return;
      }
    },
  },
  {
    id: 'version-that-is-not-heard-gives-way',
    title:
      'A version on trial that the orchestrator answers with 503 only does not confirm and gives way in its time; functions run on, and under the same order it is not tried again.',
    requirements: ['MCO-O-090', 'MCO-O-094', 'MCO-O-095'],
    ...PATIENT,
    async play(stage, { check }) {
      const { content, before } = await prepare(stage);
      const wish = await stage.run();
      const run = stage.instanceOf(wish);
      const trials = refuseTrials(stage, before);
      const orderId = order(stage, { content, version: versionOf(stage) });
      await stage.until('the version is tried', () => trials.size > 0, SLACK_SECONDS);
      const state = await endOf(stage, orderId, TRIAL_SECONDS + SLACK_SECONDS);
      const { agentVersion } = newestFacts(stage);
      const isOver = state === 'ROLLED_BACK' && agentVersion === before;
      check('MCO-O-094', isOver, `the order is ${state ?? 'not told of'}, and ${agentVersion} runs`);
      if (!isOver) return;
      await judgeFunction(stage, wish, run, check);
      const count = trials.size;
      stage.ledger.revision += 1;
      await stage.sleep(WATCH_SECONDS);
      check('MCO-O-095', trials.size === count, 'under an order that has ended the version was tried again');
    },
  },
  {
    id: 'trial-that-is-killed-is-over',
    title:
      'When the agent is killed while a version is on trial, and started again, the version before runs, and the version is not tried again.',
    requirements: ['MCO-O-092'],
    needs: ['restart'],
    ...PATIENT,
    async play(stage, { check }) {
      const { content, before } = await prepare(stage);
      const trials = refuseTrials(stage, before);
      const orderId = order(stage, { content, version: versionOf(stage) }, CONFIRM_SECONDS);
      await stage.until('the version is tried', () => trials.size > 0, SLACK_SECONDS);
      await stage.command('restart');
      const state = await endOf(stage, orderId, SLACK_SECONDS);
      const { agentVersion } = newestFacts(stage);
      check(
        'MCO-O-092',
        state === 'ROLLED_BACK' && agentVersion === before,
        `the order is ${state ?? 'not told of'}, and ${agentVersion} runs`,
      );
      check('MCO-O-092', trials.size === 1, `the version was started on trial ${trials.size} times`);
    },
  },
  {
    id: 'agent-becomes-the-version-that-is-wanted',
    title:
      'The agent becomes the version that is wanted, which confirms once its facts and a full report were answered; it says how far the order is, and functions run on.',
    requirements: ['MCO-O-081', 'MCO-O-089', 'MCO-O-090', 'MCO-O-094'],
    ...PATIENT,
    async play(stage, { check }) {
      const { content, before } = await prepare(stage);
      const wish = await stage.run();
      const run = stage.instanceOf(wish);
      const from = stage.since().length;
      const orderId = order(stage, { content, version: versionOf(stage) }, CONFIRM_SECONDS);
      const isThere = await comesToPass(
        stage,
        () => isRunningIt(stage, before, digestOf(content)),
        CONFIRM_SECONDS,
      );
      const facts = newestFacts(stage);
      check(
        'MCO-O-081',
        isThere,
        `${facts.agentVersion} runs, and the order is ${stateOf(stage, orderId) ?? 'not told of'}`,
      );
      if (!isThere) return;
      const isTold = await comesToPass(stage, () => stateOf(stage, orderId) === 'CONFIRMED');
      check(
        'MCO-O-089',
        isTold,
        `the order is ${stateOf(stage, orderId) ?? 'not told of'}, though its version runs`,
      );
      if (!isTold) return;
      judgeConfirmation(stage, from, orderId, check);
      await judgeFunction(stage, wish, run, check);
    },
  },
];

/** One cut off in the middle; and, of a program in JavaScript, one that ends when it is to run. */
function brokenOf(content: Buffer): readonly (readonly [string, Buffer])[] {
  const half = content.subarray(0, content.length / 2);
  const end = content.indexOf('\n') + 1;
  const ending = "if (!process.argv.includes('--version')) process.exit(3);\n";
  const ended = Buffer.concat([content.subarray(0, end), Buffer.from(ending), content.subarray(end)]);
  const isJavaScript = /^(#!.*node|\/\/|\/\*)/.test(content.toString('latin1', 0, 200));
  return [
    ['a program that is cut off', half],
    ...(isJavaScript ? [['a program that ends at once', ended] as const] : []),
  ];
}

/** It has run all the time. */
async function judgeFunction(
  stage: AgentStage,
  wish: AssignmentWish,
  run: ReturnType<AgentStage['instanceOf']>,
  check: Judge['check'],
): Promise<void> {
  const isSame = await comesToPass(stage, () => isSameRun(run, stage.instanceOf(wish)));
  const now = stage.instanceOf(wish);
  check('MCO-O-090', isSame, `its function was ${describe(run)} and is ${describe(now)}`);
}

async function judgeNotTried(stage: AgentStage, orderId: string, check: Judge['check']): Promise<void> {
  const boots = new Set(stage.since().map(({ bootId }) => bootId)).size;
  await stage.sleep(WATCH_SECONDS);
  const state = stateOf(stage, orderId);
  check(
    'MCO-O-091',
    state !== 'TRYING' && state !== 'CONFIRMED' && state !== 'ROLLED_BACK',
    `the order is ${state ?? ''}`,
  );
  const now = new Set(stage.since().map(({ bootId }) => bootId)).size;
  check('MCO-O-091', now === boots, 'the agent was started anew');
}

function isRunningIt(stage: AgentStage, before: string, digest: string): boolean {
  const { agentVersion, agentUpgrade } = newestFacts(stage);
  return agentVersion !== before && agentUpgrade?.digest === digest && agentUpgrade.order?.state !== 'TRYING';
}

/** Before the order is first told as CONFIRMED, a new boot has had its facts and a full report answered. */
function judgeConfirmation(
  { played, since }: AgentStage,
  from: number,
  orderId: string,
  check: Judge['check'],
): void {
  const all = since().slice(from);
  const first = all.findIndex(
    ({ operation, body }) =>
      operation === 'putFacts' &&
      (body as Facts).agentUpgrade?.order?.orderId === orderId &&
      (body as Facts).agentUpgrade?.order?.state === 'CONFIRMED',
  );
  const answered = all.slice(0, first).filter((each) => played.statuses.get(each) === 200);
  const trial = answered.find(
    ({ operation, body }) =>
      operation === 'putFacts' && (body as Facts).agentUpgrade?.order?.state === 'TRYING',
  );
  const hasReported = answered.some(
    ({ operation, bootId, body }) =>
      operation === 'postReport' && bootId === trial?.bootId && (body as Schemas['report']).full,
  );
  check(
    'MCO-O-094',
    trial !== undefined,
    'no facts of the version on trial were answered before it confirmed',
  );
  check('MCO-O-094', hasReported, 'no full report of the version on trial was answered before it confirmed');
}
