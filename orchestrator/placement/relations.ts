import type { VnfInstanceId } from '../../kernel/index.ts';
import { Bits } from './bits.ts';
import { allBut, type Constraint } from './constraints.ts';
import { domainOf, domainsHeld, rowsInDomains, rowsWithDomain } from './domains.ts';
import { matchesFunction } from './function-matcher.ts';
import { COLUMNS } from './host-columns.ts';
import type { HostIndex } from './host-index.ts';
import { isInJurisdiction } from './jurisdiction.ts';
import { latencyRows } from './latency.ts';
import type { Wary } from './label-answers.ts';
import type { Affinity, PlacementRequest, PlacementRule } from './types.ts';

interface RelationOptions {
  readonly isOwnCounted?: boolean;
  readonly awaited?: readonly PlacementRequest[];
}

/**
 * Hard rules that depend on where other functions are: true while only the request's own instances are being placed.
 * @param how.isOwnCounted whether its own instances, where they are now, count as what others may have to be with or apart from
 * @param how.awaited requests of the same plan that have no place yet
 */
export function relationConstraints(
  index: HostIndex,
  request: PlacementRequest,
  rules: readonly PlacementRule[],
  { isOwnCounted = true, awaited = [] }: RelationOptions = {},
): readonly Constraint[] {
  const { functionId, affinities = [], near = [] } = request;
  const counted = (id: VnfInstanceId): boolean => isOwnCounted || id !== functionId;
  return [
    ...rules
      .filter((rule) => rule.weight === undefined && rule.functionIds.includes(functionId))
      .flatMap((rule) => ruleConstraints(index, functionId, rule, counted)),
    ...affinities
      .filter(({ weight }) => weight === undefined)
      .flatMap((affinity) => affinityConstraints(index, request, affinity, { counted, awaited })),
    ...wariness(index, request),
    ...reachability(index, request),
    ...near
      .filter(({ to, weight }) => weight === undefined && (!('functionId' in to) || counted(to.functionId)))
      .map((each) => latencyRows(index, functionId, each)),
    ...routes(index, request),
  ];
}

function ruleConstraints(
  index: HostIndex,
  functionId: VnfInstanceId,
  { type, functionIds, scope }: PlacementRule,
  counted: (id: VnfInstanceId) => boolean,
): readonly Constraint[] {
  const labelled: Constraint = {
    text: `lack the label ${scope} that a rule of the service needs`,
    rows: rowsWithDomain(index, scope),
  };
  if (type === 'together') {
    const held = domainsHeld(index, functionIds.filter(counted), scope, true);
    if (held.size === 0) return [labelled];
    return [
      labelled,
      {
        text: `are not in the ${scope} where the functions that belong together are`,
        rows: held.size === 1 ? rowsInDomains(index, scope, held) : new Bits(index.rows),
      },
    ];
  }
  const peers = functionIds.length === 1 ? functionIds : functionIds.filter((id) => id !== functionId);
  const held = domainsHeld(index, peers.filter(counted), scope, false);
  return [
    labelled,
    {
      text: `are in a ${scope} that holds what must be apart from it`,
      rows: allBut(index, rowsInDomains(index, scope, held)),
    },
  ];
}

function affinityConstraints(
  index: HostIndex,
  request: PlacementRequest,
  affinity: Affinity,
  {
    counted,
    awaited,
  }: { readonly counted: (id: VnfInstanceId) => boolean } & Required<Pick<RelationOptions, 'awaited'>>,
): readonly Constraint[] {
  const { type, scope } = affinity;
  const held = domainsHeld(index, functionsMatching(index, affinity.with).filter(counted), scope, false);
  if (type === 'apart')
    return [
      {
        text: `are in a ${scope} that holds what matches "${affinity.with}"`,
        rows: allBut(index, rowsInDomains(index, scope, held)),
      },
    ];
  // The first of its kind has nobody to be with.
  if (
    held.size === 0 &&
    [request, ...awaited].some(({ labels = {} }) => matchesFunction(affinity.with, labels))
  )
    return [{ text: `lack the label ${scope}`, rows: rowsWithDomain(index, scope) }];
  return [
    {
      text: `are in no ${scope} that holds what matches "${affinity.with}"`,
      rows: rowsInDomains(index, scope, held),
    },
  ];
}

