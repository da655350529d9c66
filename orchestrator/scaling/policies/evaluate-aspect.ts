import type { ScalingPolicy } from '../../../descriptors/index.ts';
import { decideByPolicy, indicatorsOfPolicy } from './decide.ts';
import type { PolicyInput } from './policy.ts';

/** What is known of one aspect of one function between two looks. Plain JSON: saved, and shown to whoever asks. */
export interface AspectState {
  /** Type of the policy that `policy` is the state of: another one begins anew. */
  readonly type: ScalingPolicy['type'];
  /** Absent: the policy has changed, and begins anew. */
  readonly policy?: object;
  /** The latest steps that the policy has taken, oldest first. */
  readonly changes: readonly LevelChange[];
  /** Until when nothing is scaled in because it went to and fro, milliseconds since the Unix epoch. */
  readonly calmUntil?: number;
}

export interface LevelChange {
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  readonly from: number;
  readonly to: number;
}

export interface AspectInput extends PolicyInput {
  /** The most that others leave it: limits of the tenant and of VIMs. Never a reason to scale in. */
  readonly ceiling?: { readonly level: number; readonly reason: string };
  /** Somebody has set the level by hand: it stays, and policies only look. */
  readonly held?: string;
}

export interface Evaluation {
  /** Steps to be wanted from now on. */
  readonly level: number;
  /** What the policy alone wishes. */
  readonly wished: number;
  readonly reasons: readonly string[];
  readonly figures: Readonly<Record<string, number>>;
  readonly state: AspectState;
}

const MOST_CHANGES = 20;

/**
 * One look at one aspect: what its policy wishes, within the bounds of the aspect and the limits around it, cool-downs kept, calm kept after going to and
 * fro, and never in on what is missing or stale. Pure. The state counts a step as taken only once it is told with `withChange`.
 */
export function evaluateAspect(
  policy: ScalingPolicy,
  state: AspectState | undefined,
  input: AspectInput,
): Evaluation {
  const known = state?.type === policy.type ? state : undefined;
  const step = decideByPolicy(policy, known?.policy, input);
  const changes = state?.changes ?? [];
  const calmUntil = calmAfter(policy, changes, input.now, state?.calmUntil);
  const reasons = [...step.reasons];
  const level = [withinBounds, knownWell, cooled, calm, held].reduce(
    (wished, rule) =>
      rule(wished, { policy, input, changes, calmUntil, say: (reason) => reasons.push(reason) }),
    step.level,
  );
  return {
    level,
    wished: step.level,
    reasons,
    figures: step.figures,
    state: {
      type: policy.type,
      policy: step.state,
      changes,
      ...(calmUntil === undefined ? {} : { calmUntil }),
    },
  };
}

/** The state once a step has been taken. */
export function withChange(state: AspectState, change: LevelChange): AspectState {
  return { ...state, changes: [...state.changes, change].slice(-MOST_CHANGES) };
}

interface Scene {
  readonly policy: ScalingPolicy;
  readonly input: AspectInput;
  readonly changes: readonly LevelChange[];
  readonly calmUntil: number | undefined;
  readonly say: (reason: string) => void;
}

/** Below its minimum or above its maximum an aspect is only by hand or by a changed descriptor: then it goes back. */
function withinBounds(wished: number, { policy, input, say }: Scene): number {
  const { max, level, ceiling } = input;
  // Nobody would tell an indicator any more.
  const min = policy.type === 'schedule' ? input.min : Math.max(1, input.min);
  const bounded = Math.min(Math.max(wished, min), max);
  if (bounded < wished) say(`${max} is the maximum`);
  if (bounded > wished) say(`${min} is the minimum`);
  if (ceiling === undefined || bounded <= ceiling.level || bounded <= level) return bounded;
  say(ceiling.reason);
  return Math.max(level, ceiling.level);
}

function knownWell(wished: number, { policy, input, say }: Scene): number {
  const { level, max, readings } = input;
  if (wished >= level || level > max) return wished;
  const unknown = indicatorsOfPolicy(policy).filter(
    (name) => readings.find(({ indicator }) => indicator === name)?.isComplete !== true,
  );
  if (unknown.length === 0) return wished;
  say(`${unknown.join(', ')}: not told lately by all instances, so nothing is scaled in`);
  return level;
}

function cooled(wished: number, { policy, input, changes, say }: Scene): number {
  const { level, now } = input;
  const { outSeconds, inSeconds } = policy.cooldown;
  const latest = changes.at(-1);
  if (latest === undefined || wished === level) return wished;
  const seconds = wished > level ? outSeconds : inSeconds;
  const since = wished > level ? (changes.findLast(({ from, to }) => to > from)?.at ?? -Infinity) : latest.at;
  if (now >= since + seconds * 1000) return wished;
  say(`it is ${Math.round((now - since) / 1000)} s since the last step, and ${seconds} s are to pass`);
  return level;
}

function calm(wished: number, { input, calmUntil, say }: Scene): number {
  if (wished >= input.level || calmUntil === undefined) return wished;
  say('it went to and fro lately, so nothing is scaled in for a while');
  return input.level;
}

function held(wished: number, { input, say }: Scene): number {
  if (input.held === undefined) return wished;
  if (wished !== input.level) say(input.held);
  return input.level;
}

/** Until when nothing is to be scaled in: from the turn that was one too many, for as long as turns are counted. */
function calmAfter(
  { calm: { turns, withinSeconds } }: ScalingPolicy,
  changes: readonly LevelChange[],
  now: number,
  known: number | undefined,
): number | undefined {
  const isTurn = (change: LevelChange, index: number): boolean => {
    const before = changes[index - 1];
    return before !== undefined && Math.sign(change.to - change.from) !== Math.sign(before.to - before.from);
  };
  const recent = changes.filter(
    (change, index) => isTurn(change, index) && change.at > now - withinSeconds * 1000,
  );
  const latest = recent.at(-1);
  const until =
    latest !== undefined && recent.length >= turns
      ? Math.max(known ?? 0, latest.at + withinSeconds * 1000)
      : known;
  return until !== undefined && until > now ? until : undefined;
}
