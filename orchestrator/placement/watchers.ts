import type { VnfInstanceId } from '../../kernel/index.ts';
import { matchesFunction } from './function-matcher.ts';
import type { HostIndex } from './host-index.ts';
import { isHardApart, LabelAnswers } from './label-answers.ts';
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
  readonly #rules: readonly PlacementRule[];
  readonly #answers: LabelAnswers;
  /** By the function that they look at. */
  readonly #watching = new Map<VnfInstanceId, Set<PlacedFunction>>();
  readonly #known = new Map<VnfInstanceId, Watching>();

  constructor(functions: readonly PlacedFunction[], rules: readonly PlacementRule[]) {
    this.#rules = rules;
    const all = functions.map(({ request }) => request);
    this.#answers = new LabelAnswers(
      new Map(all.map(({ functionId, labels = {} }) => [functionId, { labels }])),
      new Map(all.map(({ functionId, affinities = [] }) => [functionId, affinities.filter(isHardApart)])),
    );
    for (const watcher of functions)
      for (const functionId of this.#lookedAtBy(watcher)) {
        const known = this.#watching.get(functionId) ?? new Set();
        this.#watching.set(functionId, known.add(watcher));
      }
  }

  of({ request }: PlacedFunction): Watching {
    const known = this.#known.get(request.functionId);
    if (known !== undefined) return known;
    const all = [...(this.#watching.get(request.functionId) ?? [])];
    const watching: Watching = {
      hard: all.filter((each) => each.request !== request && isHardTowards(each, request)),
      soft: all.filter((each) => isSoftTowards(each, request, this.#rules)),
    };
    this.#known.set(request.functionId, watching);
    return watching;
  }

  /** The functions that one looks at, as far as they are known, and those that are hard apart from it: they keep it off as well. */
  watchedBy({ request }: PlacedFunction): readonly VnfInstanceId[] {
    const wary = this.#answers.waryOf(request.labels ?? {}).map(({ id }) => id);
    const all = new Set([...this.#lookedAtBy({ request }), ...wary]);
    all.delete(request.functionId);
    return [...all];
  }

  #lookedAtBy({ request }: Pick<PlacedFunction, 'request'>): ReadonlySet<VnfInstanceId> {
    const meant = (request.affinities ?? []).flatMap((affinity) => this.#answers.matching(affinity.with));
    return new Set([...partnersOf({ request }, this.#rules), ...meant]);
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
