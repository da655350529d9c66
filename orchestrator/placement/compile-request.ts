import type { Bits } from './bits.ts';
import { hostConstraints, type Constraint } from './constraints.ts';
import { DomainLimits } from './domain-limits.ts';
import { rowsWithDomain } from './domains.ts';
import type { HostIndex } from './host-index.ts';
import type { Rejection } from './rejection.ts';
import { relationConstraints } from './relations.ts';
import { roomFor, type Room } from './room.ts';
import { EVENNESS_WEIGHT, ROOM_WEIGHT, scoreParts, spreadsOf, type ScorePart } from './score.ts';
import type { PlacementRequest, PlacementRule, UnitDemand } from './types.ts';

/** A request for one unit, made ready for one index: who may take an instance, and how good each is. */
export interface CompiledRequest {
  readonly request: PlacementRequest;
  readonly demand: UnitDemand;
  /** In the order in which a host is told what it lacks. */
  readonly constraints: readonly Constraint[];
  /** Rows that satisfy all of them. */
  readonly eligible: Bits;
  readonly limits: DomainLimits;
  readonly room: Room;
  readonly parts: readonly ScorePart[];
  /** Of the share that stays free; negative while packing. */
  readonly roomWeight: number;
  /** Whether a row can take one more now. Rows that are not eligible are not asked for. */
  fits(row: number): boolean;
  /** All of the score but what the row's domains wider than a host hold. Never rises by what is placed, save by the request's own `together`. */
  key(row: number): number;
  /** The same of the first so many rows of a list. */
  keys(rows: Int32Array, count: number, into: Float64Array): void;
  /** What a row that satisfies the constraints lacks now. */
  lack(row: number): Rejection | undefined;
}

export interface CompileOptions {
  /** Full hosts first, so that large holes stay: where hosts that stay quite free would leave no room for the rest. */
  readonly isPacking?: boolean;
  /** Its own instances count only through the limits that they set each other: so it stays true while they are moved. Default true. */
  readonly isOwnCounted?: boolean;
  /** What else a host must satisfy; others are in no domain that a hard skew compares. */
  readonly besides?: readonly Constraint[];
  /** Requests of the same plan that have no place yet: whoever wants to be with them may come first. */
  readonly awaited?: readonly PlacementRequest[];
  /** Hard skew keeps no row out: whoever asks looks at it when all is placed. */
  readonly isSkewLate?: boolean;
  /** Only what hosts are and have counts, neither where other functions are nor who is silent: what is ranked so holds for all requests that are alike. */
  readonly isForAll?: boolean;
}

const NOBODY: ReadonlySet<number> = new Set();

export function compileRequest(
  index: HostIndex,
  request: PlacementRequest,
  demand: UnitDemand,
  rules: readonly PlacementRule[],
  {
    isPacking = false,
    isOwnCounted = true,
    besides = [],
    awaited = [],
    isSkewLate = false,
    isForAll = false,
  }: CompileOptions = {},
): CompiledRequest {
  const spreads = spreadsOf(request, rules);
  const constraints = [
    ...hostConstraints(index, request, demand, isForAll ? NOBODY : index.silent),
    ...besides,
    ...(isForAll ? [] : relationConstraints(index, request, rules, { isOwnCounted, awaited })),
    ...spreads
      .filter(({ maxSkew }) => maxSkew !== undefined)
      .map(({ by }) => ({ text: `lack the label ${by}`, rows: rowsWithDomain(index, by) })),
  ];
  const eligible = index.present.copy();
  for (const { rows } of constraints) eligible.keep(rows);
  const heeded = isSkewLate ? spreads.map(({ maxSkew: _late, ...spread }) => spread) : spreads;
  const limits = new DomainLimits(index, request, { spreads: heeded, rules }, eligible);
  const room = roomFor(index, request, demand);
  const parts = scoreParts(index, request, rules);
  const roomWeight = isPacking ? -ROOM_WEIGHT : ROOM_WEIGHT;
  const { functionId } = request;
  let occupied = index.occupancy.rowsOf(functionId);
  /** What its own instances there make of a row's key. */
  const withOwn = (key: number, row: number): number => {
    const here = occupied.get(row);
    return here === undefined ? key : key - EVENNESS_WEIGHT * here + limits.score(row, true);
  };
  return {
    request,
    demand,
    constraints,
    eligible,
    limits,
    room,
    parts,
    roomWeight,
    fits: (row) =>
      room.has(row) && limits.refusal(row, true) === undefined && limits.refusal(row, false) === undefined,
    key(row) {
      let key = roomWeight * room.freeShare(row);
      for (const part of parts) key += part.of(row);
      if (occupied.size === 0) occupied = index.occupancy.rowsOf(functionId);
      return occupied.size === 0 ? key : withOwn(key, row);
    },
    keys(rows, count, into) {
      room.freeShares(rows, count, into);
      for (let at = 0; at < count; at += 1) into[at] = roomWeight * (into[at] ?? 0);
      for (const part of parts)
        for (let at = 0; at < count; at += 1) into[at] = (into[at] ?? 0) + part.of(rows[at] ?? 0);
      if (occupied.size === 0) occupied = index.occupancy.rowsOf(functionId);
      if (occupied.size > 0)
        for (let at = 0; at < count; at += 1) into[at] = withOwn(into[at] ?? 0, rows[at] ?? 0);
    },
    lack(row) {
      const refusal = limits.refusal(row, true) ?? limits.refusal(row, false);
      return refusal === undefined ? room.lack(row) : { text: refusal };
    },
  };
}

/** Why a host cannot take one more now: the first thing that it lacks; undefined: it can. */
export function rejectionAt(compiled: CompiledRequest, row: number): Rejection | undefined {
  const failed = compiled.constraints.find(({ rows }) => !rows.has(row));
  return failed === undefined ? compiled.lack(row) : { text: failed.text };
}

/** Everything that stands against a host: all rules that it breaks, and all that it lacks. */
export function rejectionsAt(compiled: CompiledRequest, row: number): readonly Rejection[] {
  const { constraints, limits, room } = compiled;
  return [
    ...constraints.filter(({ rows }) => !rows.has(row)).map(({ text }) => ({ text })),
    ...limits.refusals(row).map((text) => ({ text })),
    ...room.lacks(row),
  ];
}

/** Why hosts cannot take one more, once for each host that cannot. */
export function rejectionsOf(index: HostIndex, compiled: CompiledRequest): readonly Rejection[] {
  const rejections: Rejection[] = [];
  index.present.forEach((row) => {
    const rejection = rejectionAt(compiled, row);
    if (rejection !== undefined) rejections.push(rejection);
  });
  return rejections;
}

/** How good a row is for one more now. */
export function scoreOf(compiled: CompiledRequest, row: number): number {
  return compiled.key(row) + compiled.limits.score(row, false);
}

/** What a row's score is the sum of, by name. */
export function scoreByPart(
  index: HostIndex,
  compiled: CompiledRequest,
  row: number,
): Readonly<Record<string, number>> {
  const { parts, limits, room, roomWeight, request } = compiled;
  const own = index.occupancy.rowsOf(request.functionId).get(row) ?? 0;
  const named = [
    ['spread', limits.score(row, true) + limits.score(row, false)],
    ...parts.map((part) => [part.name, part.of(row)] as const),
    ['evenness', -EVENNESS_WEIGHT * own],
    ['room', roomWeight * room.freeShare(row)],
  ] as const;
  const byName: Record<string, number> = {};
  for (const [name, value] of named)
    if (value !== 0 || name === 'room') byName[name] = (byName[name] ?? 0) + value;
  return byName;
}
