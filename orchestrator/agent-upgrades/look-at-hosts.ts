import type { Inventory } from '../inventory/index.ts';
import type { HeldFor } from '../lifecycle/index.ts';
import type { StateView, StoredRecord } from '../store/index.ts';
import { orderIdOf, standingOf, type UpgradeHost } from './host-standing.ts';
import { selectHosts } from './select-hosts.ts';

export interface HostLook {
  readonly state: StateView;
  readonly inventory: Pick<Inventory, 'hasLease'>;
  /** For how long hosts have been heard with an order; a new leader counts anew. */
  readonly heldFor: HeldFor;
}

/** The hosts that an upgrade is about, by id, as they are now. */
export function lookAtHosts(
  { state, inventory, heldFor }: HostLook,
  { id, document }: Pick<StoredRecord<'agent-upgrade'>, 'id' | 'document'>,
): readonly UpgradeHost[] {
  const orderId = orderIdOf(id, document);
  const hosts: UpgradeHost[] = [];
  for (const { hostId, labels, facts, revokedAt } of selectHosts(state, document.policy.select)) {
    const isOrdered = state.get('agent-order', hostId)?.document.orderId === orderId;
    const isHeard = inventory.hasLease(hostId);
    const held = heldFor.milliseconds(id, hostId, `${orderId} ${isOrdered && isHeard}`);
    const isOverdue = isOrdered && isHeard && held > document.policy.giveUpAfterSeconds * 1000;
    const standing = standingOf(document, orderId, {
      facts,
      revokedAt,
      isOrdered,
      isHeard,
      isOverdue,
    });
    hosts.push({ hostId, labels, version: facts?.agentVersion ?? '', ...standing });
  }
  return hosts;
}