/** What is there and is hard apart from what comes keeps it off, whoever came first. */
function wariness(index: HostIndex, { functionId, labels = {} }: PlacementRequest): readonly Constraint[] {
  const constraints: Constraint[] = [];
  for (const { id, scope } of waryOf(index, functionId, labels))
    constraints.push({
      text: `are in a ${scope} that holds what is to be apart from it`,
      rows: allBut(index, rowsInDomains(index, scope, domainsHeld(index, [id], scope, false))),
    });
  return constraints;
}

/** Functions, other than this one, that are hard apart from what has the labels, once for each scope. */
export function waryOf(
  index: HostIndex,
  functionId: VnfInstanceId,
  labels: Readonly<Record<string, string>>,
): readonly Wary[] {
  return index.occupancy.waryOf(labels).filter(({ id }) => id !== functionId);
}

/** Functions of which something is placed and whose labels satisfy the expression. */
export function functionsMatching(index: HostIndex, expression: string): readonly VnfInstanceId[] {
  const { occupancy } = index;
  return occupancy.matching(expression).filter((id) => occupancy.rowsOf(id).size > 0);
}

function reachability(index: HostIndex, request: PlacementRequest): readonly Constraint[] {
  const constraints: Constraint[] = [];
  for (const provider of request.providers) {
    const holders = livingHolders(index, provider);
    if (holders.length > 0)
      constraints.push({ text: 'cannot reach what it requires', rows: reachingAny(index, holders) });
  }
  for (const dependent of request.dependents) {
    const holders = livingHolders(index, dependent);
    if (holders.length > 0)
      constraints.push({
        text: 'cannot be reached by what requires it',
        rows: reachedByAll(index, holders),
      });
  }
  return constraints;
}

function livingHolders(index: HostIndex, functionId: VnfInstanceId): readonly number[] {
  return [...index.occupancy.rowsOf(functionId).keys()].filter((row) => !index.isLost(row));
}

/** Rows from which at least one of the targets can be reached. */
function reachingAny(index: HostIndex, targets: readonly number[]): Bits {
  const rows = new Bits(index.rows);
  for (const [text, same] of Map.groupBy(targets, (row) => index.labels.text(row, COLUMNS.reachableFrom))) {
    if (text === undefined) return index.present;
    for (const row of same) rows.put(row, true);
    for (const entry of JSON.parse(text) as readonly string[]) {
      const row = index.rowOf(entry);
      if (row !== undefined) rows.put(row, true);
      rows.join(index.labels.matching(entry));
    }
  }
  return rows;
}

/** Rows that all of the sources can reach. */
function reachedByAll(index: HostIndex, sources: readonly number[]): Bits {
  const question = `reached from ${sources.map((row) => index.idOf(row)).join(' ')} of ${index.generation}`;
  const rows = index.labels
    .where(COLUMNS.reachableFrom, question, (text) => {
      if (text === undefined) return true;
      const entries = JSON.parse(text) as readonly string[];
      return sources.every((source) =>
        entries.some((entry) => entry === index.idOf(source) || index.labels.matching(entry).has(source)),
      );
    })
    .copy();
  const [only] = sources;
  if (sources.length === 1 && only !== undefined) rows.put(only, true); // a host reaches itself
  return rows;
}

/** Ways out of a zone: through no other jurisdiction than those that its data may be in (clause 5.4). */
function routes(index: HostIndex, request: PlacementRequest): readonly Constraint[] {
  const { flows: wanted = [], jurisdictions, providers, dependents } = request;
  const peers = [...new Set([...providers, ...dependents, ...wanted.map(({ to }) => to)])];
  const holders = jurisdictions.length === 0 ? [] : peers.flatMap((peer) => livingHolders(index, peer));
  if (holders.length === 0) return [];
  const passes = (text: string | undefined): boolean =>
    text === undefined || text.split(' ').every((place) => isInJurisdiction(place, jurisdictions));
  const allowed = index.labels.where(COLUMNS.routes, `pass ${jurisdictions.join(' ')}`, passes);
  const rows = holders.every((row) => allowed.has(row)) ? allowed.copy() : new Bits(index.rows);
  const domains = new Set(holders.map((row) => domainOf(index, row, 'zone')));
  if (new Set(holders).size === 1 || (domains.size === 1 && !domains.has(0)))
    rows.join(besides(index, holders));
  return [{ text: `send their traffic through other jurisdictions than ${jurisdictions.join('|')}`, rows }];
}

/** Rows from which some of the holders are reached without leaving host or zone. */
export function besides(index: HostIndex, holders: readonly number[]): Bits {
  const rows = rowsInDomains(index, 'zone', new Set(holders.map((row) => domainOf(index, row, 'zone'))));
  for (const row of holders) rows.put(row, true);
  return rows;
}
