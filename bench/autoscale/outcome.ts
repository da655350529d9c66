import { HPA } from './contenders.ts';

/** What became of one trace under one rule, played or replayed. */
export interface Outcome {
  readonly trace: string;
  readonly policy: string;
  /** Share of the requests that were late or failed, 0 to 1. */
  readonly lateShare: number;
  readonly instanceSeconds: number;
  /** Times in which demand was above what served. */
  readonly breaches: number;
  readonly meanSeconds: number;
  readonly longestSeconds: number;
  /** Of real plays: the longest time in which demand was above what those do together that serve or are starting: how long the rule itself took. */
  readonly undecidedSeconds?: number;
  readonly steps: { readonly out: number; readonly in: number };
}

/** How a policy stands beside the rule of the HPA on the same trace. */
export type Verdict = 'better' | 'equal' | 'later' | 'dearer' | 'later and dearer';

/**
 * `better`: fewer late requests, or as few, at no more instance-seconds, and one of them really so.
 * @param margin share by which figures may differ and count as the same: what a rule gets of chance in a real play
 */
export function compareWithHpa(policy: Outcome, hpa: Outcome, margin: number): Verdict {
  const isAbove = (one: number, other: number): boolean => one > other * (1 + margin);
  const isLater = isAbove(policy.lateShare, hpa.lateShare);
  const isDearer = isAbove(policy.instanceSeconds, hpa.instanceSeconds);
  if (isLater) return isDearer ? 'later and dearer' : 'later';
  if (isDearer) return 'dearer';
  const isBetter =
    isAbove(hpa.lateShare, policy.lateShare) || isAbove(hpa.instanceSeconds, policy.instanceSeconds);
  return isBetter ? 'better' : 'equal';
}

/** Figures by trace and policy. */
export function byTrace<T>(
  outcomes: readonly Outcome[],
  figure: (outcome: Outcome) => T,
): Readonly<Record<string, Readonly<Record<string, T>>>> {
  const traces = Map.groupBy(outcomes, ({ trace }) => trace);
  return Object.fromEntries(
    [...traces].map(([trace, own]) => [
      trace,
      Object.fromEntries(own.map((outcome) => [outcome.policy, figure(outcome)])),
    ]),
  );
}

/** The verdict on each policy, where the HPA rule has been on the same trace. */
export function verdicts(
  outcomes: readonly Outcome[],
  margin: number,
): Readonly<Record<string, Readonly<Record<string, Verdict>>>> {
  const judged = outcomes.flatMap((outcome) => {
    const hpa = outcomes.find(({ trace, policy }) => trace === outcome.trace && policy === HPA);
    return hpa === undefined || outcome === hpa ? [] : [outcome];
  });
  return byTrace(judged, (outcome) => {
    const hpa = outcomes.find(({ trace, policy }) => trace === outcome.trace && policy === HPA);
    return hpa === undefined ? 'equal' : compareWithHpa(outcome, hpa, margin);
  });
}
