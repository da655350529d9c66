import { compileRequest, scoreOf } from './compile-request.ts';
import { domainOf } from './domains.ts';
import type { HostIndex } from './host-index.ts';
import type { PlacementRequest, PlacementRule } from './types.ts';

/** A cluster of functions that belong together is tried with at most so many hosts as the first one's. */
const MOST_ANCHORS = 64;
/** In a trial: the same ones first, so that what fits with few fits with all. */
const MOST_ANCHORS_TRIED = 4;

/** Where else the first function of a cluster could stand: one host of each combination of domains, best first. */
export function anchorsOf(
  index: HostIndex,
  requests: readonly PlacementRequest[],
  { rules, isTrial }: { readonly rules: readonly PlacementRule[]; readonly isTrial: boolean },
): readonly number[] {
  const [request] = requests;
  const demand = request?.units[0];
  if (requests.length < 2 || request === undefined || demand === undefined) return [];
  const scopes = rules
    .filter(({ type, weight }) => type === 'together' && weight === undefined)
    .map(({ scope }) => scope);
  const compiled = compileRequest(index, request, demand, rules);
  const bestOfDomain = new Map<string, number>();
  const scores = new Map<number, number>();
  compiled.eligible.forEach((row) => {
    if (!compiled.fits(row)) return;
    scores.set(row, scoreOf(compiled, row));
    const domain = scopes.map((scope) => domainOf(index, row, scope)).join(' ');
    const best = bestOfDomain.get(domain);
    if (best === undefined || compare(row, best) < 0) bestOfDomain.set(domain, row);
  });
  function compare(a: number, b: number): number {
    return (scores.get(b) ?? 0) - (scores.get(a) ?? 0) || index.compareRows(a, b);
  }
  return [...bestOfDomain.values()].toSorted(compare).slice(0, isTrial ? MOST_ANCHORS_TRIED : MOST_ANCHORS);
}
