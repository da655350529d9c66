import type { HostId, VnfInstanceId } from '../../../kernel/index.ts';
import { wantedVnfcs } from '../../domain/index.ts';
import type { HostSnapshot, PlacementSnapshot } from '../../placement/index.ts';
import type { StateView } from '../../store/index.ts';
import type { FunctionCatalog } from '../function-catalog.ts';
import {
  addUse,
  newUse,
  roomTakenBy,
  snapshotHost,
  type HostUse,
  type WantedOverride,
} from '../snapshot-inventory.ts';

/**
 * The inventory as placement sees it, made of the whole store: what the kept one is held against. Every enrolled host that has told its facts, with what is wanted or set aside on it.
 */
export function snapshotInventory(
  state: StateView,
  catalog: FunctionCatalog,
  overrides: readonly WantedOverride[] = [],
): PlacementSnapshot {
  const uses = collectUse(state, catalog, overrides);
  const hosts: HostSnapshot[] = [];
  for (const { id } of state.list('host')) {
    const host = snapshotHost(state, id as HostId, uses.get(id as HostId), 0);
    if (host !== undefined) hosts.push(host);
  }
  return { hosts };
}

function collectUse(
  state: StateView,
  catalog: FunctionCatalog,
  overrides: readonly WantedOverride[],
): ReadonlyMap<HostId, HostUse> {
  const uses = new Map<HostId, HostUse>();
  const overridden = new Map<string, WantedOverride>(overrides.map((override) => [override.id, override]));
  for (const { id, document, tenant } of state.list('vnf-instance')) {
    const override = overridden.get(id);
    const taken = override === undefined ? roomTakenBy(document) : wantedVnfcs(override.wanted);
    for (const [hostId, copies] of Map.groupBy(taken, (copy) => copy.hostId)) {
      const use = uses.get(hostId) ?? newUse();
      uses.set(hostId, use);
      addUse(use, catalog, { id: id as VnfInstanceId, instance: document, tenant, copies });
    }
  }
  return uses;
}
