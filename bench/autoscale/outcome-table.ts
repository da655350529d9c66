import Table from 'cli-table3';
import { verdicts, type Outcome } from './outcome.ts';

const HEAD = [
  'trace',
  'policy',
  'late',
  'instance-seconds',
  'steps out',
  'in',
  'breaches',
  'mean',
  'longest',
  'undecided',
  'beside the HPA rule',
];

/** Outcomes for people, the traces in the order in which they come. @param margin as of `compareWithHpa` */
export function outcomeTable(outcomes: readonly Outcome[], margin: number): string {
  const judged = verdicts(outcomes, margin);
  const table = new Table({ head: HEAD, style: { head: [], border: [], compact: true } });
  for (const outcome of outcomes) {
    const { trace, policy, lateShare, instanceSeconds, steps } = outcome;
    const { breaches, meanSeconds, longestSeconds, undecidedSeconds } = outcome;
    table.push([
      trace,
      policy,
      `${(lateShare * 100).toFixed(3)} %`,
      Math.round(instanceSeconds),
      steps.out,
      steps.in,
      breaches,
      `${meanSeconds.toFixed(1)} s`,
      `${longestSeconds.toFixed(1)} s`,
      undecidedSeconds === undefined ? '' : `${undecidedSeconds.toFixed(1)} s`,
      judged[trace]?.[policy] ?? '',
    ]);
  }
  return table.toString();
}
