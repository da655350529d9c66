import { COLUMNS } from './host-columns.ts';
import type { HostIndex } from './host-index.ts';
import type { Rejection } from './rejection.ts';
import type { PlacementRequest, UnitDemand } from './types.ts';
import { wayOutFor } from './uplinks.ts';

/** Whether a row has room for one more instance now. */
export interface Room {
  has(row: number): boolean;
  /** Keeps of the first so many rows of the list those that have, in their order. @returns how many they are */
  sift(rows: Int32Array, count: number): number;
  /** What is lacking; undefined: nothing is. */
  lack(row: number): Rejection | undefined;
  /** All that is lacking. */
  lacks(row: number): readonly Rejection[];
  /** Share of the scarcer of CPU and memory that would stay free, in steps of a 32nd: hosts that differ by less are equals, and stay so for a while. */
  freeShare(row: number): number;
  /** The same of many rows. */
  freeShares(rows: Int32Array, count: number, into: Float64Array): void;
}

const SHARE_STEPS = 32;

export function roomFor(index: HostIndex, request: PlacementRequest, demand: UnitDemand): Room {
  const { cpuMillis, memoryBytes, storageBytes, devices = {} } = demand.resources;
  const { cpu, memory, storage } = index;
  const wayOut = wayOutFor(index, request);
  const wanted = Object.entries(devices).filter(([, count]) => count > 0);
  const reserves = Object.values(index.reserves).some((share) => share > 0) && request.usesReserve !== true;
  const reserved = (row: number): number =>
    reserves ? (index.reserves[index.labels.text(row, COLUMNS.tier) as keyof typeof index.reserves] ?? 0) : 0;
  const left = ({ free, allocatable }: typeof cpu, row: number): number =>
    (free[row] ?? 0) - (reserves ? reserved(row) * (allocatable[row] ?? 0) : 0);
  const deviceFree = (name: string, row: number): number => index.devices.get(name)?.free[row] ?? 0;

  const short = (
    name: string,
    resource: 'cpuMillis' | 'memoryBytes' | 'storageBytes' | 'devices',
    needed: number,
    free: number,
  ): Rejection => ({
    text: `lack ${name}`,
    short: { resource, needed, free: Math.max(0, free) },
  });

  function* lacks(row: number): Generator<Rejection, undefined> {
    for (const port of demand.fixedPorts)
      if (index.isPortTaken(row, port)) yield { text: `have port ${port} in use` };
    for (const [name, count] of wanted)
      if (deviceFree(name, row) < count) yield short(name, 'devices', count, deviceFree(name, row));
    if (left(memory, row) < memoryBytes) yield short('memory', 'memoryBytes', memoryBytes, left(memory, row));
    if (left(cpu, row) < cpuMillis) yield short('CPU', 'cpuMillis', cpuMillis, left(cpu, row));
    const storageFree = storage.free[row] ?? 0;
    if (storageBytes > 0 && storageFree < storageBytes)
      yield short('storage', 'storageBytes', storageBytes, storageFree);
    if (wayOut !== undefined && !wayOut.has(row))
      yield { text: 'lack bandwidth on the way to what it talks to' };
    return undefined;
  }

  const hasRest = (row: number): boolean => {
    if (reserves && (left(memory, row) < memoryBytes || left(cpu, row) < cpuMillis)) return false;
    if (storageBytes > 0 && (storage.free[row] ?? 0) < storageBytes) return false;
    for (const port of demand.fixedPorts) if (index.isPortTaken(row, port)) return false;
    for (const [name, count] of wanted) if (deviceFree(name, row) < count) return false;
    return wayOut === undefined || wayOut.has(row);
  };

  return {
    has: (row) => (memory.free[row] ?? 0) >= memoryBytes && (cpu.free[row] ?? 0) >= cpuMillis && hasRest(row),
    sift(rows, count) {
      const { free: freeMemory } = memory;
      const { free: freeCpu } = cpu;
      let kept = 0;
      for (let at = 0; at < count; at += 1) {
        const row = rows[at] ?? 0;
        if ((freeMemory[row] ?? 0) < memoryBytes || (freeCpu[row] ?? 0) < cpuMillis || !hasRest(row))
          continue;
        rows[kept] = row;
        kept += 1;
      }
      return kept;
    },
    lack: (row) => lacks(row).next().value,
    lacks: (row) => [...lacks(row)],
    freeShare: (row) => lesserShare(cpu, cpuMillis, memory, memoryBytes, row),
    freeShares(rows, count, into) {
      for (let at = 0; at < count; at += 1)
        into[at] = lesserShare(cpu, cpuMillis, memory, memoryBytes, rows[at] ?? 0);
    },
  };
}

interface Amounts {
  readonly free: Float64Array;
  readonly allocatable: Float64Array;
}

function lesserShare(
  cpu: Amounts,
  cpuMillis: number,
  memory: Amounts,
  memoryBytes: number,
  row: number,
): number {
  const cpuShare = share((cpu.free[row] ?? 0) - cpuMillis, cpu.allocatable[row] ?? 0);
  const memoryShare = share((memory.free[row] ?? 0) - memoryBytes, memory.allocatable[row] ?? 0);
  return Math.floor(Math.min(cpuShare, memoryShare) * SHARE_STEPS) / SHARE_STEPS;
}

function share(part: number, whole: number): number {
  return whole <= 0 ? 0 : part / whole;
}
