import type { VnfInstanceId } from '../../kernel/index.ts';
import type { Bits } from './bits.ts';
import { domainOf } from './domains.ts';
import type { HostIndex } from './host-index.ts';
import { besides } from './relations.ts';
import type { PlacementRequest } from './types.ts';

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
  let total = 0;
  for (const consumer of index.occupancy.consumersOf(functionId))
    for (const { to, bitsPerSecond } of index.occupancy.flowsOf(consumer))
      if (to === functionId)
        for (const [row, instances] of index.occupancy.rowsOf(consumer))
          if (leavesZone(index, row, functionId)) total += instances * bitsPerSecond;
  return total;
}

/** Undefined: the request sends nothing, and nobody sends to it. */
export function wayOutFor(index: HostIndex, request: PlacementRequest): WayOut | undefined {
  const { functionId, flows = [] } = request;
  if (flows.length === 0 && index.occupancy.consumersOf(functionId).size === 0) return undefined;
  let version = -1;
  let targets: readonly Target[] = [];
  let sources: readonly Source[] = [];
  let share = 1;
  return {
    has(row) {
      if (version !== index.occupancy.version) {
        version = index.occupancy.version;
        targets = flows.flatMap((flow) => targetOf(index, flow));
        sources = sourcesOf(index, functionId);
        share = index.occupancy.rowsOf(functionId).size + 1;
      }
      return canSend(index, row, targets) && canBeSentTo(index, row, sources, share);
    },
  };
}

interface Target {
  readonly bitsPerSecond: number;
  readonly beside: Bits;
  /** Whether where it is has room for its share of one more sender. */
  readonly hasRoom: boolean;
}

function targetOf(
  index: HostIndex,
  { to, bitsPerSecond }: { readonly to: VnfInstanceId; readonly bitsPerSecond: number },
): readonly Target[] {
  const holders = [...index.occupancy.rowsOf(to).keys()];
  if (holders.length === 0) return [];
  const hasRoom = holders.every((row) => freeUplink(index, row) >= bitsPerSecond / holders.length);
  return [{ bitsPerSecond, beside: besides(index, holders), hasRoom }];
}

function canSend(index: HostIndex, row: number, targets: readonly Target[]): boolean {
  let total = 0;
  for (const { bitsPerSecond, beside, hasRoom } of targets) {
    if (beside.has(row)) continue;
    if (!hasRoom) return false;
    total += bitsPerSecond;
  }
  return total === 0 || freeUplink(index, row) >= total;
}

interface Source {
  readonly row: number;
  readonly bitsPerSecond: number;
  /** It has to find room for it: nobody was there to send to. */
  readonly isNew: boolean;
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

function canBeSentTo(index: HostIndex, row: number, sources: readonly Source[], share: number): boolean {
  if (sources.length === 0) return true;
  const zone = domainOf(index, row, 'zone');
  let total = 0;
  const needs = new Map<number, number>();
  for (const source of sources) {
    if (source.row === row || (zone !== 0 && domainOf(index, source.row, 'zone') === zone)) continue;
    total += source.bitsPerSecond;
    if (source.isNew) needs.set(source.row, (needs.get(source.row) ?? 0) + source.bitsPerSecond);
  }
  if (total / share > freeUplink(index, row)) return false;
  for (const [at, need] of needs) if (freeUplink(index, at) < need) return false;
  return true;
}
