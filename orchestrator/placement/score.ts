import type { VnfInstanceId } from '../../kernel/index.ts';
import { isTolerated, taintsIn } from './constraints.ts';
import { domainOf, domainsHeld } from './domains.ts';
import { COLUMNS } from './host-columns.ts';
import type { HostIndex } from './host-index.ts';
import { latencies, nameOf } from './latency.ts';
import { functionsMatching } from './relations.ts';
import type { PlacementRequest, PlacementRule, Spread } from './types.ts';

/** One thing that makes a row better or worse for every instance of a request alike, whatever is placed meanwhile. */
export interface ScorePart {
  readonly name: string;
  of(row: number): number;
}

/** Of each instance that a domain holds already, where the descriptor gives no other weight. */
export const SPREAD_WEIGHT = 1000;
/** Below every preference: of each instance of the function that is on the host already. */
export const EVENNESS_WEIGHT = 0.01;
/** Below that: of a host that stays quite free. */
export const ROOM_WEIGHT = 0.009;
const TAINT_WEIGHT = 100;
const AVAILABILITY_WEIGHT = 5;

/** What the request, its service and the hosts say of what is better; spread, evenness and room come on top, as they change with each instance. */
export function scoreParts(
  index: HostIndex,
  request: PlacementRequest,
  rules: readonly PlacementRule[],
): readonly ScorePart[] {
  return [
    ...preferences(index, request),
    ...taints(index, request),
    ...objectives(index, request),
    ...nearness(index, request),
    ...affinities(index, request),
    ...softRules(index, request, rules),
  ];
}

function preferences(index: HostIndex, { prefer }: PlacementRequest): readonly ScorePart[] {
  return prefer.map(({ expression, weight }) => {
    const rows = index.labels.matching(expression);
    return { name: `prefers ${expression}`, of: (row) => (rows.has(row) ? weight : 0) };
  });
}

function taints(index: HostIndex, { tolerates = [] }: PlacementRequest): readonly ScorePart[] {
  const tainted = index.labels.where(COLUMNS.taints, `avoided by ${tolerates.join(' ')}`, (text) =>
    taintsIn(text).some((taint) => taint.effect === 'avoid' && !isTolerated(taint, tolerates)),
  );
  return tainted.count === 0 ? [] : [{ name: 'taint', of: (row) => (tainted.has(row) ? -TAINT_WEIGHT : 0) }];
}

function objectives(index: HostIndex, { objectives: wanted = {} }: PlacementRequest): readonly ScorePart[] {
  const { cost = 0, metered = 0, availability = AVAILABILITY_WEIGHT } = wanted;
  const { dearest } = index;
  const parts: ScorePart[] = [];
  if (cost !== 0 && dearest > 0)
    parts.push({
      name: 'cost',
      of: (row) => (-cost * index.costPerHour(row)) / dearest,
    });
  if (metered !== 0) {
    const rows = index.labels.where(COLUMNS.metered, 'metered', (text) => text !== undefined);
    parts.push({ name: 'metered', of: (row) => (rows.has(row) ? -metered : 0) });
  }
  if (availability !== 0 && index.hasAbsences)
    parts.push({ name: 'availability', of: (row) => availability * ((index.availability[row] ?? 1) - 1) });
  return parts;
}

function nearness(index: HostIndex, { near = [] }: PlacementRequest): readonly ScorePart[] {
  return near.map((each) => {
    const byRow = latencies(index, each);
    const { weight = 1, maxMilliseconds } = each;
    return {
      name: `near ${nameOf(each)}`,
      of: (row) => {
        const found = byRow[row] ?? Number.NaN;
        // At the place itself it is whole, also where nothing else would be near enough.
        if (found === 0) return weight;
        return found < maxMilliseconds ? weight * (1 - found / maxMilliseconds) : 0;
      },
    };
  });
}

function affinities(index: HostIndex, request: PlacementRequest): readonly ScorePart[] {
  const soft = (request.affinities ?? []).filter(({ weight }) => weight !== undefined);
  return soft.map(({ type, with: expression, scope, weight = 0 }) =>
    inDomains(
      index,
      `${type} ${expression}`,
      scope,
      functionsMatching(index, expression).filter((id) => id !== request.functionId),
      type === 'together' ? weight : -weight,
    ),
  );
}

function softRules(
  index: HostIndex,
  { functionId }: PlacementRequest,
  rules: readonly PlacementRule[],
): readonly ScorePart[] {
  return rules
    .filter((rule) => rule.weight !== undefined && rule.functionIds.includes(functionId))
    .map(({ type, functionIds, scope, weight = 0 }) =>
      inDomains(
        index,
        `${type} in ${scope}`,
        scope,
        functionIds.filter((id) => id !== functionId),
        type === 'together' ? weight : -weight,
      ),
    );
}

function inDomains(
  index: HostIndex,
  name: string,
  scope: string,
  functionIds: readonly VnfInstanceId[],
  weight: number,
): ScorePart {
  const held = domainsHeld(index, functionIds, scope, false);
  held.delete(0);
  return { name, of: (row) => (held.has(domainOf(index, row, scope)) ? weight : 0) };
}

/** What of best effort concerns the instances of the request themselves: being apart from its own kind is a spread, being together its opposite. */
export function spreadsOf(request: PlacementRequest, rules: readonly PlacementRule[]): readonly Spread[] {
  const own = rules.filter(
    ({ weight, functionIds, type }) =>
      weight !== undefined &&
      functionIds.includes(request.functionId) &&
      (type === 'together' || functionIds.length === 1),
  );
  return [
    ...(request.spread ?? []),
    ...own.map(({ type, scope, weight = 0 }) => ({ by: scope, weight: type === 'apart' ? weight : -weight })),
  ];
}
