import type { VnfInstanceId } from '../../kernel/index.ts';
import { matchesFunction } from './function-matcher.ts';
import type { HostIndex } from './host-index.ts';
import { namedBy } from './relatives.ts';
import { relationConstraints } from './relations.ts';
import type { PlacedFunction } from './relocation-types.ts';
import type { PlacementRule } from './types.ts';

/** Functions whose rules or preferences say something of where another function is. */
export interface Watching {
  /** May not be left with a broken rule. */
  readonly hard: readonly PlacedFunction[];
  /** Are better or worse off. */
  readonly soft: readonly PlacedFunction[];
}

/** Who watches whom: the other side of each relation that a request has. What does not change while instances move is looked up once. */
export class Watchers {
  readonly #functions: ReadonlyMap<VnfInstanceId, PlacedFunction>;
  readonly #rules: readonly PlacementRule[];
  /** Those that affinities name, by expression. */
  readonly #byExpression = new Map<string, Set<PlacedFunction>>();
  readonly #byFunction = new Map<VnfInstanceId, Set<PlacedFunction>>();
  readonly #known = new Map<VnfInstanceId, Watching>();

  constructor(functions: readonly PlacedFunction[], rules: readonly PlacementRule[]) {
    this.#functions = new Map(functions.map((each) => [each.request.functionId, each]));
    this.#rules = rules;
    for (const watcher of functions) {
      for (const { with: expression } of watcher.request.affinities ?? [])
        setOf(this.#byExpression, expression).add(watcher);
      for (const functionId of partnersOf(watcher, rules)) setOf(this.#byFunction, functionId).add(watcher);
    }
  }

  of({ request }: PlacedFunction): Watching {
    const known = this.#known.get(request.functionId);
    if (known !== undefined) return known;
    const all = new Set(this.#byFunction.get(request.functionId));
    for (const [expression, watchers] of this.#byExpression)
      if (matchesFunction(expression, request.labels ?? {})) for (const each of watchers) all.add(each);
    const watching: Watching = {
      hard: [...all].filter((each) => each.request !== request && isHardTowards(each, request)),
      soft: [...all].filter((each) => isSoftTowards(each, request, this.#rules)),
    };
    this.#known.set(request.functionId, watching);
    return watching;
  }

  /** The functions that one looks at, as far as they are known. */
  watchedBy({ request }: PlacedFunction): readonly VnfInstanceId[] {
    const { affinities = [], functionId } = request;
    const named = [...partnersOf({ request }, this.#rules), ...this.#waryOf(request)];
    const matching =
      affinities.length === 0
        ? []
        : [...this.#functions.values()].filter(({ request: other }) =>
            affinities.some((affinity) => matchesFunction(affinity.with, other.labels ?? {})),
          );
    const all = new Set([...named, ...matching.map((each) => each.request.functionId)]);
    all.delete(functionId);
    return [...all];
  }

  /** Those that are hard apart from it keep it off as well. */
  #waryOf({ labels = {} }: PlacedFunction['request']): readonly VnfInstanceId[] {
    const wary: VnfInstanceId[] = [];
    for (const [expression, watchers] of this.#byExpression) {
      if (!matchesFunction(expression, labels)) continue;
      for (const { request } of watchers) {
        const isWary = (request.affinities ?? []).some(
          (each) => each.with === expression && each.type === 'apart' && each.weight === undefined,
        );
        if (isWary) wary.push(request.functionId);
      }
    }
    return wary;
  }
}

/** What of a function's rules towards others does not hold where its instances are; each text stands for one row. */
export function brokenRules(
  index: HostIndex,
  { request }: PlacedFunction,
  rules: readonly PlacementRule[],
): ReadonlySet<string> {
  const rows = index.occupancy.rowsOf(request.functionId);
  const broken = new Set<string>();
  if (rows.size === 0) return broken;
  for (const { text, rows: allowed } of relationConstraints(index, request, rules, { isOwnCounted: false }))
    for (const row of rows.keys()) if (!allowed.has(row)) broken.add(`${text} ${row}`);
  return broken;
}

/** Functions that a request, or a rule that it is under, speaks of by name. */
function partnersOf(
  { request }: Pick<PlacedFunction, 'request'>,
  rules: readonly PlacementRule[],
): ReadonlySet<VnfInstanceId> {
  return new Set([
    ...namedBy(request),
    ...request.dependents,
    ...rules
      .filter(({ functionIds }) => functionIds.includes(request.functionId))
      .flatMap((rule) => rule.functionIds),
  ]);
}

/** Service rules bind both sides alike, so whoever moves heeds them; so does a function whose own request names the watcher. */
function isHardTowards(
  { request: watcher }: PlacedFunction,
  { functionId, labels = {}, providers, dependents }: PlacedFunction['request'],
): boolean {
  const { affinities = [], near = [], flows = [], jurisdictions } = watcher;
  const isProvider = watcher.providers.includes(functionId);
  const isDependent = watcher.dependents.includes(functionId);
  const sends = flows.some(({ to }) => to === functionId);
  return (
    affinities.some((each) => each.weight === undefined && matchesFunction(each.with, labels)) ||
    near.some(
      ({ to, weight }) => weight === undefined && 'functionId' in to && to.functionId === functionId,
    ) ||
    sends ||
    (isProvider && !dependents.includes(watcher.functionId)) ||
    (isDependent && !providers.includes(watcher.functionId)) ||
    (jurisdictions.length > 0 && (isProvider || isDependent))
  );
}

function isSoftTowards(
  { request: watcher }: PlacedFunction,
  { functionId, labels = {} }: PlacedFunction['request'],
  rules: readonly PlacementRule[],
): boolean {
  const { affinities = [], near = [] } = watcher;
  const isSelf = watcher.functionId === functionId;
  return (
    // To be near includes what is within a hard bound: nearer is better there, too. Its own instances are not in its affinities' score.
    near.some(({ to }) => 'functionId' in to && to.functionId === functionId) ||
    (!isSelf && affinities.some((each) => each.weight !== undefined && matchesFunction(each.with, labels))) ||
    (!isSelf &&
      rules.some(
        ({ weight, functionIds }) =>
          weight !== undefined &&
          functionIds.includes(functionId) &&
          functionIds.includes(watcher.functionId),
      ))
  );
}

function setOf<K>(map: Map<K, Set<PlacedFunction>>, key: K): Set<PlacedFunction> {
  const known = map.get(key) ?? new Set<PlacedFunction>();
  map.set(key, known);
  return known;
}
