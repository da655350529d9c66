import { domainOf, HOST_SCOPE, rowsWithDomain } from './domains.ts';
import { matchesFunction } from './function-matcher.ts';
import type { HostIndex } from './host-index.ts';
import { functionsMatching } from './relations.ts';
import { SPREAD_WEIGHT } from './score.ts';
import type { Bits } from './bits.ts';
import type { PlacementRequest, PlacementRule, Spread } from './types.ts';

interface Scope {
  readonly by: string;
  /** Instances of the function by domain. */
  readonly counts: Map<number, number>;
  readonly weight: number;
  readonly maxSkew: number | undefined;
  readonly isApart: boolean;
  readonly isTogether: boolean;
  /** How many domains could take any. */
  readonly domains: number;
  /** Instances of the domain that holds least; absent: to be counted. */
  least?: number | undefined;
}

/** What the request's own instances mean for each other, domain by domain: spread, hard skew, apart, together. */
export class DomainLimits {
  /** Scopes other than the host: rows that agree in all of them are alike in everything here but their own count. */
  readonly groupedBy: readonly string[];
  readonly #scopes: readonly Scope[];
  readonly #hardHost: readonly Scope[];
  readonly #hardWide: readonly Scope[];
  readonly #index: HostIndex;

  /** @param eligible hosts that satisfy all that does not change: the domains that a hard skew compares */
  constructor(
    index: HostIndex,
    request: PlacementRequest,
    { spreads, rules }: { readonly spreads: readonly Spread[]; readonly rules: readonly PlacementRule[] },
    eligible: Bits,
  ) {
    this.#index = index;
    const scopes = [...spreads.map(ofSpread), ...ownRules(index, request, rules)];
    this.#scopes = scopes.map((scope) => ({ ...scope, domains: domainsOf(index, eligible, scope) }));
    const hard = this.#scopes.filter(
      ({ maxSkew, isApart, isTogether }) => maxSkew !== undefined || isApart || isTogether,
    );
    this.#hardHost = hard.filter(({ by }) => by === HOST_SCOPE);
    this.#hardWide = hard.filter(({ by }) => by !== HOST_SCOPE);
    this.groupedBy = [...new Set(scopes.map(({ by }) => by).filter((by) => by !== HOST_SCOPE))];
    this.recount(index.occupancy.rowsOf(request.functionId));
  }

  /** Whether what is placed on one host can shut it, or others, for the next instance. */
  get isHardByHost(): boolean {
    return this.#hardHost.length > 0;
  }

  /** Up to how many instances a hard skew lets hosts hold: when it rises, hosts that were shut are open. */
  get hostCeiling(): number {
    let ceiling = 0;
    for (const scope of this.#hardHost)
      if (scope.maxSkew !== undefined) ceiling += (scope.least ??= least(scope)) + scope.maxSkew;
    return ceiling;
  }

  /** Whether what a wider domain holds can shut it, or others. */
  get isHardByDomain(): boolean {
    return this.#hardWide.length > 0;
  }

  recount(rows: ReadonlyMap<number, number>): void {
    for (const scope of this.#scopes) {
      scope.counts.clear();
      scope.least = undefined;
    }
    for (const [row, instances] of rows) this.take(row, instances);
  }

  take(row: number, instances = 1): void {
    for (const scope of this.#scopes) {
      const domain = domainOf(this.#index, row, scope.by);
      const before = scope.counts.get(domain) ?? 0;
      scope.counts.set(domain, before + instances);
      if (scope.least === undefined || before <= scope.least || instances < 0) scope.least = undefined;
    }
  }

  /** The most that a row gains for being in a domain that holds an instance already. */
  get mostTogether(): number {
    return this.#scopes.reduce((total, { weight }) => total + Math.max(0, -weight), 0);
  }

  /** By how many instances the hard skews are exceeded as things stand; 0: they are kept. */
  get excess(): number {
    let total = 0;
    for (const scope of this.#scopes) {
      if (scope.maxSkew === undefined) continue;
      const most = Math.max(0, ...scope.counts.values());
      total += Math.max(0, most - (scope.least ??= least(scope)) - scope.maxSkew);
    }
    return total;
  }

  /** What a row loses or gains for what its domains hold already. @param isHost whether of the host's own count, or of the wider domains */
  score(row: number, isHost: boolean): number {
    let total = 0;
    for (const { by, counts, weight } of this.#scopes)
      if ((by === HOST_SCOPE) === isHost && weight !== 0)
        total -= weight * (counts.get(domainOf(this.#index, row, by)) ?? 0);
    return total;
  }

  /** What stands against a row; undefined: nothing does. @param isHost whether in its own count, or in the wider domains */
  refusal(row: number, isHost: boolean): string | undefined {
    for (const scope of isHost ? this.#hardHost : this.#hardWide) {
      const refusal = this.#refusalIn(scope, row);
      if (refusal !== undefined) return refusal;
    }
    return undefined;
  }

  /** All that stands against a row. */
  refusals(row: number): readonly string[] {
    return [...this.#hardHost, ...this.#hardWide].flatMap((scope) => this.#refusalIn(scope, row) ?? []);
  }

  #refusalIn(scope: Scope, row: number): string | undefined {
    const { by, counts, maxSkew, isApart, isTogether } = scope;
    const domain = domainOf(this.#index, row, by);
    const here = counts.get(domain) ?? 0;
    if (isApart && here > 0 && domain !== 0) return `are in a ${by} that holds what must be apart from it`;
    if (isTogether && here === 0 && counts.size > 0)
      return `are not in the ${by} where the functions that belong together are`;
    if (maxSkew !== undefined && here + 1 - (scope.least ??= least(scope)) > maxSkew)
      return `would hold more than ${maxSkew} above the ${by} that holds least`;
    return undefined;
  }

  /** Whether a domain of the row holds more than a hard skew allows. */
  isSkewed(row: number): boolean {
    return this.#scopes.some((scope) => {
      const here = scope.counts.get(domainOf(this.#index, row, scope.by)) ?? 0;
      return scope.maxSkew !== undefined && here - (scope.least ??= least(scope)) > scope.maxSkew;
    });
  }
}

function ofSpread({ by, weight = SPREAD_WEIGHT, maxSkew }: Spread): Omit<Scope, 'domains'> {
  return { by, counts: new Map(), weight, maxSkew, isApart: false, isTogether: false };
}

/** Hard rules that a function keeps towards itself. */
function ownRules(
  index: HostIndex,
  { functionId, affinities = [], labels = {} }: PlacementRequest,
  rules: readonly PlacementRule[],
): readonly Omit<Scope, 'domains'>[] {
  const own = rules.filter(
    ({ type, functionIds, weight }) =>
      weight === undefined &&
      functionIds.includes(functionId) &&
      (type === 'together' || functionIds.length === 1),
  );
  const kin = affinities.filter(
    (affinity) =>
      affinity.weight === undefined &&
      matchesFunction(affinity.with, labels) &&
      // Where others of its kind are already, each instance may join any of them.
      (affinity.type === 'apart' || functionsMatching(index, affinity.with).every((id) => id === functionId)),
  );
  return [...own, ...kin].map(({ type, scope }) => ({
    by: scope,
    counts: new Map(),
    weight: 0,
    maxSkew: undefined,
    isApart: type === 'apart',
    isTogether: type === 'together',
  }));
}

/** How many domains a hard skew compares; a host without the label is in none. */
function domainsOf(index: HostIndex, eligible: Bits, { by, maxSkew }: Omit<Scope, 'domains'>): number {
  if (maxSkew === undefined) return 0;
  if (by === HOST_SCOPE) return eligible.count;
  const labelled = rowsWithDomain(index, by).copy();
  labelled.keep(eligible);
  const found = new Set<number>();
  labelled.forEach((row) => found.add(domainOf(index, row, by)));
  return found.size;
}

function least({ counts, domains }: Scope): number {
  let holding = 0;
  let smallest = Infinity;
  for (const [domain, count] of counts) {
    // What lacks the label is in no domain.
    if (domain === 0 || count <= 0) continue;
    holding += 1;
    smallest = Math.min(smallest, count);
  }
  return holding < domains ? 0 : smallest === Infinity ? 0 : smallest;
}
