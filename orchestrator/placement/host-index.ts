import type { HostId, VnfInstanceId } from '../../kernel/index.ts';
import type { Tier } from '../../descriptors/index.ts';
import { compareText, deviceCount } from '../domain/index.ts';
import { Bits } from './bits.ts';
import { COLUMNS, columnsOf, READY } from './host-columns.ts';
import { LabelColumns } from './label-columns.ts';
import { Occupancy } from './occupancy.ts';
import type { FixedPort, HostSnapshot, LatencyMeasurement, PlacementSnapshot, UnitDemand } from './types.ts';

const MOST_GAINS = 10_000;
/** Ages of one measurement, reckoned at different times. */
const SAME_AGE_SECONDS = 1e-3;

interface Amounts {
  allocatable: Float64Array;
  free: Float64Array;
}

/** What counts as other than it is while it is tried whether that would help. */
export interface Leniency {
  /** Rows that are being drained, and are used as if they were not. */
  readonly readmitted: ReadonlySet<number>;
  /** Ports by row that one of their users gives up. */
  readonly freed: ReadonlyMap<number, FixedPort>;
}

/** One entry of the log by which what was booked is taken back. */
export interface Booking {
  readonly functionId: VnfInstanceId;
  readonly demand: UnitDemand;
  readonly row: number;
  readonly sign: 1 | -1;
  readonly isEviction: boolean;
}

/**
 * The inventory, arranged for placement: one row for each host, one array for each amount, one column for each label. Built once, kept true host by
 * host and booking by booking; what a plan books in it can be taken back. Some 500 bytes for each host, and 100 for each instance placed.
 */
export class HostIndex {
  readonly labels: LabelColumns;
  readonly occupancy = new Occupancy();
  readonly present = new Bits(0);
  readonly cpu: Amounts = amounts(0);
  readonly memory: Amounts = amounts(0);
  readonly storage: Amounts = amounts(0);
  readonly devices = new Map<string, Amounts>();
  /** What they carry, bits per second; infinite where nothing is known. */
  uplinks: Float64Array = new Float64Array(0);
  availability: Float64Array = new Float64Array(0);
  /** Some host was not always there. */
  hasAbsences = false;
  /** Of the dearest host. */
  dearest = 0;
  reserves: Readonly<Partial<Record<Tier, number>>> = {};
  /** Seconds since some moment, the same one for as long as the index is kept: what measurements are aged by. */
  now = 0;
  /** Rows that count as LOST for the plan at hand, whatever else is said of them. */
  silent: ReadonlySet<number> = new Set();
  /** Set only while relaxations are tried; what is found out meanwhile is not kept. */
  leniency: Leniency | undefined;
  /** Rows that have gained room since the log was cut last, in order. */
  readonly gains: number[] = [];
  /** How often the log was cut: who has read less than all of an earlier one has missed something. */
  cuts = 0;
  /** Rises with every change of what a host is, other than what is free of it. */
  generation = 0;
  /** Per hour; NaN: not known. */
  #costs: Float64Array = new Float64Array(0);
  readonly #ids: (HostId | undefined)[] = [];
  readonly #rows = new Map<string, number>();
  readonly #vacant: number[] = [];
  readonly #ports = new Map<number, Map<FixedPort, number>>();
  readonly #latencies = new Map<number, readonly LatencyMeasurement[]>();
  readonly #bookings: Booking[] = [];
  /** Rows stand in the order of their ids: comparing rows compares ids. */
  #isSorted = true;

  private constructor(expected: number) {
    this.labels = new LabelColumns(
      expected,
      (row) => this.#ids[row] ?? '',
      (id) => this.#rows.get(id),
    );
    this.#reserveRows(expected);
  }

  /** An index of a snapshot; the order of its hosts does not matter. */
  static of({ hosts, reserves = {} }: PlacementSnapshot): HostIndex {
    const index = new HostIndex(hosts.length);
    index.reserves = reserves;
    for (const host of hosts.toSorted((a, b) => compareText(a.hostId, b.hostId))) index.put(host);
    return index;
  }

  get size(): number {
    return this.#rows.size;
  }

  /** One more than the highest row. */
  get rows(): number {
    return this.#ids.length;
  }

  rowOf(hostId: string): number | undefined {
    return this.#rows.get(hostId);
  }

  idOf(row: number): HostId {
    const id = this.#ids[row];
    if (id === undefined) throw new RangeError(`row ${row} has no host`);
    return id;
  }

  /** Negative: the host of `a` comes first. */
  compareRows(a: number, b: number): number {
    return this.#isSorted ? a - b : compareText(this.#ids[a] ?? '', this.#ids[b] ?? '');
  }

  isReady(row: number): boolean {
    return this.labels.text(row, COLUMNS.standing) === READY || this.#isReadmitted(row);
  }

  isDraining(row: number): boolean {
    const isDraining = this.labels.text(row, COLUMNS.standing)?.endsWith('draining') === true;
    return isDraining && !this.#isReadmitted(row);
  }

