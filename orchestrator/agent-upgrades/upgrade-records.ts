import { toTimestamp, transition } from '../../kernel/index.ts';
import {
  AGENT_UPGRADE,
  type AgentUpgradeDocument,
  type AgentUpgradeEvent,
  type AgentUpgradeState,
} from '../domain/index.ts';
import type { StateView, StoredRecord, Write } from '../store/index.ts';

/** The upgrade that is not over, of which there is one at most. */
export function openUpgrade(state: StateView): StoredRecord<'agent-upgrade'> | undefined {
  return [...state.list('agent-upgrade')].find(
    ({ document }) => document.state === 'PROCESSING' || document.state === 'FAILED_TEMP',
  );
}

/** Why an upgrade stands still. */
export function problemOf(detail: string): NonNullable<AgentUpgradeDocument['error']> {
  return { status: 409, title: 'The upgrade has stopped', detail: detail.slice(0, 2000), code: 'conflict' };
}

/** @throws IotmanoError `illegal-transition` */
export function moveUpgrade(
  { id, document }: StoredRecord<'agent-upgrade'>,
  event: AgentUpgradeEvent,
  now: number,
): AgentUpgradeDocument {
  const state = transition<AgentUpgradeState, AgentUpgradeEvent>(
    AGENT_UPGRADE,
    document.state,
    event,
    `upgrade of agents ${id}`,
  );
  const { error: _error, ...rest } = document;
  return { ...rest, state, stateEnteredTime: toTimestamp(now) };
}

/** Refused at the commit where the record has changed meanwhile. */
export function updateUpgrade(
  { id, revision }: StoredRecord<'agent-upgrade'>,
  document: AgentUpgradeDocument,
): Write {
  return { op: 'update', kind: 'agent-upgrade', id, expectedRevision: revision, document };
}

/** Takes back what hosts were told of an upgrade: those that have not begun keep their version. */
export function withdrawnOrders(
  state: StateView,
  agentUpgradeId: string,
  isMeant: (hostId: string) => boolean,
): readonly Write[] {
  return [...state.list('agent-order')]
    .filter(({ id, document }) => document.agentUpgradeId === agentUpgradeId && isMeant(id))
    .map(({ id, revision }) => ({ op: 'delete', kind: 'agent-order', id, expectedRevision: revision }));
}
