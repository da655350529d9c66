import type { HostId } from '../../kernel/index.ts';
import { matchesLabels, parseExpression } from '../../descriptors/index.ts';
import { hostLabels, type AgentUpgradeDocument } from '../domain/index.ts';
import type { Inventory } from '../inventory/index.ts';
import type { HeldFor } from '../lifecycle/index.ts';
import type { StateView, StoredRecord } from '../store/index.ts';
import { orderIdOf, standingOf, type UpgradeHost } from './host-standing.ts';

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
  const matches = selectorOf(document.policy.select);
  const hosts: UpgradeHost[] = [];
  for (const host of state.list('host')) {
    if (host.document.vimId !== undefined) continue;
    const hostId = host.id as HostId;
    const facts = state.get('host-facts', hostId)?.document;
    const labels = facts === undefined ? { host: hostId } : hostLabels(hostId, facts);
    if (!matches(labels)) continue;
    const isOrdered = state.get('agent-order', hostId)?.document.orderId === orderId;
    const isHeard = inventory.hasLease(hostId);
    const held = heldFor.milliseconds(id, hostId, `${orderId} ${isOrdered && isHeard}`);
    const isOverdue = isOrdered && isHeard && held > document.policy.giveUpAfterSeconds * 1000;
    const standing = standingOf(document, orderId, { facts, isOrdered, isHeard, isOverdue });
    hosts.push({ hostId, labels, version: facts?.agentVersion ?? '', ...standing });
  }
  return hosts;
}

function selectorOf(
  select: AgentUpgradeDocument['policy']['select'],
): (labels: UpgradeHost['labels']) => boolean {
  if (select === undefined) return () => true;
  const { expression } = parseExpression(select);
  return (labels) => expression !== undefined && matchesLabels(expression, labels);
}
