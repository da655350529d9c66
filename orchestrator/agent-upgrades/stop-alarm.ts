import { SYSTEM_TENANT, toTimestamp } from '../../kernel/index.ts';
import { alarmId, clearedAlarm, isStanding, type AlarmDocument } from '../domain/index.ts';
import type { StateView, StoredRecord, Write } from '../store/index.ts';

const NAME = 'agent-upgrade-stopped';
/** One upgrade is open at a time, hence one alarm. */
const ID = alarmId(NAME);

/** An upgrade that has stopped by itself waits for somebody. */
export function raiseStopped(
  { id, document }: StoredRecord<'agent-upgrade'>,
  reason: string,
  epochMilliseconds: number,
): Write {
  const now = toTimestamp(epochMilliseconds);
  const alarm: AlarmDocument = {
    source: { agentUpgradeId: id },
    name: NAME,
    severity: 'MAJOR',
    text: `the upgrade of agents to ${document.version} has stopped: ${reason}; see it (iotmano agent upgrades show), then let it go on or end it (iotmano agent upgrade --retry, or --fail)`,
    raisedAt: now,
    changedAt: now,
  };
  return { op: 'put', kind: 'alarm', id: ID, tenant: SYSTEM_TENANT, document: alarm };
}

/** Somebody has seen to it. None where no alarm stands. */
export function clearStopped(state: StateView, epochMilliseconds: number): readonly Write[] {
  const known = state.get('alarm', ID)?.document;
  if (!isStanding(known)) return [];
  const document = clearedAlarm(known, toTimestamp(epochMilliseconds));
  return [{ op: 'put', kind: 'alarm', id: ID, tenant: SYSTEM_TENANT, document }];
}
