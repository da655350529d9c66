import { NotApplicable, must } from '../../case.ts';
import { idOf, type AssignmentWish, type Schemas } from '../ledger.ts';
import { comesToPass } from '../observe.ts';
import type { AgentCase, AgentStage } from '../stage.ts';
import { wishOf } from '../workload.ts';

type Run = Schemas['scheduled-run'];
type Spec = Schemas['workload-spec'];

const EVERY_SECOND = '* * * * * *';
const ABSENCE_SECONDS = 5;
const LEAST_RUNS_ALONE = 2;
const SEEN_RUNS = 3;
/** From now until the first of the times that are to be missed: the agent has taken the schedule over and is stopped by then. */
const AHEAD_SECONDS = 6;
const MISSED_TIMES = 3;
/** What an operator's command may take to stop the agent. */
const SLACK_SECONDS = 2;

export const scheduleCases: readonly AgentCase[] = [
  {
    id: 'schedule-is-reported',
    title:
      'Of a workload of mode schedule the next start, the last runs with their results, and the missed starts are reported.',
    requirements: ['MCO-O-039'],
    async play(stage, { check }) {
      await stage.calm();
      const ends = wishOf(stage.newName(), scheduled(endsOf(stage), EVERY_SECOND));
      const fails = wishOf(stage.newName(), scheduled(stage.workload.fails, EVERY_SECOND));
      stage.assign(ends, fails);
      for (const [wish, state] of [
        [ends, 'COMPLETED'],
        [fails, 'FAILED'],
      ] as const) {
        const isTold = await comesToPass(stage, () => runsOf(stage, wish, state).length >= SEEN_RUNS);
        check('MCO-O-039', isTold, `${SEEN_RUNS} runs that are ${state} were not reported`);
        judgeReport(stage, wish, check);
      }
    },
  },
  {
    id: 'schedule-goes-on-alone',
    title:
      'A workload of mode schedule is started at its times also while the orchestrator is away and the agent is killed and started again, at each time once at most.',
    requirements: ['MCO-O-028'],
    needs: ['restart'],
    async play(stage, { check }) {
      await stage.calm();
      const wish = wishOf(stage.newName(), scheduled(endsOf(stage), EVERY_SECOND));
      stage.assign(wish);
      await stage.until('it has run', () => runsOf(stage, wish, 'COMPLETED').length > 0);
      const { wire } = stage.played;
      await wire.disappear();
      await stage.command('restart');
      await stage.sleep(ABSENCE_SECONDS);
      const back = stage.clock.now();
      const away = back - ABSENCE_SECONDS * 1000;
      const from = stage.since().length;
      await wire.appear();
      await stage.until('the agent reports again', () => stage.since().slice(from).some(isReportOf(wish)));
      const starts = startsOf(stage, wish);
      const alone = [...starts.keys()].filter((at) => at >= away && at <= back);
      check(
        'MCO-O-028',
        alone.length >= LEAST_RUNS_ALONE,
        `in ${ABSENCE_SECONDS} s without the orchestrator it was started ${alone.length} times at a time every second`,
      );
      for (const [at, startedAt] of starts)
        check(
          'MCO-O-028',
          startedAt.size <= 1,
          `for ${new Date(at).toISOString()} it was started at ${[...startedAt].join(' and ')}`,
        );
    },
  },
  {
    id: 'missed-starts-are-made-up-and-counted',
    title: `Of ${MISSED_TIMES} starts in a row that could not be made the latest is made up for, unless it is too late for that, and the others are counted as missed.`,
    requirements: ['MCO-O-029'],
    needs: ['restart'],
    async play(stage, { check }) {
      await stage.calm();
      const first = Math.ceil(stage.clock.now() / 1000) + AHEAD_SECONDS;
      const times = Array.from({ length: MISSED_TIMES }, (_, index) => first + index);
      const cron = `${times.map((time) => time % 60).join(',')} * * * * *`;
      const patient = wishOf(stage.newName(), scheduled(endsOf(stage), cron, 50));
      const strict = wishOf(stage.newName(), scheduled(endsOf(stage), cron, 0.2));
      stage.assign(patient, strict);
      await stage.until('the schedules are reported', () =>
        [patient, strict].every((wish) => scheduleOf(stage, wish)?.nextAt !== undefined),
      );
      must(stage.clock.now() / 1000 < first - 1, 'the agent took too long to take the schedules over');
      const stopSeconds = first + MISSED_TIMES + SLACK_SECONDS - stage.clock.now() / 1000;
      const { bootId } = await stopFor(stage, Math.ceil(stopSeconds));
      const latest = (times.at(-1) ?? 0) * 1000;
      const isMadeUp = await comesToPass(stage, () => startsOf(stage, patient, bootId).has(latest));
      check('MCO-O-029', isMadeUp, 'the latest start was not made up for');
      const told = (wish: AssignmentWish): number => scheduleOf(stage, wish)?.missed ?? 0;
      await comesToPass(stage, () => told(strict) === MISSED_TIMES, 5);
      const [made, late] = [startsOf(stage, patient, bootId), startsOf(stage, strict, bootId)];
      check('MCO-O-029', made.size === 1, `${made.size} starts were made up for, not the latest one only`);
      check(
        'MCO-O-029',
        told(patient) === MISSED_TIMES - 1,
        `missed is ${told(patient)}, where ${MISSED_TIMES - 1} could not be made up for`,
      );
      check('MCO-O-029', late.size === 0, 'a start was made up for after startWithinSeconds');
      check(
        'MCO-O-029',
        told(strict) === MISSED_TIMES,
        `missed is ${told(strict)}, where all ${MISSED_TIMES} were too late`,
      );
    },
  },
];

