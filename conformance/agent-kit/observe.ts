import type { AgentStage } from './stage.ts';

type Instance = ReturnType<AgentStage['instanceOf']>;

/** Whether it came to pass within the patience of the kit. */
export async function comesToPass(
  stage: AgentStage,
  look: () => boolean,
  seconds?: number,
): Promise<boolean> {
  return stage.until('it', look, seconds).then(
    () => true,
    () => false,
  );
}

const ABSENCE_SECONDS = 0.5;
/** Over NATS no question waits that would be cut off: the next heartbeat has to come meanwhile. */
const ABSENCE_OVER_NATS_SECONDS = 2.5;

/** Waits until the agent has said anew how everything is: after an absence it has to (MCO-O-037). */
export async function nextReport(stage: AgentStage, absenceSeconds?: number): Promise<void> {
  const { wire, statuses } = stage.played;
  const least = wire.binding === 'nats' ? ABSENCE_OVER_NATS_SECONDS : ABSENCE_SECONDS;
  await wire.disappear();
  await stage.sleep(absenceSeconds ?? least);
  const from = stage.since('postReport').length;
  await wire.appear();
  await stage.until('the agent reports in full after an absence', () =>
    stage
      .since('postReport')
      .slice(from)
      .some((each) => statuses.get(each) === 200 && (each.body as { full?: boolean }).full === true),
  );
}

/** Whether it ran all the time: neither stopped nor started again. */
export function isSameRun(before: Instance, after: Instance): boolean {
  return (
    before?.state === 'RUNNING' &&
    after?.state === 'RUNNING' &&
    before.since === after.since &&
    before.restarts === after.restarts &&
    before.epoch === after.epoch &&
    before.pid === after.pid
  );
}

export function describe(instance: Instance): string {
  if (instance === undefined) return 'not there';
  const { state, since, restarts, pid } = instance;
  return `${state} since ${since}, ${restarts} restarts${pid === undefined ? '' : `, process ${pid}`}`;
}
