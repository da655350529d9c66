import type { Bits } from './bits.ts';
import type { CompiledRequest } from './compile-request.ts';
import { domainOf } from './domains.ts';
import type { HostIndex } from './host-index.ts';
import { RowHeap } from './row-heap.ts';

/** Rows that agree in every domain wider than a host. */
interface Group {
  /** Any of its rows. */
  readonly sample: number;
  heap: RowHeap;
  /** Rows beyond the heap come after this one, key and row; none: the heap has all. */
  bound: { readonly key: number; readonly row: number } | undefined;
  /** The top of the heap is known to be true. */
  isChecked: boolean;
  /** What its domains hold already, as score; absent: to be counted. */
  penalty: number | undefined;
  /** While all rows are looked at: the best so far, the worst of them on top. */
  kept: RowHeap;
  /** Some were left out. */
  hasMore: boolean;
}

const LEAST_KEPT = 16;
const KEPT_IN_ALL = 2048;
const FEW = 64;
/** Rows that are looked at together. */
const BLOCK = 4096;
/** Of the look that goes on: there is never another one meanwhile. */
const SCRATCH = { rows: new Int32Array(BLOCK), keys: new Float64Array(BLOCK) };
/** A heap that has grown so many times over by rows that were ranked again is made anew. */
const MOST_OVER = 4;

/**
 * The hosts for the next instance of a request, best first, without ranking them all again for each. The best few of each group of domains are kept
 * in a heap with the score that they had; as scores only fall while instances are placed, the top is right as soon as it still has its score,
 * and the others are looked at again only when the kept ones are used up. Room that is gained elsewhere is taken in from the index's log.
 */
export class Candidates {
  readonly #index: HostIndex;
  readonly #compiled: CompiledRequest;
  readonly #groups: Group[] = [];
  readonly #groupOfDomain: (Group | undefined)[] = [];
  readonly #groupOfDomains = new Map<string, Group>();
  /** Of the one scope that groups rows, where there is only one. */
  readonly #codes: Uint32Array | undefined;
  readonly #expected: number;
  readonly #compare: (a: number, b: number) => number;
  #gains: number;
  readonly #cuts: number;
  #version: number;
  #hasSetAside = false;
  /** Rows that have gained room and are not ranked again yet. */
  readonly #gained: number[] = [];
  /** So much was taken back that ranking anew is less work. */
  isSpent = false;

  /**
   * @param expected how many instances will be asked for, about
   * @param alike has ranked the same hosts, and perhaps others, for a request to which each is as good, but for what the request's own instances hold
   */
  constructor(index: HostIndex, compiled: CompiledRequest, expected: number, alike?: Candidates) {
    this.#index = index;
    this.#compiled = compiled;
    this.#expected = expected;
    this.#compare = (a, b) => index.compareRows(a, b);
    this.#gains = index.gains.length;
    this.#cuts = index.cuts;
    this.#version = this.#ownVersion();
    const [scope, ...others] = compiled.limits.groupedBy;
    this.#codes = scope === undefined || others.length > 0 ? undefined : index.labels.codes(scope);
    if (alike === undefined) this.#scan();
    else this.#copy(alike);
  }

