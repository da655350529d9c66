import { Candidates } from './candidates.ts';
import { compileRequest, type CompiledRequest } from './compile-request.ts';
import type { HostIndex } from './host-index.ts';
import { waryOf } from './relations.ts';
import type { PlacementRequest, PlacementRule, UnitDemand } from './types.ts';

interface Entry {
  readonly generation: string;
  readonly compiled: CompiledRequest;
  readonly candidates: Candidates;
}

const MOST_KEPT = 512;

/** Candidates of requests that come again, one instance after the other; valid until what the hosts are changes. */
const caches = new WeakMap<HostIndex, Map<string, Entry>>();

/** The candidates of a request, made anew unless they depend on nothing but the hosts and were made before. */
export function candidatesFor(
  index: HostIndex,
  request: PlacementRequest,
  demand: UnitDemand,
  rules: readonly PlacementRule[],
  { isPacking, expected }: { readonly isPacking: boolean; readonly expected: number },
): Entry {
  // Measurements get older.
  const now = request.near?.some(({ maxAgeSeconds }) => maxAgeSeconds !== undefined) === true ? index.now : 0;
  const generation = `${index.generation} ${index.labels.generation} ${now}`;
  const make = (): Entry => {
    const compiled = compileRequest(index, request, demand, rules, { isPacking });
    return { generation, compiled, candidates: new Candidates(index, compiled, expected) };
  };
  const { functionId } = request;
  const isSentTo = index.occupancy.consumersOf(functionId).size > 0;
  const isAvoided = waryOf(index, functionId, request.labels ?? {}).length > 0;
  const isTried = index.silent.size > 0 || index.leniency !== undefined;
  if (isTried || isSentTo || isAvoided || isRelated(request, rules)) return make();
  const cache = caches.get(index) ?? new Map<string, Entry>();
  caches.set(index, cache);
  const key = JSON.stringify([request, demand, isPacking], (name, value: unknown) =>
    name === 'units' || name === 'instances' ? undefined : value,
  );
  const known = cache.get(key);
  if (known?.generation === generation) {
    known.candidates.refresh();
    if (!known.candidates.isSpent) return known;
  }
  const [oldest] = cache.keys();
  if (cache.size >= MOST_KEPT && oldest !== undefined) cache.delete(oldest);
  const made = make();
  cache.set(key, made);
  return made;
}

/** Whether it matters where other functions are. */
export function isRelated(request: PlacementRequest, rules: readonly PlacementRule[]): boolean {
  const { functionId, affinities = [], near = [], flows = [], providers, dependents } = request;
  return (
    affinities.length + flows.length + providers.length + dependents.length > 0 ||
    near.some(({ to }) => 'functionId' in to) ||
    rules.some(({ functionIds }) => functionIds.includes(functionId))
  );
}