type Check = (requirement: string, holds: boolean, message: string) => void;

function endsOf({ workload }: AgentStage): Spec {
  if (workload.ends !== undefined) return workload.ends;
  throw new NotApplicable('needs a workload that ends well: give it as "ends" in the file of --workload');
}

function scheduled(spec: Spec, cron: string, startWithinSeconds = 0.9): Spec {
  const rule = { timeZone: 'UTC', concurrency: 'forbid', atMost: 1, startWithinSeconds } as const;
  return { ...spec, run: { mode: 'schedule', cron, ...rule, history: { completed: 20, failed: 20 } } };
}

function scheduleOf(
  { ledger }: AgentStage,
  { workload }: AssignmentWish,
): Schemas['schedule-report'] | undefined {
  return ledger.observed.get(idOf(workload.key))?.schedule;
}

function runsOf(stage: AgentStage, wish: AssignmentWish, state: Run['state']): readonly Run[] {
  return (scheduleOf(stage, wish)?.runs ?? []).filter((run) => run.state === state);
}

function judgeReport(stage: AgentStage, wish: AssignmentWish, check: Check): void {
  const { nextAt, missed, isPaused, runs = [] } = scheduleOf(stage, wish) ?? {};
  const newest = Math.max(...runs.map(({ scheduledAt }) => Date.parse(scheduledAt)));
  const shown = `the schedule ${JSON.stringify({ nextAt, missed, isPaused })}`;
  check(
    'MCO-O-039',
    Date.parse(nextAt ?? '') > newest,
    `${shown} does not tell the start after the last run`,
  );
  check('MCO-O-039', Number.isSafeInteger(missed), `${shown} does not tell how many starts were missed`);
  const isWhole = ({ state, startedAt, endedAt, scheduledAt }: Run): boolean =>
    !['COMPLETED', 'FAILED'].includes(state) ||
    (startedAt !== undefined && endedAt !== undefined && Date.parse(scheduledAt) % 1000 === 0);
  check(
    'MCO-O-039',
    runs.every(isWhole),
    `a run lacks its times: ${JSON.stringify(runs.find((run) => !isWhole(run)))}`,
  );
}

function isReportOf({
  workload,
}: AssignmentWish): (received: { operation: string; body: unknown }) => boolean {
  return ({ operation, body }) =>
    operation === 'postReport' &&
    ((body as Partial<Schemas['report']>).workloads ?? []).some(
      ({ key, schedule }) => idOf(key) === idOf(workload.key) && schedule !== undefined,
    );
}

/** By scheduled time, when it was started, as all reports of the case tell it, or those of one boot. */
function startsOf(
  stage: AgentStage,
  wish: AssignmentWish,
  bootId?: string,
): ReadonlyMap<number, ReadonlySet<string>> {
  const starts = new Map<number, Set<string>>();
  const reports = stage.since('postReport').filter((each) => bootId === undefined || each.bootId === bootId);
  for (const { body } of reports)
    for (const { key, schedule } of (body as Partial<Schemas['report']>).workloads ?? [])
      for (const { scheduledAt, startedAt } of schedule?.runs ?? []) {
        if (startedAt === undefined || idOf(key) !== idOf(wish.workload.key)) continue;
        const at = Date.parse(scheduledAt);
        starts.set(at, (starts.get(at) ?? new Set<string>()).add(startedAt));
      }
  return starts;
}

/** @throws NotApplicable where the command does not leave the agent stopped for that long */
async function stopFor(stage: AgentStage, seconds: number): Promise<{ readonly bootId: string }> {
  const before = new Set(stage.played.received.map(({ bootId }) => bootId));
  const until = stage.clock.now() + (seconds - 1) * 1000;
  await stage.command('restart', seconds);
  const { bootId } = await stage.until('the agent is there again', () =>
    stage.played.received.find((each) => !before.has(each.bootId)),
  );
  if (stage.clock.now() < until)
    throw new NotApplicable(
      'needs a --restart-command that waits PAUSE_SECONDS before it starts the agent again',
    );
  return { bootId };
}
