import type { PredictivePolicy } from '../../../descriptors/index.ts';
import { withDemand, type DemandHistory } from './demand-history.ts';
import { forecast } from './holt-winters.ts';
import { shown, wholeSteps, type PolicyInput, type PolicyStep } from './policy.ts';
import { findSeason } from './season.ts';
import { aimOf, decideByTarget, figuresOf, type TargetState } from './target.ts';

export interface PredictiveState {
  readonly target: TargetState;
  readonly history?: DemandHistory;
  readonly outlook?: Outlook;
}

/** What is expected, in steps at the target; made anew with each whole step of the history. */
interface Outlook {
  /** Steps of the history after which demand repeats; 0: it does not. */
  readonly season: number;
  /** How many values the season was looked for in. */
  readonly seasonOf: number;
  /** The highest demand of the time ahead, with its margin. */
  readonly highest: number;
  readonly meanError: number;
  readonly naiveError: number;
  /** Forecasts have been better than saying that nothing changes. */
  readonly isTrusted: boolean;
}

const LEAST_VALUES = 12;
/** Looking for the season costs the square of the values: only when there are so many more. */
const SEASON_GROWTH = 1.1;

/**
 * Wishes what the demand of the next `aheadSeconds` will take, so that instances serve when it comes, and lets go of what it will not
 * take. Where forecasts have not been better than saying that nothing changes, it does what `target` does.
 */
export function decideByForecast(
  policy: PredictivePolicy,
  state: PredictiveState | undefined,
  input: PolicyInput,
): PolicyStep<PredictiveState> {
  const base = decideByTarget(policy, state?.target, input);
  const aim = aimOf(policy, input);
  if (aim.demand === undefined || !aim.isComplete)
    return { ...base, state: { ...state, target: base.state } };
  const { history, closed } = withDemand(state?.history, policy.stepSeconds, input.now, aim.demand);
  const known = state?.history?.stepSeconds === policy.stepSeconds ? state.outlook : undefined;
  const outlook = closed > 0 ? lookAhead(policy, history, known) : known;
  const next = { target: base.state, history, ...(outlook === undefined ? {} : { outlook }) };
  if (outlook?.isTrusted !== true) {
    const reason = 'forecasts are not better yet than saying that nothing changes: as target does';
    return { ...base, reasons: [...base.reasons, reason], state: next };
  }
  const expected = Math.max(0, outlook.highest);
  return {
    level: Math.max(aim.level, wholeSteps(expected)),
    reasons: [
      ...aim.reasons,
      `up to ${shown(expected)} steps are expected within ${policy.aheadSeconds} s` +
        (outlook.season > 0 ? `, by a season of ${outlook.season * policy.stepSeconds} s` : ''),
    ],
    figures: { ...figuresOf(aim, input), expectedSteps: expected, forecastError: outlook.meanError },
    state: next,
  };
}

/** Nothing is known of what is further away. */
const MOST_STEPS_AHEAD = 1000;

function lookAhead(
  { aheadSeconds, stepSeconds, confidence }: PredictivePolicy,
  { values }: DemandHistory,
  known: Outlook | undefined,
): Outlook | undefined {
  if (values.length < LEAST_VALUES) return undefined;
  const isToBeSought =
    known === undefined ||
    values.length >= known.seasonOf * SEASON_GROWTH ||
    (known.season === 0 && values.length % LEAST_VALUES === 0);
  const season = isToBeSought ? findSeason(values) : known.season;
  const seasonOf = isToBeSought ? values.length : known.seasonOf;
  const ahead = Math.min(MOST_STEPS_AHEAD, Math.max(1, Math.ceil(aheadSeconds / stepSeconds)));
  const {
    values: coming,
    errors,
    meanError,
    naiveError,
  } = forecast(values, values.length >= 2 * season ? season : 0, ahead);
  const margin = Math.max(
    0,
    errors[Math.min(errors.length - 1, Math.floor(errors.length * confidence))] ?? 0,
  );
  return {
    season,
    seasonOf,
    highest: coming.reduce((most, each) => Math.max(most, each), -Infinity) + margin,
    meanError: finite(meanError),
    naiveError: finite(naiveError),
    isTrusted: errors.length >= LEAST_VALUES && meanError < naiveError * BETTER_BY,
  };
}

const BETTER_BY = 0.9;

/** JSON has no infinity. */
function finite(value: number): number {
  return Number.isFinite(value) ? value : -1;
}
