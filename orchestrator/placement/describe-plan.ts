import { compareText } from '../domain/index.ts';
import { describeShortfall } from './reasons.ts';
import type { Placement, PlacementResult } from './plan-types.ts';
import type { PlacementProblem } from './types.ts';

/** A plan, or why there is none, in lines for people. */
export function describePlan(problem: PlacementProblem, result: PlacementResult): readonly string[] {
  if (!result.fits)
    return result.shortfalls.map(
      (shortfall) =>
        `${shortfall.name}/${shortfall.unit}: no host for ${shortfall.missing} ${
          shortfall.missing === 1 ? 'instance' : 'instances'
        }: ${describeShortfall(shortfall)}`,
    );
  const names = new Map(problem.requests.map(({ functionId, name }) => [functionId, name]));
  const line = (verb: string) => (placement: Placement) =>
    `${verb} ${placement.instances} × ${names.get(placement.functionId) ?? placement.functionId}/${placement.unit} on ${placement.hostId}`;
  const changes = [
    ...result.additions.map(line('place')),
    ...result.removals.map(line('remove')),
    ...result.evictions.map(line('make room: remove')),
  ].toSorted(compareText);
  return [
    ...(changes.length === 0 ? ['nothing changes'] : changes),
    ...result.skipped.map(
      (skipped) =>
        `${skipped.name}: not on ${skipped.missing} of the hosts to cover: ${describeShortfall(skipped)}`,
    ),
  ];
}

/** Why a plan is refused, and the least that would make it fit, where the result says so: one sentence for people. */
export function describeRefusal(problem: PlacementProblem, result: PlacementResult): string {
  const [least] = result.fits ? [] : (result.relaxations ?? []);
  return [...describePlan(problem, result), ...(least === undefined ? [] : [least.text])].join('; ');
}
