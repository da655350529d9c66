import type { HostId } from '../../kernel/index.ts';
import type { Tier } from '../../descriptors/index.ts';
import type { HostIndex } from '../../orchestrator/placement/index.ts';
import type { Fleet } from '../world/fleet.ts';

/** What is promised of the hosts that are up, as shares of what there is. */
export interface Shares {
  /** Of all hosts together. */
  readonly mean: number;
  /** Of the host that 95 % of the hosts do not exceed. */
  readonly p95: number;
  /** Of the fullest. */
  readonly max: number;
}

export interface Utilisation {
  readonly cpu: Shares;
  readonly memory: Shares;
  /** Of CPU, and of memory, of all hosts of a tier together. */
  readonly tiers: Readonly<Partial<Record<Tier, { readonly cpu: number; readonly memory: number }>>>;
}

interface Sum {
  used: number;
  there: number;
}

export function measureUtilisation(
  index: HostIndex,
  fleet: Fleet,
  isUp: (hostId: HostId) => boolean,
): Utilisation {
  const cpu = collect(index.cpu, index, fleet, isUp);
  const memory = collect(index.memory, index, fleet, isUp);
  const tiers = Object.fromEntries(
    [...cpu.tiers].map(([tier, sum]) => [
      tier,
      { cpu: shareOf(sum), memory: shareOf(memory.tiers.get(tier) ?? { used: 0, there: 0 }) },
    ]),
  );
  return { cpu: cpu.shares, memory: memory.shares, tiers };
}

function collect(
  { free, allocatable }: HostIndex['cpu'],
  index: HostIndex,
  fleet: Fleet,
  isUp: (hostId: HostId) => boolean,
): { readonly shares: Shares; readonly tiers: ReadonlyMap<Tier, Sum> } {
  const tiers = new Map<Tier, Sum>();
  const all = { used: 0, there: 0 };
  const shares: number[] = [];
  for (const { hostId, tier } of fleet.hosts) {
    const row = index.rowOf(hostId);
    if (row === undefined || !isUp(hostId)) continue;
    const there = allocatable[row] ?? 0;
    const used = there - (free[row] ?? 0);
    const sum = tiers.get(tier) ?? { used: 0, there: 0 };
    tiers.set(tier, sum);
    for (const each of [all, sum]) {
      each.used += used;
      each.there += there;
    }
    shares.push(there === 0 ? 0 : used / there);
  }
  const sorted = Float64Array.from(shares).toSorted();
  const p95 = sorted[Math.max(0, Math.ceil(sorted.length * 0.95) - 1)] ?? 0;
  return { shares: { mean: shareOf(all), p95, max: sorted.at(-1) ?? 0 }, tiers };
}

function shareOf({ used, there }: Sum): number {
  return there === 0 ? 0 : used / there;
}
