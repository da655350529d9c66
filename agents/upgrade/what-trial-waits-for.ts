import { instanceName, type ObservedWorkload, type Workload } from '../../vim-drivers/index.ts';

type InstanceState = ObservedWorkload['instances'][number]['state'];

/** Copies that run, by name. */
export function runningCopies(observed: readonly ObservedWorkload[]): readonly string[] {
  return copiesIn(observed, ['RUNNING']);
}

/** Taken over by the agent as they ran on, or at their end since. */
const TAKEN_OVER: readonly InstanceState[] = ['RUNNING', 'UNHEALTHY', 'COMPLETED', 'SCHEDULED'];

function copiesIn(
  observed: readonly ObservedWorkload[],
  states: readonly InstanceState[],
): readonly string[] {
  return observed.flatMap(({ key, instances }) =>
    instances.filter(({ state }) => states.includes(state)).map(({ slot }) => instanceName(key, slot)),
  );
}

/** What a version on trial still waits for, in words; undefined: nothing. Pure. */
export function whatTrialWaitsFor(seen: {
  readonly isHeard: boolean;
  /** Copies that ran under the version before. */
  readonly before: readonly string[];
  readonly wanted: readonly Pick<Workload, 'key' | 'instances'>[] | undefined;
  readonly observed: readonly ObservedWorkload[] | undefined;
}): string | undefined {
  const { isHeard, before, wanted, observed } = seen;
  if (!isHeard) return 'the orchestrator to take its report and answer';
  if (observed === undefined) return 'the first look at its functions';
  const here = new Set(copiesIn(observed, TAKEN_OVER));
  const due = new Set(
    (wanted ?? []).flatMap(({ key, instances }) => instances.map(({ slot }) => instanceName(key, slot))),
  );
  const missing = before.filter((name) => due.has(name) && !here.has(name));
  return missing.length === 0
    ? undefined
    : `${missing.length === 1 ? 'a function' : 'functions'} that ran before: ${missing.join(', ')}`.slice(
        0,
        400,
      );
}
