import type { ThresholdPolicy } from '../../../descriptors/index.ts';
import { ratioOfLevels, shown, type PolicyInput, type PolicyStep } from './policy.ts';

type Limits = ThresholdPolicy['limits'][number];
type Verdict = 'out' | 'stay' | 'in';

/**
 * The rule of ETSI TR 103 527 clause 5.5: an increment out when an indicator is above its upper limit, an increment in when all are
 * below their lower limits. It never steps in where the same load on what is left would be above an upper limit again.
 */
export function decideByThreshold(
  policy: ThresholdPolicy,
  _state: object | undefined,
  input: PolicyInput,
): PolicyStep<object> {
  const { level } = input;
  const judged = policy.limits.map((limits) => judge(limits, policy.increment, input));
  const figures = Object.fromEntries(
    input.readings.map(({ indicator, value }) => [indicator, value] as const),
  );
  const result = (change: number, reasons: readonly string[]) => ({
    level: level + change,
    reasons,
    figures,
    state: {},
  });
  const reasonsOf = (verdict: Verdict) =>
    judged.filter((one) => one.verdict === verdict).map(({ reason }) => reason);
  if (judged.some(({ verdict }) => verdict === 'out')) return result(policy.increment, reasonsOf('out'));
  if (judged.every(({ verdict }) => verdict === 'in')) return result(-policy.increment, reasonsOf('in'));
  return result(0, reasonsOf('stay'));
}

function judge(
  { indicator, up, down }: Limits,
  increment: number,
  { readings, level }: PolicyInput,
): { readonly verdict: Verdict; readonly reason: string } {
  const reading = readings.find((one) => one.indicator === indicator);
  if (reading === undefined) return { verdict: 'stay', reason: `${indicator} is not told` };
  const { value, isComplete } = reading;
  const told = `${indicator} is ${shown(value)}`;
  if (value > up) return { verdict: 'out', reason: `${told}, above the limit ${shown(up)}` };
  if (value >= down) return { verdict: 'stay', reason: `${told}, between ${shown(down)} and ${shown(up)}` };
  if (!isComplete) return { verdict: 'stay', reason: `${told}, and not of all instances` };
  const afterwards = value * ratioOfLevels(reading, level, level - increment);
  if (afterwards > up)
    return { verdict: 'stay', reason: `${told}, and would be ${shown(afterwards)} after a step in` };
  return { verdict: 'in', reason: `${told}, below the limit ${shown(down)}` };
}
