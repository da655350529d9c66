/** Demand over time in steps of equal length, the oldest forgotten. Plain JSON. */
export interface DemandHistory {
  readonly stepSeconds: number;
  /** Mean demand of each whole step, newest last. */
  readonly values: readonly number[];
  /** The step that is under way: its number since the epoch, and what it has been told so far. */
  readonly open: { readonly step: number; readonly sum: number; readonly count: number };
}

/** About a day in steps of 90 s; two weeks in steps of 20 min. */
export const MOST_VALUES = 1024;
/** A gap that long is the end of what was known before. */
const LONGEST_GAP = 16;

/** @returns the history with the demand in it, and how many steps have become whole */
export function withDemand(
  history: DemandHistory | undefined,
  stepSeconds: number,
  now: number,
  demand: number,
): { readonly history: DemandHistory; readonly closed: number } {
  const step = Math.floor(now / (stepSeconds * 1000));
  const fresh = { stepSeconds, values: [], open: { step, sum: demand, count: 1 } };
  if (history?.stepSeconds !== stepSeconds) return { history: fresh, closed: 0 };
  const { open, values } = history;
  const passed = step - open.step;
  if (passed === 0) {
    const { sum, count } = open;
    return { history: { ...history, open: { step, sum: sum + demand, count: count + 1 } }, closed: 0 };
  }
  if (passed < 0 || passed > LONGEST_GAP) return { history: fresh, closed: 0 };
  // Steps in which nothing was told are taken to lie on the line between their neighbours.
  const last = open.sum / open.count;
  const between = Array.from({ length: passed - 1 }, (_, index) => {
    return last + ((demand - last) * (index + 1)) / passed;
  });
  return {
    history: {
      stepSeconds,
      values: [...values, last, ...between].slice(-MOST_VALUES),
      open: { step, sum: demand, count: 1 },
    },
    closed: passed,
  };
}
