/** What one indicator says of one unit of a function, over its instances. */
export interface Reading {
  readonly indicator: string;
  /** Of the instances that have told it lately: their mean; of a quantile, the quantile over all of them together. */
  readonly value: number;
  /** How many have told it. */
  readonly instances: number;
  /** Instances of the unit that one step of the aspect adds. */
  readonly delta: number;
  /** Of an aspect whose steps are not all the same: instances of the unit at each level, from level 1 on, never falling. Absent: `delta` at each step. */
  readonly instancesAt?: readonly number[];
  /** Every instance that is wanted has told it. Where not, nobody knows what the others do. */
  readonly isComplete: boolean;
}

/** What a policy sees at one look. */
export interface PolicyInput {
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  /** Steps of the aspect that are wanted now. */
  readonly level: number;
  readonly min: number;
  readonly max: number;
  /** Of the indicators that have been told lately; what is missing or stale is not here. */
  readonly readings: readonly Reading[];
}

/** What a policy wishes, and what it has to be told the next time. */
export interface PolicyStep<State extends object> {
  /** Steps that it wishes; whoever asked keeps it within bounds and cool-downs. */
  readonly level: number;
  /** Sentences for people. */
  readonly reasons: readonly string[];
  readonly figures: Readonly<Record<string, number>>;
  /** Plain JSON: saved, and shown to whoever asks. */
  readonly state: State;
}

/**
 * One look of a policy: pure, the same for the same arguments.
 * @param state what its last look gave; undefined at the first one
 */
export type PolicyRule<Policy, State extends object> = (
  policy: Policy,
  state: State | undefined,
  input: PolicyInput,
) => PolicyStep<State>;

/** Steps that the whole demand of an indicator would take at so much for each instance. */
export function stepsOfDemand(
  { value, instances, delta, instancesAt }: Reading,
  perInstance: number,
): number {
  const needed = (value * instances) / perInstance;
  return instancesAt === undefined ? needed / delta : levelFor(needed, instancesAt);
}

/** The level, also between two, that has so many instances; beyond the last it goes on as up to there. */
function levelFor(needed: number, instancesAt: readonly number[]): number {
  if (needed <= 0) return 0;
  let [level, has] = [0, 0];
  for (const next of instancesAt) {
    if (next >= needed) return level + (needed - has) / (next - has);
    [level, has] = [level + 1, next];
  }
  return has === 0 ? 0 : (level * needed) / has;
}

/** How many times the instances of one level are those of another one. */
export function ratioOfLevels({ instancesAt }: Reading, level: number, other: number): number {
  const at = (each: number): number =>
    instancesAt === undefined ? each : (instancesAt[Math.min(each, instancesAt.length) - 1] ?? 0);
  return at(level) / Math.max(1, at(Math.max(1, other)));
}

/** Up to the next whole step; what is a hair above one by the arithmetic alone is that one. */
export function wholeSteps(steps: number): number {
  return Math.max(0, Math.ceil(steps - 1e-9));
}

/** A number for people. */
export function shown(value: number): string {
  return String(Number(value.toPrecision(4)));
}
