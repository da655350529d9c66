import type { LearningPolicy } from '../../../descriptors/index.ts';
import { shown, type PolicyInput, type PolicyStep } from './policy.ts';
import { aimOf, decideByTarget, figuresOf, type TargetState } from './target.ts';
import { chanceAfter, choose, situationOf, withReward, type ValueTable } from './value-table.ts';

export interface LearningState {
  readonly target: TargetState;
  readonly table: ValueTable;
  /** Demand, smoothed: what it is compared with to see where it goes. */
  readonly smoothed?: number;
  /** The choice that stands, and what has come of it so far. */
  readonly choice?: Choice;
  /** Step-seconds since it began: what `target` alone would have used, and what has been used beyond because of choices. */
  readonly spent: { readonly target: number; readonly extra: number };
  /** Level up to which instances are there because of choices, however long they take to go. */
  readonly floor: number;
  readonly last: { readonly at: number; readonly targetLevel: number };
  /** State of the generator of chance: the same from the same beginning. */
  readonly chance: number;
}

interface Choice {
  readonly situation: string;
  readonly extra: number;
  /** Milliseconds since the Unix epoch. */
  readonly until: number;
  readonly shortage: number;
  readonly looks: number;
}

/** How much being a step short is worse than having a step too many. */
const PRICE_OF_SHORTAGE = 20;
const SMOOTHING = 0.2;
/** A choice stands for at least so long: less could not be judged. */
const LEAST_CHOICE_SECONDS = 5;

/**
 * Q-learning within a safe envelope: it learns how many steps beyond those of `target` pay, for how full the instances are and where
 * demand goes. It never wishes less than `target` does, and goes beyond only by a longer step where `target` itself takes one, or by staying
 * where `target` would scale in: a step of its own would hold up those of `target`. It does so only while the step-seconds used
 * because of its choices, with those that the next choice takes until it may be scaled in, stay within `extraShare` of those of
 * `target`: so it is dearer by that share at most, and once by `extraSteps` for as long as `calm` may keep them. Cool-downs count from its own
 * steps: for as long as one lasts, it may have fewer instances than `target` would have kept by its own.
 */
export function decideByLearning(
  policy: LearningPolicy,
  known: LearningState | undefined,
  input: PolicyInput,
): PolicyStep<LearningState> {
  const { now, level } = input;
  // What target would see by itself: the steps beyond it must not be taken for its own.
  const alone = { ...input, level: known?.last.targetLevel ?? level };
  const base = decideByTarget(policy, known?.target, alone);
  const aim = aimOf(policy, alone);
  const targetLevel = clamp(base.level, input);
  const state = spend(known ?? beginning(policy, input, base.state), input);
  const next = { ...state, target: base.state, last: { at: now, targetLevel } };
  if (aim.demand === undefined || !aim.isComplete) return { ...base, level: targetLevel, state: next };

  const { demand } = aim;
  const seen = judge(policy, next, input, demand, targetLevel);
  const { extra } = seen.choice;
  const isOut = targetLevel > level;
  const floor = Math.min(isOut ? input.max : level, targetLevel + extra);
  const share = seen.spent.target === 0 ? 0 : seen.spent.extra / seen.spent.target;
  return {
    level: Math.max(targetLevel, floor),
    reasons: [
      ...base.reasons,
      extra === 0
        ? `nothing beyond target pays, or is left, at ${seen.choice.situation}`
        : `${shown(extra)} beyond target, for ${seen.choice.situation}`,
    ],
    figures: { ...figuresOf(aim, input), targetSteps: targetLevel, extraShare: share },
    state: { ...seen, floor: Math.max(seen.floor, floor), smoothed: smoothedWith(state, demand) },
  };
}

function beginning(policy: LearningPolicy, { now, level }: PolicyInput, target: TargetState): LearningState {
  return {
    target,
    table: {},
    spent: { target: 0, extra: 0 },
    floor: 0,
    last: { at: now, targetLevel: level },
    chance: policy.seed,
  };
}

/** What has been used since the last look, and what is still there because of choices. */
function spend(state: LearningState, { now, level }: PolicyInput): LearningState {
  const { last, spent } = state;
  const seconds = Math.max(0, now - last.at) / 1000;
  const floor = Math.min(state.floor, level);
  return {
    ...state,
    floor,
    spent: {
      target: spent.target + last.targetLevel * seconds,
      extra: spent.extra + Math.max(0, floor - last.targetLevel) * seconds,
    },
  };
}

function smoothedWith({ smoothed }: LearningState, demand: number): number {
  return smoothed === undefined ? demand : smoothed + SMOOTHING * (demand - smoothed);
}

/** The choice that stands with what this look adds to it; where its time is over, judged, and the next one made. */
function judge(
  policy: LearningPolicy,
  state: LearningState,
  { now, level }: PolicyInput,
  demand: number,
  targetLevel: number,
): LearningState & { readonly choice: Choice } {
  const { choice, table, spent } = state;
  const shortage = (choice?.shortage ?? 0) + Math.max(0, demand - level);
  const looks = (choice?.looks ?? 0) + 1;
  if (choice !== undefined && now < choice.until) return { ...state, choice: { ...choice, shortage, looks } };
  const situation = situationOf(demand, targetLevel, state.smoothed);
  const choices = policy.extraSteps + 1;
  const reward = -PRICE_OF_SHORTAGE * (shortage / looks) - (choice?.extra ?? 0);
  const learned = choice === undefined ? table : withReward(table, choices, { ...choice, reward }, situation);
  const { value, next } = chanceAfter(state.chance);
  const wished = choose(learned, situation, choices, policy.explore, value);
  const seconds = Math.max(LEAST_CHOICE_SECONDS, policy.cooldown.inSeconds);
  const affordable = (policy.extraShare * spent.target - spent.extra) / seconds;
  const extra = Math.max(0, Math.min(wished, Math.floor(affordable)));
  return {
    ...state,
    table: learned,
    chance: next,
    choice: { situation, extra, until: now + seconds * 1000, shortage: 0, looks: 0 },
  };
}

function clamp(level: number, { min, max }: PolicyInput): number {
  return Math.min(Math.max(level, min), Math.max(min, max));
}
