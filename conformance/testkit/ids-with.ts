import type { ConformanceResult, RequirementResult } from '../index.ts';

/** Ids of the requirements that have this verdict. */
export function idsWith(
  verdict: RequirementResult['verdict'],
  { requirements }: Pick<ConformanceResult, 'requirements'>,
): readonly string[] {
  return requirements.filter((each) => each.verdict === verdict).map(({ id }) => id);
}
