import type { VnfInstanceId } from '../../kernel/index.ts';
import type { Bits } from './bits.ts';
import { domainOf } from './domains.ts';
import type { HostIndex } from './host-index.ts';
import { besides } from './relations.ts';
import type { Flow, PlacementRequest } from './types.ts';

/**
 * What the ways out of zones have to carry. Nothing of it is booked: it follows from where the functions are that send to each other. What a function sends to
 * several instances of another one is shared out evenly among them; what stays on a host or in a zone takes no uplink.
 */
export interface WayOut {
  /** Whether the uplinks at both ends carry what one more instance on the row sends and gets. */
  has(row: number): boolean;
}

/** What the uplink of a row has left, bits per second; infinite where nothing is known of it. */
export function freeUplink(index: HostIndex, row: number): number {
  const capacity = index.uplinks[row] ?? Infinity;
  return capacity === Infinity ? Infinity : capacity - uplinkLoad(index, row);
}

function uplinkLoad(index: HostIndex, row: number): number {
  const { occupancy } = index;
  let load = 0;
  for (const functionId of occupancy.functionsOn(row)) {
    const instances = occupancy.rowsOf(functionId).get(row) ?? 0;
    for (const { to, bitsPerSecond } of occupancy.flowsOf(functionId))
      if (leavesZone(index, row, to)) load += instances * bitsPerSecond;
    load += inbound(index, functionId) / Math.max(1, occupancy.rowsOf(functionId).size);
  }
  return load;
}

function leavesZone(index: HostIndex, row: number, to: VnfInstanceId): boolean {
  const holders = index.occupancy.rowsOf(to);
  return holders.size > 0 && !besides(index, [...holders.keys()]).has(row);
}

/** What others send to a function from outside the zones where it is. */
function inbound(index: HostIndex, functionId: VnfInstanceId): number {
  return sourcesOf(index, functionId).reduce((total, { bitsPerSecond }) => total + bitsPerSecond, 0);
}

/** Undefined: the request sends nothing, and nobody sends to it. */
export function wayOutFor(index: HostIndex, request: PlacementRequest): WayOut | undefined {
  const { functionId, flows = [] } = request;
  if (flows.length === 0 && index.occupancy.consumersOf(functionId).size === 0) return undefined;
  let version = -1;
  let ends: Ends = { targets: [], sources: [], share: 1 };
  let free = new Map<number, number>();
  const freeAt = (row: number): number => {
    const known = free.get(row) ?? freeUplink(index, row);
    free.set(row, known);
    return known;
  };
  return {
    has(row) {
      if (version !== index.occupancy.version) {
        version = index.occupancy.version;
        ends = endsOf(index, functionId, flows);
        free = new Map();
      }
      for (const [at, bitsPerSecond] of neededAt(index, row, ends))
        if (bitsPerSecond > freeAt(at)) return false;
      return true;
    },
  };
}

/** Who is at the other ends of what an instance sends and gets, as things are. */
interface Ends {
  readonly targets: readonly Target[];
  readonly sources: readonly Source[];
  /** Among so many what is sent to the function is shared out, with the one more. */
  readonly share: number;
}

interface Target {
  readonly bitsPerSecond: number;
  readonly holders: readonly number[];
  readonly beside: Bits;
}

interface Source {
  readonly row: number;
  readonly bitsPerSecond: number;
  /** It has to find room for it: nobody was there to send to. */
  readonly isNew: boolean;
}

function endsOf(index: HostIndex, functionId: VnfInstanceId, flows: readonly Flow[]): Ends {
  const { occupancy } = index;
  const targets = flows.flatMap(({ to, bitsPerSecond }) => {
    const holders = [...occupancy.rowsOf(to).keys()];
    return holders.length === 0 ? [] : [{ bitsPerSecond, holders, beside: besides(index, holders) }];
  });
  return { targets, sources: sourcesOf(index, functionId), share: occupancy.rowsOf(functionId).size + 1 };
}

/** Who sends to the function from outside the zones where it is. */
function sourcesOf(index: HostIndex, functionId: VnfInstanceId): readonly Source[] {
  const { occupancy } = index;
  const isNew = occupancy.rowsOf(functionId).size === 0;
  const sources: Source[] = [];
  for (const consumer of occupancy.consumersOf(functionId))
    for (const { to, bitsPerSecond } of occupancy.flowsOf(consumer))
      for (const [row, instances] of to === functionId ? occupancy.rowsOf(consumer) : [])
        if (isNew || leavesZone(index, row, functionId))
          sources.push({ row, bitsPerSecond: instances * bitsPerSecond, isNew });
  return sources;
}

/** What the uplinks have to carry more with one more instance on the row, by row. */
function neededAt(
  index: HostIndex,
  row: number,
  { targets, sources, share }: Ends,
): ReadonlyMap<number, number> {
  const needs = new Map<number, number>();
  const add = (at: number, bitsPerSecond: number): void =>
    void needs.set(at, (needs.get(at) ?? 0) + bitsPerSecond);
  for (const { bitsPerSecond, holders, beside } of targets) {
    if (beside.has(row)) continue;
    add(row, bitsPerSecond);
    for (const holder of holders) add(holder, bitsPerSecond / holders.length);
  }
  const zone = domainOf(index, row, 'zone');
  for (const source of sources) {
    if (source.row === row || (zone !== 0 && domainOf(index, source.row, 'zone') === zone)) continue;
    add(row, source.bitsPerSecond / share);
    if (source.isNew) add(source.row, source.bitsPerSecond);
  }
  return needs;
}
