import type { VnfInstanceId } from '../../kernel/index.ts';
import { Candidates } from './candidates.ts';
import { compileRequest, type CompiledRequest } from './compile-request.ts';
import type { HostIndex } from './host-index.ts';
import { waryOf } from './relations.ts';
import type { PlacementRequest, PlacementRule, UnitDemand } from './types.ts';

interface Entry {
  readonly compiled: CompiledRequest;
  readonly candidates: Candidates;
  /** What has ranked hosts for it: whoever takes back what was booked meanwhile has to tell each of these. */
  readonly ranked: readonly Candidates[];
}

interface KeptEntry extends Entry {
  readonly generation: string;
}

const MOST_KEPT = 512;
const MOST_KINDS = 64;

interface Cache {
  /** Of requests that come again, one instance after the other. */
  readonly requests: Map<string, KeptEntry>;
  /** Of requests that are alike but for who asks: what each of these begins with. */
  readonly kinds: Map<string, KeptEntry>;
  /** Who asked first, by kind: what nobody else asks for is not ranked for all. */
  readonly firstOfKind: Map<string, VnfInstanceId>;
}

/** Valid until what the hosts are changes. */
const caches = new WeakMap<HostIndex, Cache>();

interface Asked {
  readonly isPacking: boolean;
  readonly expected: number;
}

/** The candidates of a request. Hosts are looked at one by one only where no request that is alike has had that done before. */
export function candidatesFor(
  index: HostIndex,
  request: PlacementRequest,
  demand: UnitDemand,
  rules: readonly PlacementRule[],
  { isPacking, expected }: Asked,
): Entry {
  // Measurements get older.
  const now = request.near?.some(({ maxAgeSeconds }) => maxAgeSeconds !== undefined) === true ? index.now : 0;
  const generation = `${index.generation} ${index.labels.generation} ${now}`;
  const cache = caches.get(index) ?? { requests: new Map(), kinds: new Map(), firstOfKind: new Map() };
  caches.set(index, cache);
  const make = (): KeptEntry => {
    const compiled = compileRequest(index, request, demand, rules, { isPacking });
    // What is booked makes a row better while full hosts are filled first, and nobody tells those who ranked it.
    const mayBeAlike = !isPacking && isRatedAlone(request, rules) && index.leniency === undefined;
    const kind = mayBeAlike ? kindOf(request, demand, isPacking) : '';
    const alike =
      mayBeAlike && isOfMany(cache, kind, request.functionId)
        ? kept(cache.kinds, MOST_KINDS, generation, kind, () =>
            rankForAll(index, request, demand, { isPacking, expected: 1 }, generation),
          )
        : undefined;
    alike?.candidates.settle();
    const isSame = compiled.limits.groupedBy.join() === alike?.compiled.limits.groupedBy.join();
    const candidates = new Candidates(index, compiled, expected, isSame ? alike.candidates : undefined);
    return { generation, compiled, candidates, ranked: [candidates, ...(alike?.ranked ?? [])] };
  };
  const { functionId } = request;
  const isSentTo = index.occupancy.consumersOf(functionId).size > 0;
  const isAvoided = waryOf(index, functionId, request.labels ?? {}).length > 0;
  const isTried = index.silent.size > 0 || index.leniency !== undefined;
  if (isTried || isSentTo || isAvoided || isRelated(request, rules)) return make();
  return kept(cache.requests, MOST_KEPT, generation, keyOf(request, demand, isPacking), make);
}

/** What is known still, or is made. */
function kept(
  entries: Map<string, KeptEntry>,
  most: number,
  generation: string,
  key: string,
  make: () => KeptEntry,
): KeptEntry {
  const known = entries.get(key);
  if (known?.generation === generation) {
    known.candidates.refresh();
    if (!known.candidates.isSpent) return known;
  }
  makeRoom(entries, most);
  const made = make();
  entries.set(key, made);
  return made;
}

/** Whether another function has asked for the same before. */
function isOfMany({ firstOfKind }: Cache, kind: string, functionId: VnfInstanceId): boolean {
  const first = firstOfKind.get(kind);
  if (first === undefined) {
    makeRoom(firstOfKind, MOST_KEPT);
    firstOfKind.set(kind, functionId);
  }
  return first !== undefined && first !== functionId;
}

function makeRoom(entries: Map<string, unknown>, most: number): void {
  const [oldest] = entries.keys();
  if (entries.size >= most && oldest !== undefined) entries.delete(oldest);
}

function keyOf(request: object, demand: UnitDemand, isPacking: boolean): string {
  return JSON.stringify([request, demand, isPacking], (name, value: unknown) =>
    name === 'units' || name === 'instances' ? undefined : value,
  );
}

const NOBODY = '' as VnfInstanceId;

/** The request of nobody in particular. */
function anybodys({ hosts: _hosts, ...request }: PlacementRequest): PlacementRequest {
  return {
    ...request,
    functionId: NOBODY,
    name: '',
    labels: {},
    priority: 0,
    affinities: [],
    flows: [],
    providers: [],
    dependents: [],
    avoidHosts: [],
  };
}

function kindOf(request: PlacementRequest, demand: UnitDemand, isPacking: boolean): string {
  return keyOf(anybodys(request), { ...demand, unit: '' }, isPacking);
}

function rankForAll(
  index: HostIndex,
  request: PlacementRequest,
  demand: UnitDemand,
  { isPacking, expected }: Asked,
  generation: string,
): KeptEntry {
  const compiled = compileRequest(index, anybodys(request), demand, [], { isPacking, isForAll: true });
  const candidates = new Candidates(index, compiled, expected);
  return { generation, compiled, candidates, ranked: [candidates] };
}

/** Whether how good a host is does not depend on where functions are, other than the request's own. */
function isRatedAlone(
  { functionId, affinities = [], near = [] }: PlacementRequest,
  rules: readonly PlacementRule[],
): boolean {
  return (
    affinities.every(({ weight }) => weight === undefined) &&
    near.every(({ to }) => !('functionId' in to)) &&
    rules.every((rule) => !rule.functionIds.includes(functionId))
  );
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
