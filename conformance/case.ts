/** The side of Mco that is checked. */
export type Side = 'agent' | 'orchestrator';

/** What carries the messages. */
export type Binding = 'http' | 'nats';

/** What a case says while it is played. */
export interface Judge {
  /**
   * One observation about one requirement of the case. The case goes on, so that each requirement is judged by itself.
   * @param message what is wrong where it does not hold
   */
  check(requirement: string, holds: boolean, message: string): void;
  /** Ended by the patience of the kit, or by whoever stops it. */
  readonly signal: AbortSignal;
}

/** One test over the wire. Cases do not build on each other. */
export interface Case<Stage> {
  /** Kebab-case, for good: what reports and people name it by. */
  readonly id: string;
  /** A sentence that says what is done and what is expected. */
  readonly title: string;
  readonly requirements: readonly string[];
  /** Where it can be played; absent: over every binding. */
  readonly bindings?: readonly Binding[];
  /** What somebody at the other side has to be able to do for it: names of actions or commands. */
  readonly needs?: readonly string[];
  /** It mostly waits: it may be played beside others. */
  readonly isWaiting?: boolean;
  /** Of waiting cases with the same word one is played at a time. */
  readonly turn?: string;
  /** It may take so long, also where cases are given less. */
  readonly leastTimeoutSeconds?: number;
  play(stage: Stage, judge: Judge): Promise<void>;
}

/** The other side does not do what the case needs it to do: the requirements that are not judged yet are failed. */
export class CaseFailure extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'CaseFailure';
  }
}

/** The case cannot be played here; the message says what it needs. */
export class NotApplicable extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'NotApplicable';
  }
}

/** What to say of a case that another binding has; undefined where it can be played over this one. */
export function otherBinding(
  { bindings }: Pick<Case<never>, 'bindings'>,
  binding: Binding,
): string | undefined {
  if (bindings === undefined || bindings.includes(binding)) return undefined;
  return `needs the binding to ${bindings.join(' or ')}: give --binding ${bindings[0] ?? ''}`;
}

/** @throws CaseFailure */
export function must(holds: boolean, message: string): asserts holds {
  if (!holds) throw new CaseFailure(message);
}
