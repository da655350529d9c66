import { IotmanoError, type HostId } from '../../kernel/index.ts';
import { wantedVnfcs, type WantedUnit } from '../domain/index.ts';
import type { StateView } from '../store/index.ts';
import type { InventoryIndex } from './inventory-index.ts';
import { claimOf, type WantedOverride } from './snapshot-inventory.ts';

/** What a commit wants of one function; the function itself may come with the same commit. */
export type Claim = WantedOverride;

/**
 * The last look before a plan is committed: with it, does everything still fit on the hosts that it adds to?
 * Whatever the plan was made from, a host is never promised twice.
 * @throws IotmanoError `no-host-fits`
 */
export function verifyCapacity(state: StateView, inventory: InventoryIndex, claims: readonly Claim[]): void {
  const added = new Set(claims.flatMap((claim) => growingHosts(state, claim)));
  if (added.size === 0) return;
  inventory.look((index) => {
    for (const hostId of added) {
      const row = index.rowOf(hostId);
      if (row === undefined) continue;
      const amounts = {
        memoryBytes: index.memory,
        cpuMillis: index.cpu,
        storageBytes: index.storage,
        ...Object.fromEntries(index.devices),
      };
      for (const [short, { free, allocatable }] of Object.entries(amounts)) {
        const [left, all] = [free[row] ?? 0, allocatable[row] ?? 0];
        if (left < 0)
          throw new IotmanoError('no-host-fits', `host ${hostId} has no room left (${short})`, {
            hostId,
            used: all - left,
            allocatable: all,
          });
      }
    }
  }, claims);
}

/** Hosts that get more copies than they have. */
function growingHosts(state: StateView, { id, wanted }: Claim): readonly HostId[] {
  const current = state.get('vnf-instance', id)?.document;
  const before = copiesByHost(current === undefined ? [] : claimOf(current));
  return [...copiesByHost(wanted)]
    .filter(([hostId, copies]) => copies > (before.get(hostId) ?? 0))
    .map(([hostId]) => hostId);
}

function copiesByHost(wanted: readonly WantedUnit[]): ReadonlyMap<HostId, number> {
  const copies = new Map<HostId, number>();
  for (const { hostId } of wantedVnfcs(wanted)) copies.set(hostId, (copies.get(hostId) ?? 0) + 1);
  return copies;
}
