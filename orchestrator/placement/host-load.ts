import type { HostIndex } from './host-index.ts';

/** Share that is used of the scarcer of CPU and memory; a host that has neither is full. */
export function loadOf({ cpu, memory }: HostIndex, row: number): number {
  return Math.max(usedShare(cpu, row), usedShare(memory, row));
}

/** How many instances each row holds that holds any. */
export function instancesByRow({ occupancy }: HostIndex): ReadonlyMap<number, number> {
  const instances = new Map<number, number>();
  for (const { rows } of occupancy.functions.values())
    for (const [row, count] of rows) instances.set(row, (instances.get(row) ?? 0) + count);
  return instances;
}

/** READY hosts, which are what loads are compared over. */
export function readyRows(index: HostIndex): readonly number[] {
  const rows: number[] = [];
  index.present.forEach((row) => {
    if (index.isReady(row) && !index.isLost(row)) rows.push(row);
  });
  return rows;
}

export function meanLoad(index: HostIndex, rows: readonly number[]): number {
  return rows.length === 0 ? 0 : rows.reduce((total, row) => total + loadOf(index, row), 0) / rows.length;
}

/** Standard deviation of the load over READY hosts. */
export function loadSpread(index: HostIndex): number {
  const rows = readyRows(index);
  const mean = meanLoad(index, rows);
  const squares = rows.reduce((total, row) => total + (loadOf(index, row) - mean) ** 2, 0);
  return rows.length === 0 ? 0 : Math.sqrt(squares / rows.length);
}

function usedShare({ free, allocatable }: HostIndex['cpu'], row: number): number {
  const all = allocatable[row] ?? 0;
  return all <= 0 ? 1 : (all - (free[row] ?? 0)) / all;
}
