import type { Clock } from '../kernel/index.ts';
import { messageOf } from '../kernel/index.ts';
import { CaseFailure, NotApplicable, type Case, type Judge } from './case.ts';
import { createTrace, type Exchange, type Trace } from './trace.ts';

export interface CaseFault {
  /** Those of the case that it speaks against. */
  readonly requirements: readonly string[];
  readonly message: string;
}

export interface CaseResult {
  readonly id: string;
  readonly title: string;
  readonly requirements: readonly string[];
  readonly verdict: 'passed' | 'failed' | 'not-applicable';
  readonly faults: readonly CaseFault[];
  /** Why it is not applicable. */
  readonly reason?: string;
  readonly seconds: number;
  /** What went over the wire; of cases that failed only. */
  readonly exchanges: readonly Exchange[];
}

/** The result of a case that is not played, since it needs what is not there. */
export function notPlayed(
  { id, title, requirements }: Omit<Case<never>, 'play'>,
  reason: string,
): CaseResult {
  return {
    id,
    title,
    requirements,
    verdict: 'not-applicable',
    faults: [],
    reason,
    seconds: 0,
    exchanges: [],
  };
}

export interface PlayOptions {
  readonly clock: Clock;
  readonly timeoutSeconds: number;
  readonly signal: AbortSignal;
}

/** Plays one case to its verdict; never longer than its time, whatever the other side does. */
export async function playCase<Stage>(
  played: Case<Stage>,
  stageFor: (trace: Trace, signal: AbortSignal) => Stage,
  { clock, signal, ...options }: PlayOptions,
): Promise<CaseResult> {
  const timeoutSeconds = Math.max(options.timeoutSeconds, played.leastTimeoutSeconds ?? 0);
  const trace = createTrace();
  const startedAt = clock.monotonic();
  const patience = new AbortController();
  const ending = AbortSignal.any([signal, patience.signal]);
  const faults: CaseFault[] = [];
  const judged = new Set<string>();
  const judge: Judge = {
    signal: ending,
    check: (requirement, holds, message) => {
      if (!played.requirements.includes(requirement))
        throw new CaseFailure(`the case ${played.id} speaks of ${requirement}, which is not one of its own`);
      judged.add(requirement);
      if (!holds) faults.push({ requirements: [requirement], message });
    },
  };
  const outcome = await Promise.race([
    played.play(stageFor(trace, ending), judge).then(
      () => undefined,
      (error: unknown) => error ?? new CaseFailure('the case ended without a reason'),
    ),
    clock
      .sleep(timeoutSeconds * 1000, ending)
      .then(() => new CaseFailure(`what was waited for did not come within ${timeoutSeconds} s`)),
  ]);
  patience.abort();
  if (outcome !== undefined && !(outcome instanceof NotApplicable)) {
    const open = played.requirements.filter((id) => !judged.has(id));
    faults.push({
      requirements: open.length > 0 ? open : played.requirements,
      message: messageOf(outcome),
    });
  }
  const isNotApplicable = outcome instanceof NotApplicable && faults.length === 0;
  const verdict = faults.length > 0 ? 'failed' : isNotApplicable ? 'not-applicable' : 'passed';
  return {
    id: played.id,
    title: played.title,
    requirements: played.requirements,
    verdict,
    faults,
    ...(isNotApplicable ? { reason: outcome.message } : {}),
    seconds: Math.round(clock.monotonic() - startedAt) / 1000,
    exchanges: verdict === 'failed' ? [...trace.exchanges] : [],
  };
}
