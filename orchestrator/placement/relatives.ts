import type { VnfInstanceId } from '../../kernel/index.ts';
import { functionMatcher } from './function-matcher.ts';
import type { Item } from './seats.ts';
import type { PlacementRequest, PlacementRule } from './types.ts';

/** Which items of a plan have to do with each other. */
export interface Relatives {
  /** Where one is may matter for the other; neither counts itself. */
  of(item: Item): readonly Item[];
  /** A hard rule wants them together: one without the other cannot go far. */
  areTied(a: Item, b: Item): boolean;
}

export function relativesOf(items: readonly Item[], rules: readonly PlacementRule[]): Relatives {
  const speaksOf = new Map(items.map((item) => [item, mentions(item.request)]));
  const share = (a: Item, b: Item, isTie: boolean): boolean =>
    a.request === b.request ||
    rules.some(
      ({ type, weight, functionIds }) =>
        (!isTie || (type === 'together' && weight === undefined)) &&
        functionIds.includes(a.request.functionId) &&
        functionIds.includes(b.request.functionId),
    );
  const related = new Map(
    items.map((item) => [
      item,
      items.filter(
        (other) =>
          other !== item &&
          (share(item, other, false) ||
            speaksOf.get(item)?.(other.request) === true ||
            speaksOf.get(other)?.(item.request) === true),
      ),
    ]),
  );
  return { of: (item) => related.get(item) ?? [], areTied: (a, b) => share(a, b, true) };
}

/** Functions that a request names: who provides for it, is to be near, or gets its data. */
export function namedBy({ providers, near = [], flows = [] }: PlacementRequest): readonly VnfInstanceId[] {
  return [
    ...providers,
    ...near.flatMap(({ to }) => ('functionId' in to ? [to.functionId] : [])),
    ...flows.map(({ to }) => to),
  ];
}

/** Whether a request speaks of another one, by name or as one that an affinity means; undefined: of none. */
export function mentions(request: PlacementRequest): ((other: PlacementRequest) => boolean) | undefined {
  const { affinities = [] } = request;
  const named = new Set(namedBy(request));
  if (named.size + affinities.length === 0) return undefined;
  const meant = affinities.map((affinity) => functionMatcher(affinity.with));
  return ({ functionId, labels = {} }) =>
    named.has(functionId) || meant.some(({ matches }) => matches(labels));
}