  #copy(alike: Candidates): void {
    for (const { sample, heap, bound } of alike.#groups) {
      const group = this.#groupOf(sample);
      group.heap = heap.copy();
      group.bound = bound;
    }
    this.regain([...this.#index.occupancy.rowsOf(this.#compiled.request.functionId).keys()]);
  }

  /** Makes the best of each group true, so that who copies them need not. */
  settle(): void {
    for (const group of this.#groups) if (!group.isChecked) this.#check(group);
  }

  /** Takes in what others have placed or taken away since. */
  refresh(): void {
    const { gains, cuts } = this.#index;
    this.isSpent ||= cuts !== this.#cuts;
    if (this.isSpent) return;
    for (let at = this.#gains; at < gains.length; at += 1) this.#gained.push(gains[at] ?? 0);
    this.#gains = gains.length;
    this.#takeGains();
    for (const group of this.#groups) {
      group.isChecked = false;
      group.penalty = undefined;
    }
  }

  /** What the function's own instances hold, as it is now: keys depend on it. */
  #recount(): void {
    if (this.#version === this.#ownVersion()) return;
    this.#compiled.limits.recount(this.#index.occupancy.rowsOf(this.#compiled.request.functionId));
    this.#version = this.#ownVersion();
  }

  /** These rows have more room than when they were ranked. They are ranked again when somebody asks. */
  regain(rows: readonly number[]): void {
    this.isSpent ||= this.#gained.length + rows.length > KEPT_IN_ALL;
    if (this.isSpent) this.#gained.length = 0;
    else this.#gained.push(...rows);
  }

  #takeGains(): void {
    this.isSpent ||= this.#gained.length > KEPT_IN_ALL;
    this.#recount();
    const gained = this.isSpent ? [] : this.#gained.splice(0);
    for (const row of gained) {
      if (!this.#compiled.eligible.has(row)) continue;
      const group = this.#groupOf(row);
      const key = this.#compiled.key(row);
      if (!this.#isBeyond(group, key, row)) group.heap.push(key, row);
      group.isChecked = false;
      if (group.heap.size > MOST_OVER * this.#kept()) this.#scan();
    }
  }

  /** The best row for one more instance; undefined: there is none. */
  best(): number | undefined {
    if (this.#gained.length > 0) this.#takeGains();
    const row = this.#bestKept();
    if (row !== undefined || !this.#hasSetAside) return row;
    this.#openAll();
    return this.#bestKept();
  }

  /** What a hard skew has kept out may be open by now. */
  #openAll(): void {
    this.#hasSetAside = false;
    this.#scan();
  }

  #bestKept(): number | undefined {
    const { limits } = this.#compiled;
    const isHard = limits.isHardByDomain;
    let chosen: Group | undefined;
    let best = -Infinity;
    for (const group of this.#groups) {
      if (isHard && limits.refusal(group.sample, false) !== undefined) continue;
      if (!group.isChecked) this.#check(group);
      const { heap } = group;
      if (heap.size === 0) continue;
      const score = heap.topKey + (group.penalty ??= limits.score(group.sample, false));
      const isBetter =
        score > best ||
        (score === best &&
          chosen !== undefined &&
          this.#index.compareRows(heap.topRow, chosen.heap.topRow) < 0);
      if (!isBetter && chosen !== undefined) continue;
      chosen = group;
      best = score;
    }
    return chosen?.heap.topRow;
  }

  /** An instance was booked on the row that `best` gave. */
  took(row: number): void {
    const { limits } = this.#compiled;
    const ceiling = limits.isHardByHost ? limits.hostCeiling : 0;
    limits.take(row);
    this.#version = this.#ownVersion();
    const group = this.#groupOf(row);
    if (group.heap.size > 0 && group.heap.topRow === row) group.heap.replaceTop(this.#compiled.key(row));
    group.isChecked = false;
    group.penalty = undefined;
    if (limits.groupedBy.length < 2 && !limits.isHardByHost) return;
    for (const each of this.#groups) {
      each.penalty = undefined; // domains that they share with it
      each.isChecked = false; // what one host holds may shut others
    }
    if (limits.isHardByHost && this.#hasSetAside && limits.hostCeiling > ceiling) this.#openAll();
  }

  /** Makes the top of a group true: the row that is best in it now. */
  #check(group: Group): void {
    const { heap } = group;
    for (;;) {
      if (heap.size === 0) {
        if (group.bound === undefined) break;
        this.#scan(group);
        continue;
      }
      const row = heap.topRow;
      const key = this.#compiled.key(row);
      if (!this.#compiled.eligible.has(row) || !this.#compiled.room.has(row)) heap.pop();
      else if (this.#compiled.limits.refusal(row, true) !== undefined) {
        this.#hasSetAside = true;
        heap.pop();
      } else if (key !== heap.topKey) heap.replaceTop(key);
      else if (this.#isBeyond(group, heap.topKey, row)) this.#scan(group);
      else break;
    }
    group.isChecked = true;
  }

  /** Whether rows that are not kept could be better. */
  #isBeyond({ bound }: Group, key: number, row: number): boolean {
    if (bound === undefined) return false;
    return key < bound.key || (key === bound.key && this.#index.compareRows(row, bound.row) > 0);
  }

  /** Looks at all rows, and keeps the best of each group; of one group only where its rows can be told by one code. */
  #scan(asked?: Group): void {
    const { eligible, limits } = this.#compiled;
    const [scope = ''] = limits.groupedBy;
    const only = this.#codes === undefined ? undefined : asked;
    const { rows } = SCRATCH;
    if (only === undefined)
      for (let from = 0; from < this.#index.rows; from += BLOCK) this.#look(eligible.listInto(rows, from));
    else {
      const own = this.#index.labels.rowsOf(scope, this.#codes?.[only.sample] ?? 0);
      for (let from = 0; from < own.length; from += BLOCK)
        this.#look(listAmong(own.subarray(from, from + BLOCK), eligible, rows));
    }
    for (const group of only === undefined ? this.#groups : [only]) {
      const { kept } = group;
      group.bound = group.hasMore ? { key: kept.topKey, row: kept.topRow } : undefined;
      group.heap.fill(kept);
      group.kept = new RowHeap(this.#compare, true);
      group.hasMore = false;
      group.isChecked = false;
    }
  }

  /** Keeps the best of the rows that are listed. */
  #look(listed: number): void {
    const { room, limits } = this.#compiled;
    const { isHardByHost } = limits;
    const { rows, keys } = SCRATCH;
    const most = this.#kept();
    const count = room.sift(rows, listed);
    this.#compiled.keys(rows, count, keys);
    for (let at = 0; at < count; at += 1) {
      const row = rows[at] ?? 0;
      if (isHardByHost && limits.refusal(row, true) !== undefined) this.#hasSetAside = true;
      else this.#keepBest(this.#groupOf(row), most, keys[at] ?? 0, row);
    }
  }

  #keepBest(group: Group, most: number, key: number, row: number): void {
    const { kept } = group;
    if (kept.size < most) {
      kept.push(key, row);
      return;
    }
    group.hasMore = true;
    const { topKey } = kept;
    if (key > topKey || (key === topKey && this.#compare(row, kept.topRow) < 0)) kept.replaceTop(key, row);
  }

  /** Rows that are kept of each group. */
  #kept(): number {
    const { groupedBy } = this.#compiled.limits;
    let groups = 1;
    for (const by of groupedBy) groups *= Math.max(1, this.#index.labels.distinct(by) - 1);
    // Who asks for many at once needs them now; who asks for one will come again, after others have taken some.
    const all =
      this.#expected > FEW ? 2 * this.#expected : Math.max(KEPT_IN_ALL, Math.ceil(this.#index.size / 8));
    return Math.max(LEAST_KEPT, Math.ceil(all / groups));
  }

  #groupOf(row: number): Group {
    if (this.#codes !== undefined) {
      const domain = this.#codes[row] ?? 0;
      return (this.#groupOfDomain[domain] ??= this.#openGroup(row));
    }
    const { groupedBy } = this.#compiled.limits;
    if (groupedBy.length === 0) return this.#groups[0] ?? this.#openGroup(row);
    const domains = groupedBy.map((by) => domainOf(this.#index, row, by)).join(' ');
    const known = this.#groupOfDomains.get(domains);
    if (known !== undefined) return known;
    const opened = this.#openGroup(row);
    this.#groupOfDomains.set(domains, opened);
    return opened;
  }

  #openGroup(sample: number): Group {
    const group: Group = {
      sample,
      heap: new RowHeap(this.#compare, false),
      bound: undefined,
      isChecked: false,
      penalty: undefined,
      kept: new RowHeap(this.#compare, true),
      hasMore: false,
    };
    this.#groups.push(group);
    return group;
  }

  #ownVersion(): number {
    return this.#index.occupancy.functions.get(this.#compiled.request.functionId)?.version ?? 0;
  }
}

/** Lists those of the rows that are in a set. @returns how many they are */
function listAmong(rows: Int32Array, set: Bits, list: Int32Array): number {
  let count = 0;
  for (const row of rows)
    if (set.has(row)) {
      list[count] = row;
      count += 1;
    }
  return count;
}
