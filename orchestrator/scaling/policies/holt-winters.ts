/** How quickly level, trend and season follow what is new, 0 to 1. */
interface Smoothing {
  readonly level: number;
  readonly trend: number;
  readonly season: number;
}

export interface Forecast {
  /** The next values, the nearest first. */
  readonly values: readonly number[];
  /** What the values that came were above the forecasts that far ahead, smallest first. */
  readonly errors: readonly number[];
  /** Mean size of those errors, beside that of saying that nothing changes. */
  readonly meanError: number;
  readonly naiveError: number;
}

const GRID: readonly Smoothing[] = [0.1, 0.3, 0.6].flatMap((level) =>
  [0, 0.05, 0.2].flatMap((trend) => [0.1, 0.4].map((season) => ({ level, trend, season }))),
);
/** A trend goes on, a little less with every step. */
const DAMPING = 0.9;

/**
 * Additive Holt-Winters with a damped trend: of a grid of smoothings, the one that would have forecast the series best that far ahead.
 * @param season values after which the series repeats; 0: without seasons
 * @param ahead how many values are wanted, at least 1
 */
export function forecast(values: readonly number[], season: number, ahead: number): Forecast {
  let best: Forecast | undefined;
  for (const smoothing of GRID) {
    if (season === 0 && smoothing.season !== GRID[0]?.season) continue;
    const tried = run(values, season, ahead, smoothing);
    if (best === undefined || tried.meanError < best.meanError) best = tried;
  }
  return best ?? { values: [], errors: [], meanError: Infinity, naiveError: Infinity };
}

function run(values: readonly number[], season: number, ahead: number, smoothing: Smoothing): Forecast {
  const first = values.slice(0, Math.max(1, season));
  let level = first.reduce((sum, value) => sum + value, 0) / first.length;
  let trend = 0;
  const seasonal = season === 0 ? [0] : first.map((value) => value - level);
  const seasonAt = (index: number): number => seasonal[index % seasonal.length] ?? 0;
  const said = new Map<number, number>();
  const errors: number[] = [];
  let size = 0;
  let naive = 0;
  for (let index = Math.max(1, season); index < values.length; index += 1) {
    const value = values[index] ?? 0;
    const expected = said.get(index);
    said.delete(index);
    // The first part is for learning.
    if (expected !== undefined && index >= values.length / 4) {
      errors.push(value - expected);
      size += Math.abs(value - expected);
      naive += Math.abs(value - (values[index - ahead] ?? 0));
    }
    const before = level;
    const seasonHere = seasonAt(index);
    level = smoothing.level * (value - seasonHere) + (1 - smoothing.level) * (level + DAMPING * trend);
    trend = smoothing.trend * (level - before) + (1 - smoothing.trend) * DAMPING * trend;
    if (season > 0)
      seasonal[index % season] = smoothing.season * (value - level) + (1 - smoothing.season) * seasonHere;
    said.set(index + ahead, level + trend * damped(ahead) + seasonAt(index + ahead));
  }
  const last = values.length - 1;
  return {
    values: Array.from(
      { length: ahead },
      (_, step) => level + trend * damped(step + 1) + seasonAt(last + step + 1),
    ),
    errors: errors.toSorted((a, b) => a - b),
    meanError: errors.length === 0 ? Infinity : size / errors.length,
    naiveError: errors.length === 0 ? Infinity : naive / errors.length,
  };
}

function damped(steps: number): number {
  return (DAMPING * (1 - DAMPING ** steps)) / (1 - DAMPING);
}
