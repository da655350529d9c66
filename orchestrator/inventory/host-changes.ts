import {
  IotmanoError,
  SYSTEM_TENANT,
  toTimestamp,
  type Clock,
  type HostId,
  type TenantId,
} from '../../kernel/index.ts';
import type { HostDocument, Taint } from '../domain/index.ts';
import type { StateStore, StateView, StoredRecord, Write } from '../store/index.ts';
import { clearAlarm } from './host-alarms.ts';
import { applyHostEvent, setDraining } from './host-events.ts';
import type { SessionIndex } from './session-index.ts';
import { confirmState, isStateConfirmed } from './state-ids.ts';
import { refuseVim } from './vim-hosts.ts';

/** What an operator may change of a host. */
export interface HostModifications {
  readonly draining?: boolean;
  /** Nothing is placed there anew; what is there stays. */
  readonly cordoned?: boolean;
  /** Settles a dispute: the other machine has been switched off. */
  readonly disputed?: false;
  /** The host may take orders from the store's present state. */
  readonly stateConfirmed?: true;
  /** The silent host is given up now, brake or not. */
  readonly givenUp?: true;
  /** Takes all trust from its key, at once and for ever. */
  readonly revoked?: true;
  /** All of them; null: none. */
  readonly taints?: readonly Taint[] | null;
  /** In the currency of the installation; null: not known. */
  readonly costPerHour?: number | null;
}

/** Hosts belong to the tenant `system`; who uses them sees those that serve it. */
export function isVisible(host: HostDocument, tenant: TenantId): boolean {
  return tenant === SYSTEM_TENANT || host.tenants.length === 0 || host.tenants.includes(tenant);
}

/** @throws IotmanoError `not-found` */
export function requireVisibleHost(state: StateView, hostId: string, tenant: TenantId): StoredRecord<'host'> {
  const host = state.get('host', hostId);
  if (host === undefined || !isVisible(host.document, tenant))
    throw new IotmanoError('not-found', `there is no host ${hostId}; list them to see which there are`);
  return host;
}

export function countAssignments(state: StateView, hostId: HostId): number {
  let count = 0;
  for (const _record of state.listByPrefix('assignment', `${hostId}.`)) count += 1;
  return count;
}

/** All changes of one request, in one commit or not at all. @throws IotmanoError `conflict`, `illegal-transition` */
export function modifyHost(
  store: StateStore,
  clock: Clock,
  sessions: SessionIndex,
  host: StoredRecord<'host'>,
  changes: HostModifications,
): void {
  const hostId = host.id as HostId;
  if (changes.revoked === true) refuseVim(host);
  const { document, cleared } = changedHost(host, changes, store, clock.now());
  store.commit([
    ...(changes.revoked === true ? sessions.endings(hostId, () => true) : []),
    { op: 'update', kind: 'host', id: hostId, expectedRevision: host.revision, document },
    ...cleared.flatMap((name) => clearAlarm(store, name, { hostId }, clock.now())),
  ]);
  sessions.refresh(hostId);
}

function changedHost(
  host: StoredRecord<'host'>,
  { draining, disputed, stateConfirmed, givenUp, revoked, ...stated }: HostModifications,
  store: StateStore,
  now: number,
): { readonly document: HostDocument; readonly cleared: ('host-disputed' | 'state-id-changed')[] } {
  const hostId = host.id as HostId;
  let { document } = host;
  const cleared: ('host-disputed' | 'state-id-changed')[] = [];
  if (disputed === false && document.disputed) {
    document = { ...applyHostEvent(document, 'settle', hostId, now), boots: [] };
    cleared.push('host-disputed');
  }
  if (stateConfirmed === true && !isStateConfirmed(document, store.stateId)) {
    document = confirmState(document, store.stateId, now);
    cleared.push('state-id-changed');
  }
  if (givenUp === true && document.state !== 'LOST')
    document = applyHostEvent(document, 'givenUp', hostId, now);
  if (revoked === true && document.revokedAt === undefined)
    document = { ...document, revokedAt: toTimestamp(now) };
  document = withStated(document, stated);
  if (draining !== undefined) document = setDraining(document, draining, hostId, now);
  return { document, cleared };
}

/** What an operator says of a host and no program can find out. */
function withStated(
  document: HostDocument,
  { taints, costPerHour, cordoned }: Pick<HostModifications, 'taints' | 'costPerHour' | 'cordoned'>,
): HostDocument {
  const { taints: oldTaints, costPerHour: oldCost, cordoned: wasCordoned = false, ...rest } = document;
  const newTaints = taints === undefined ? oldTaints : (taints ?? []);
  const newCost = costPerHour === undefined ? oldCost : (costPerHour ?? undefined);
  return {
    ...rest,
    ...(newTaints === undefined || newTaints.length === 0 ? {} : { taints: newTaints }),
    ...(newCost === undefined ? {} : { costPerHour: newCost }),
    ...((cordoned ?? wasCordoned) ? { cordoned: true } : {}),
  };
}

const HOST_ALARMS = ['host-lost', 'host-disputed', 'state-id-changed', 'vim-unreachable'] as const;

/**
 * Forgets a host that nothing is assigned to: its identity, facts, sessions and what it reported.
 * @param alongside goes into the same commit
 * @throws IotmanoError `conflict` where something is assigned to it
 */
export function forgetHost(
  store: StateStore,
  clock: Clock,
  sessions: SessionIndex,
  host: StoredRecord<'host'>,
  alongside: readonly Write[] = [],
): void {
  const hostId = host.id as HostId;
  const assigned = countAssignments(store, hostId);
  if (assigned > 0) {
    throw new IotmanoError(
      'conflict',
      `${assigned} workloads are still assigned to host ${hostId}; drain it, or terminate its functions, then repeat`,
    );
  }
  store.commit([
    { op: 'delete', kind: 'host', id: hostId, expectedRevision: host.revision },
    ...statementDeletions(store, hostId),
    ...observedDeletions(store, hostId),
    ...sessions.endings(hostId, () => true),
    ...HOST_ALARMS.flatMap((name) => clearAlarm(store, name, { hostId }, clock.now())),
    ...alongside,
  ]);
  sessions.refresh(hostId);
}

/** What the host has said of itself, and was told of its agent. */
function statementDeletions(state: StateView, hostId: HostId): Write[] {
  return (['host-facts', 'host-applied', 'agent-order'] as const).flatMap((kind): Write[] => {
    const record = state.get(kind, hostId);
    return record === undefined
      ? []
      : [{ op: 'delete', kind, id: hostId, expectedRevision: record.revision }];
  });
}

function observedDeletions(state: StateView, hostId: HostId): Write[] {
  return (['observed', 'schedule'] as const).flatMap((kind) =>
    [...state.listByPrefix(kind, `${hostId}.`)].map(({ id, revision }): Write => ({
      op: 'delete',
      kind,
      id,
      expectedRevision: revision,
    })),
  );
}
