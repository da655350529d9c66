/** What one indicator says of one unit of a function, over its instances. */
export interface Reading {
  readonly indicator: string;
  /** Of the instances that have told it lately: their mean; of a quantile, the quantile over all of them together. */
  readonly value: number;
  /** How many have told it. */
  readonly instances: number;
  /** Instances of the unit that one step of the aspect adds. */
  readonly delta: number;
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
export function stepsOfDemand({ value, instances, delta }: Reading, perInstance: number): number {
  return (value * instances) / (perInstance * delta);
}

/** Up to the next whole step; what is a hair above one by the arithmetic alone is that one. */
export function wholeSteps(steps: number): number {
  return Math.max(0, Math.ceil(steps - 1e-9));
}

/** A number for people. */
export function shown(value: number): string {
  return String(Number(value.toPrecision(4)));
}
