import type { Case, Side } from './case.ts';
import type { CaseResult } from './play-case.ts';
import type { Requirement } from './requirements.ts';
import { UNOBSERVABLE } from './unobservable.ts';

export type RequirementVerdict =
  'passed' | 'failed' | 'not applicable' | 'not observable' | 'not in this version';

export interface RequirementResult {
  readonly id: string;
  readonly sentence: string;
  readonly verdict: RequirementVerdict;
  /** Of the cases that say so. */
  readonly cases: readonly string[];
  /** What is wrong, what it needs, or how else it is shown; also what was not played of one that passed. */
  readonly remarks: readonly string[];
}

export interface ConformanceResult {
  readonly side: Side;
  readonly binding: string;
  readonly startedAt: string;
  readonly seconds: number;
  /** Of what was asked for: those that bind this side, in the order of the document. */
  readonly requirements: readonly RequirementResult[];
  readonly cases: readonly CaseResult[];
}

/** Whether nothing has failed. */
export function hasPassed({ requirements }: Pick<ConformanceResult, 'requirements'>): boolean {
  return requirements.every(({ verdict }) => verdict !== 'failed');
}

/** The cases to play for these requirement ids or case ids; all without any. */
export function selectCases<Stage>(
  cases: readonly Case<Stage>[],
  only: readonly string[] | undefined,
): readonly Case<Stage>[] {
  if (only === undefined) return cases;
  return cases.filter(
    ({ id, requirements }) => only.includes(id) || requirements.some((each) => only.includes(each)),
  );
}

/** What the results say of each requirement that binds the side. Pure. */
export function judgeRequirements(
  requirements: readonly Requirement[],
  side: Side,
  cases: readonly Pick<Case<never>, 'requirements'>[],
  results: readonly CaseResult[],
): readonly RequirementResult[] {
  return requirements.flatMap(({ id, sentence, state }) => {
    const own = results.filter((each) => each.requirements.includes(id));
    if (own.length > 0) return [{ id, sentence, ...verdictOf(id, own) }];
    const hidden = UNOBSERVABLE.find((each) => each.id === id && each.sides.includes(side));
    if (hidden !== undefined)
      return [
        {
          id,
          sentence,
          verdict: 'not observable' as const,
          cases: [],
          remarks: [`${hidden.why}; ${hidden.otherwise}`],
        },
      ];
    const isOurs = cases.some((each) => each.requirements.includes(id));
    if (state === 'implemented' || isOurs) return [];
    return [{ id, sentence, verdict: 'not in this version' as const, cases: [], remarks: [] }];
  });
}

function verdictOf(
  id: string,
  results: readonly CaseResult[],
): Pick<RequirementResult, 'verdict' | 'cases' | 'remarks'> {
  const faults = results.flatMap((each) =>
    each.faults
      .filter(({ requirements }) => requirements.includes(id))
      .map(({ message }) => `${each.id}: ${message}`),
  );
  const cases = results.map((each) => each.id);
  if (faults.length > 0) return { verdict: 'failed', cases, remarks: faults };
  const open = results.filter(({ verdict }) => verdict === 'not-applicable');
  const remarks = open.map((each) => `${each.id}: not applicable: ${each.reason ?? ''}`);
  return { verdict: open.length === results.length ? 'not applicable' : 'passed', cases, remarks };
}
