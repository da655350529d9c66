import { SYSTEM_TENANT, toTimestamp, type HostId } from '../../kernel/index.ts';
import type { AgentOrderDocument } from '../domain/index.ts';
import type { StateView, StoredRecord, Write } from '../store/index.ts';
import { orderIdOf, type Standing, type UpgradeHost } from './host-standing.ts';
import type { UpgradeStep } from './plan-upgrade.ts';
import { raiseStopped } from './stop-alarm.ts';
import { moveUpgrade, problemOf, updateUpgrade, withdrawnOrders } from './upgrade-records.ts';

/** What a step changes: the upgrade, the orders of hosts, and the alarm of one that stops. Pure. */
export function writesOf(
  state: StateView,
  record: StoredRecord<'agent-upgrade'>,
  step: UpgradeStep,
  hosts: readonly UpgradeHost[],
  now: number,
): readonly Write[] {
  const { id, document } = record;
  const { bakingSince: _bakingSince, ...rest } = document;
  switch (step.type) {
    case 'wait':
      return [];
    case 'order':
      return step.hosts.map((hostId) => orderFor(record, hostId, toTimestamp(now)));
    case 'bake':
      return [updateUpgrade(record, { ...rest, bakingSince: toTimestamp(now) })];
    case 'next-wave':
      return [updateUpgrade(record, { ...rest, wavesDone: document.wavesDone + 1 })];
    case 'complete': {
      // Hosts that are away get the version when they are back.
      const away = idsOf(hosts, 'AWAY');
      return [
        updateUpgrade(record, moveUpgrade(record, 'complete', now)),
        ...withdrawnOrders(state, id, (hostId) => !away.has(hostId)),
      ];
    }
    case 'stop': {
      const moved = moveUpgrade(record, 'failTemporarily', now);
      const upgraded = idsOf(hosts, 'UPGRADED');
      return [
        updateUpgrade(record, { ...moved, error: problemOf(step.reason) }),
        raiseStopped(record, step.reason, now),
        ...withdrawnOrders(state, id, (hostId) => !upgraded.has(hostId)),
      ];
    }
  }
}

function idsOf(hosts: readonly UpgradeHost[], standing: Standing): ReadonlySet<string> {
  return new Set(hosts.filter((host) => host.standing === standing).map(({ hostId }) => hostId));
}

function orderFor({ id, document }: StoredRecord<'agent-upgrade'>, hostId: HostId, orderedAt: string): Write {
  const { artifact, version, policy } = document;
  const order: AgentOrderDocument = {
    agentUpgradeId: id,
    orderId: orderIdOf(id, document),
    version,
    artifact: {
      ...artifact,
      ...(policy.bitsPerSecond === undefined ? {} : { bitsPerSecond: policy.bitsPerSecond }),
    },
    confirmWithinSeconds: policy.confirmWithinSeconds,
    orderedAt,
  };
  return { op: 'put', kind: 'agent-order', id: hostId, tenant: SYSTEM_TENANT, document: order };
}
