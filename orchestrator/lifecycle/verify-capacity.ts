import { IotmanoError, type HostId } from '../../kernel/index.ts';
import type { StateView } from '../store/index.ts';
import type { FunctionCatalog } from './function-catalog.ts';
import { snapshotInventory, type WantedOverrides } from './snapshot-inventory.ts';

/**
 * The last look before a plan is committed: with it, does everything still fit on the hosts that it adds to?
 * Whatever the plan was made from, a host is never promised twice.
 * @throws IotmanoError `no-host-fits`
 */
export function verifyCapacity(
  state: StateView,
  catalog: FunctionCatalog,
  plan: WantedOverrides,
  hosts: readonly HostId[],
): void {
  if (hosts.length === 0) return;
  for (const host of snapshotInventory(state, catalog, plan).hosts) {
    if (!hosts.includes(host.hostId)) continue;
    const short = (['memoryBytes', 'cpuMillis', 'storageBytes'] as const).find(
      (resource) => host.used[resource] > host.allocatable[resource],
    );
    if (short !== undefined)
      throw new IotmanoError('no-host-fits', `host ${host.hostId} has no room left (${short})`, {
        hostId: host.hostId,
        used: host.used[short],
        allocatable: host.allocatable[short],
      });
  }
}