  /** Whether nothing but the draining keeps it from being used. */
  couldBeReadmitted(row: number): boolean {
    return /^(READY|DRAINING), draining$/.test(this.labels.text(row, COLUMNS.standing) ?? '');
  }

  #isReadmitted(row: number): boolean {
    return this.leniency?.readmitted.has(row) === true;
  }

  /** Whether it is LOST, or silent for longer than the function that is being placed bears. */
  isLost(row: number): boolean {
    return this.silent.has(row) || this.labels.text(row, COLUMNS.standing)?.startsWith('LOST') === true;
  }

  /** Of a host of which it is not known, that of the dearest. */
  costPerHour(row: number): number {
    const known = this.#costs[row] ?? Number.NaN;
    return Number.isNaN(known) ? this.dearest : known;
  }

  /** With the age that each would have had when `now` was 0. */
  latencies(row: number): readonly LatencyMeasurement[] {
    return this.#latencies.get(row) ?? [];
  }

  /** Takes a host in, or what has changed of it. */
  put(host: HostSnapshot): void {
    this.#demandNothingBooked();
    const known = this.#rows.get(host.hostId);
    const row = known ?? this.#newRow(host.hostId);
    this.occupancy.leave(row);
    const hasOtherTexts = this.labels.set(row, columnsOf(host));
    const hasOtherAmounts = this.#setAmounts(row, host);
    const isOther = this.#setWorth(row, host) || known === undefined || hasOtherTexts || hasOtherAmounts;
    if (host.ports.length > 0) this.#ports.set(row, new Map(host.ports.map((port) => [port, 1])));
    else this.#ports.delete(row);
    for (const placed of host.placed) this.occupancy.enter(placed, row);
    // Whoever has ranked hosts looks at this one again, or at all of them.
    if (isOther) this.generation += 1;
    else this.#logGain(row);
  }

  /** @returns whether a score of the host may be another one now */
  #setWorth(
    row: number,
    { costPerHour = Number.NaN, availability = 1, latencies = [] }: HostSnapshot,
  ): boolean {
    const isSame =
      Object.is(this.#costs[row], costPerHour) &&
      this.availability[row] === availability &&
      this.#hasLatencies(row, latencies);
    if (isSame) return false;
    this.#setCost(row, costPerHour);
    this.availability[row] = availability;
    this.hasAbsences ||= availability !== 1;
    if (latencies.length === 0) this.#latencies.delete(row);
    else
      this.#latencies.set(
        row,
        this.now === 0
          ? latencies
          : latencies.map((each) => ({ ...each, ageSeconds: each.ageSeconds - this.now })),
      );
    return true;
  }

  #hasLatencies(row: number, latencies: readonly LatencyMeasurement[]): boolean {
    const known = this.latencies(row);
    return (
      known.length === latencies.length &&
      latencies.every(({ to, p95Milliseconds, ageSeconds }, at) => {
        const before = known[at];
        return (
          before?.to === to &&
          before.p95Milliseconds === p95Milliseconds &&
          Math.abs(before.ageSeconds - (ageSeconds - this.now)) < SAME_AGE_SECONDS
        );
      })
    );
  }

  /** Forgets a host and what is placed there. */
  delete(hostId: HostId): void {
    this.#demandNothingBooked();
    const row = this.#rows.get(hostId);
    if (row === undefined) return;
    this.occupancy.leave(row);
    this.labels.set(row, {});
    this.present.put(row, false);
    this.#setCost(row, Number.NaN);
    this.#rows.delete(hostId);
    this.#ids[row] = undefined;
    this.#ports.delete(row);
    this.#latencies.delete(row);
    this.#vacant.push(row);
    this.generation += 1;
  }

  isPortTaken(row: number, port: FixedPort): boolean {
    const given = this.leniency?.freed.get(row) === port ? 1 : 0;
    return (this.#ports.get(row)?.get(port) ?? 0) > given;
  }

  /** One instance more, or with -1 one less. */
  book(functionId: VnfInstanceId, demand: UnitDemand, row: number, sign: 1 | -1): void {
    this.#enter({ functionId, demand, row, sign, isEviction: false });
  }

  /** One instance less, to make room for another function. */
  evict(functionId: VnfInstanceId, demand: UnitDemand, row: number): void {
    this.#enter({ functionId, demand, row, sign: -1, isEviction: true });
  }

  /** Where the log stands, for `rollback`. */
  mark(): number {
    return this.#bookings.length;
  }

  /** Takes back what was booked after the mark. @returns the rows that have more room now: whoever ranked them meanwhile has to learn of it */
  rollback(mark: number): readonly number[] {
    const roomier: number[] = [];
    for (let at = this.#bookings.length - 1; at >= mark; at -= 1) {
      const booking = this.#bookings[at];
      if (booking === undefined) continue;
      this.#apply(booking, booking.sign === 1 ? -1 : 1);
      if (booking.sign === 1) roomier.push(booking.row);
    }
    this.#bookings.length = mark;
    return roomier;
  }

  /** Tells whoever has ranked rows that these have more room than they had meanwhile, where a rollback told only whom it concerned. */
  tellGained(rows: readonly number[]): void {
    for (const row of rows) this.#logGain(row);
  }

  /** What was booked after the mark is so from here on. */
  settle(mark = 0): void {
    this.#bookings.length = mark;
  }

  bookings(mark = 0): readonly Booking[] {
    return mark === 0 ? this.#bookings : this.#bookings.slice(mark);
  }

  #enter(booking: Booking): void {
    this.#bookings.push(booking);
    this.#apply(booking, booking.sign);
    if (booking.sign === -1) this.#logGain(booking.row);
  }

  #logGain(row: number): void {
    if (this.gains.length >= MOST_GAINS) {
      this.gains.length = 0;
      this.cuts += 1;
    }
    this.gains.push(row);
  }

  #apply({ functionId, demand, row }: Booking, sign: 1 | -1): void {
    const { cpuMillis, memoryBytes, storageBytes, devices } = demand.resources;
    add(this.cpu.free, row, -sign * cpuMillis);
    add(this.memory.free, row, -sign * memoryBytes);
    add(this.storage.free, row, -sign * storageBytes);
    for (const name in devices) add(this.#device(name).free, row, -sign * (devices[name] ?? 0));
    for (const port of demand.fixedPorts) {
      const ports = this.#ports.get(row) ?? new Map<FixedPort, number>();
      this.#ports.set(row, ports);
      ports.set(port, (ports.get(port) ?? 0) + sign);
    }
    this.occupancy.count(functionId, demand, row, sign);
  }

  #setCost(row: number, costPerHour: number): void {
    const before = this.#costs[row] ?? Number.NaN;
    this.#costs[row] = costPerHour;
    if (costPerHour > this.dearest) this.dearest = costPerHour;
    else if (before > 0 && before === this.dearest && before !== costPerHour)
      this.dearest = this.#costs.reduce((most, cost) => (cost > most ? cost : most), 0);
  }

  /** @returns whether the host has other amounts, whatever is free of them */
  #setAmounts(row: number, { allocatable, used, uplink }: HostSnapshot): boolean {
    const bitsPerSecond = uplink?.bitsPerSecond ?? Infinity;
    let isOther = this.uplinks[row] !== bitsPerSecond;
    this.uplinks[row] = bitsPerSecond;
    const take = (amount: Amounts, all: number, taken: number): void => {
      isOther ||= amount.allocatable[row] !== all;
      set(amount, row, all, taken);
    };
    take(this.cpu, allocatable.cpuMillis, used.cpuMillis);
    take(this.memory, allocatable.memoryBytes, used.memoryBytes);
    take(this.storage, allocatable.storageBytes, used.storageBytes);
    for (const name of new Set([...this.devices.keys(), ...Object.keys(allocatable.devices ?? {})]))
      take(this.#device(name), deviceCount(allocatable.devices, name), deviceCount(used.devices, name));
    return isOther;
  }

  #device(name: string): Amounts {
    const known = this.devices.get(name);
    if (known !== undefined) return known;
    const fresh = amounts(this.cpu.free.length);
    this.devices.set(name, fresh);
    return fresh;
  }

  #newRow(id: HostId): number {
    const row = this.#vacant.pop() ?? this.#ids.length;
    const last = this.#ids.at(-1);
    this.#isSorted &&= row === this.#ids.length && (last === undefined || compareText(last, id) < 0);
    this.#ids[row] = id;
    this.#rows.set(id, row);
    this.#reserveRows(row + 1);
    this.present.put(row, true);
    return row;
  }

  #reserveRows(rows: number): void {
    if (rows <= this.#costs.length) return;
    const length = Math.max(rows, this.#costs.length * 2);
    for (const each of [this.cpu, this.memory, this.storage, ...this.devices.values()]) {
      each.allocatable = longer(each.allocatable, length);
      each.free = longer(each.free, length);
    }
    this.#costs = longer(this.#costs, length);
    this.uplinks = longer(this.uplinks, length);
    this.availability = longer(this.availability, length);
  }

  #demandNothingBooked(): void {
    if (this.#bookings.length > 0)
      throw new RangeError('a plan is being made; settle it or take it back first');
  }
}

function amounts(length: number): Amounts {
  return { allocatable: new Float64Array(length), free: new Float64Array(length) };
}

function longer(array: Float64Array, length: number): Float64Array {
  const result = new Float64Array(length);
  result.set(array);
  return result;
}

function add(array: Float64Array, row: number, amount: number): void {
  array[row] = (array[row] ?? 0) + amount;
}

function set(amount: Amounts, row: number, allocatable: number, used: number): void {
  amount.allocatable[row] = allocatable;
  amount.free[row] = allocatable - used;
}
