/** What a target is without. */
import type { Ability, ConformanceTarget } from '../conformance-site.ts';

/** Skips a test that asks for what this target is without; the reason is shown. */
export function skipWithout(
  { without = {} }: ConformanceTarget,
  ability: Ability,
  skip: (note: string) => void,
): void {
  const reason = without[ability];
  if (reason !== undefined) skip(reason);
}
