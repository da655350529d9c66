/**
 * The season of a series, found by itself: the lag at which it is most like itself, as a share of its variance.
 * @returns number of values after which the series repeats; 0 where it does not, or less than two seasons are there
 */
export function findSeason(values: readonly number[]): number {
  const residuals = withoutTrend(values);
  const longest = Math.floor(values.length / 2);
  const variance = dot(residuals, 0) / values.length;
  if (!(variance > 1e-12)) return 0;
  const likeness: number[] = [];
  for (let lag = 0; lag <= longest; lag += 1)
    likeness.push(dot(residuals, lag) / (values.length - lag) / variance);
  let best = 0;
  // Short lags are alike because a series is smooth, not because it repeats: the first valley comes before the first season.
  let lag = likeness.findIndex((value) => value <= 0);
  if (lag < SHORTEST) lag = lag < 0 ? longest + 1 : SHORTEST;
  for (; lag <= longest; lag += 1) {
    const here = likeness[lag] ?? 0;
    const isPeak = here >= (likeness[lag - 1] ?? 0) && here >= (likeness[lag + 1] ?? -1);
    // A multiple of a season is no better one.
    if (isPeak && here > LEAST_LIKENESS && here > (best === 0 ? 0 : (likeness[best] ?? 0) + 0.05)) best = lag;
  }
  return best;
}

const SHORTEST = 4;
const LEAST_LIKENESS = 0.35;

function withoutTrend(values: readonly number[]): number[] {
  const middle = (values.length - 1) / 2;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  let slope = 0;
  let spread = 0;
  for (const [index, value] of values.entries()) {
    slope += (index - middle) * (value - mean);
    spread += (index - middle) ** 2;
  }
  const perStep = spread === 0 ? 0 : slope / spread;
  return values.map((value, index) => value - mean - perStep * (index - middle));
}

function dot(values: readonly number[], lag: number): number {
  let sum = 0;
  for (let index = lag; index < values.length; index += 1)
    sum += (values[index] ?? 0) * (values[index - lag] ?? 0);
  return sum;
}
