import { idOf, type Schemas } from '../ledger.ts';
import { comesToPass } from '../observe.ts';
import { problem } from '../operations.ts';
import type { Received } from '../orchestrator-wire.ts';
import type { AgentCase, AgentStage } from '../stage.ts';
import { wishOf } from '../workload.ts';

type Batch = Schemas['measurement-batch'];

const EVERY_SECONDS = 0.5;
const WATCH_SECONDS = 2;
const HOST_JOB: Schemas['collection-job'] = { jobId: 'host', source: 'host', everySeconds: EVERY_SECONDS };

export const monitoringCases: readonly AgentCase[] = [
  {
    id: 'only-what-jobs-say-is-measured',
    title:
      'Without a collection job nothing is measured; with one for the host the host is, and no workload.',
    requirements: ['MCO-M-001'],
    async play(stage, { check }) {
      await stage.calm();
      const wish = await stage.run();
      stage.collect(HOST_JOB);
      await stage.until('measurements of the host come', () => pointsOf(taken(stage)).length > 2);
      const foreign = pointsOf(taken(stage)).filter(({ subject }) => subject !== undefined);
      check(
        'MCO-M-001',
        foreign.length === 0,
        `without a job for it ${wish.workload.key.vnfInstanceId} was measured: ${foreign[0]?.metric ?? ''}`,
      );
      stage.collect();
      await stage.until('the agent knows that nothing is to be collected', () =>
        stage.since('getWanted').some(({ query }) => Number(query.get('since')) >= stage.ledger.revision),
      );
      await stage.sleep(1);
      const from = stage.since('postMeasurements').length;
      await stage.sleep(WATCH_SECONDS);
      const more = stage.since('postMeasurements').slice(from);
      check('MCO-M-001', more.length === 0, `without a job ${more.length} batches of measurements came`);
    },
  },
  {
    id: 'measurements-wait-until-they-are-acknowledged',
    title: 'What is measured while the orchestrator cannot take it comes later, whole and in order.',
    requirements: ['MCO-M-003'],
    async play(stage, { check }) {
      await stage.calm();
      stage.collect(HOST_JOB);
      await stage.until('measurements come', () => taken(stage).length > 0);
      stage.played.fate = ({ operation }) =>
        operation === 'postMeasurements' ? { reply: problem(503, 'not now') } : undefined;
      const from = stage.clock.now();
      await stage.sleep(WATCH_SECONDS);
      stage.played.fate = undefined;
      const until = stage.clock.now();
      const has = await comesToPass(stage, () => timesOf(taken(stage)).some((time) => time > until));
      check('MCO-M-003', has, 'nothing that was measured later came');
      const times = timesOf(taken(stage));
      const kept = new Set(times.filter((time) => time >= from && time <= until));
      const expected = Math.floor(WATCH_SECONDS / EVERY_SECONDS / 2);
      check(
        'MCO-M-003',
        kept.size >= expected,
        `of ${WATCH_SECONDS} s at ${EVERY_SECONDS} s each, ${kept.size} measurements came later`,
      );
      const isOrdered = times.every((time, index) => index === 0 || time >= (times[index - 1] ?? 0));
      check('MCO-M-003', isOrdered, 'measurements came in another order than they were taken');
    },
  },
  {
    id: 'refused-batch-does-not-block',
    title: 'After a batch that is answered with 400 the next ones come.',
    requirements: ['MCO-M-009'],
    async play(stage, { check }) {
      await stage.calm();
      stage.collect(HOST_JOB);
      await stage.until('measurements come', () => taken(stage).length > 0);
      let refused = 0;
      stage.played.fate = ({ operation }) => {
        if (operation !== 'postMeasurements' || refused >= 2) return undefined;
        refused += 1;
        return { reply: problem(400, 'such measurements are not taken') };
      };
      await stage.until('a batch was refused', () => refused > 0);
      const from = taken(stage).length;
      const goesOn = await comesToPass(stage, () => taken(stage).length > from + 1);
      check('MCO-M-009', goesOn, 'no batch was taken after one that was refused');
    },
  },
  {
    id: 'function-that-was-given-up-is-an-alarm',
    title: 'A function that was given up is raised as an alarm, which is cleared when the function is gone.',
    requirements: ['MCO-M-011'],
    async play(stage, { check }) {
      await stage.calm();
      const wish = wishOf(stage.newName(), stage.workload.fails);
      stage.assign(wish);
      await stage.until(
        'the workload is reported as FAILED',
        () => stage.instanceOf(wish)?.state === 'FAILED',
      );
      const isRaised = await comesToPass(stage, () =>
        alarmsOf(stage, wish.workload.key).some((each) => each !== 'CLEARED'),
      );
      check('MCO-M-011', isRaised, 'no alarm was raised for it');
      stage.assign();
      const isCleared = await comesToPass(
        stage,
        () => alarmsOf(stage, wish.workload.key).at(-1) === 'CLEARED',
      );
      check('MCO-M-011', isCleared, 'its alarm was not cleared when it was gone');
    },
  },
];

/** The batches of this case that the kit has acknowledged, each once. */
function taken(stage: AgentStage): readonly Received[] {
  const seen = new Set<string>();
  return stage.since('postMeasurements').filter((each) => {
    const key = `${each.bootId} ${String(each.sequence)}`;
    if (stage.played.statuses.get(each) !== 200 || seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

function pointsOf(batches: readonly Received[]): readonly Schemas['measurement'][] {
  return batches.flatMap(({ body }) => (body as Partial<Batch>).points ?? []);
}

function timesOf(batches: readonly Received[]): readonly number[] {
  return pointsOf(batches).map(({ timestamp }) => Date.parse(timestamp));
}

/** Severities of the alarms about a workload, in order. */
function alarmsOf(stage: AgentStage, key: Schemas['workload-key']): readonly string[] {
  return stage
    .since('postAlarms')
    .flatMap(({ body }) => (body as Partial<Schemas['alarm-batch']>).alarms ?? [])
    .filter(({ subject }) => subject !== undefined && idOf(subject) === idOf(key))
    .map(({ severity }) => severity);
}
