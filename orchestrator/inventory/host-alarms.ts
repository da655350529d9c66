import { SYSTEM_TENANT, toTimestamp, type HostId } from '../../kernel/index.ts';
import { alarmId, clearedAlarm, isStanding, type AlarmDocument } from '../domain/index.ts';
import type { StateView, Write } from '../store/index.ts';

/** What the inventory raises alarms about. */
export type InventoryAlarm =
  'host-lost' | 'host-disputed' | 'state-id-changed' | 'network-suspected' | 'vim-unreachable';

type AlarmSource = { readonly hostId: HostId } | { readonly zone: string };

const SEVERITIES = {
  'host-lost': 'MAJOR',
  'host-disputed': 'CRITICAL',
  'state-id-changed': 'CRITICAL',
  'network-suspected': 'CRITICAL',
  'vim-unreachable': 'MAJOR',
} as const satisfies Record<InventoryAlarm, AlarmDocument['severity']>;

function idOf(name: InventoryAlarm, source: AlarmSource): string {
  return 'zone' in source ? alarmId(name, 'zone', source.zone) : alarmId(name, 'host', source.hostId);
}

/** The write that raises the alarm; none where it stands already. */
export function raiseAlarm(
  state: StateView,
  name: InventoryAlarm,
  source: AlarmSource,
  text: string,
  epochMilliseconds: number,
): Write[] {
  const id = idOf(name, source);
  if (isStanding(state.get('alarm', id)?.document)) return [];
  const now = toTimestamp(epochMilliseconds);
  const document = { source, name, severity: SEVERITIES[name], text, raisedAt: now, changedAt: now };
  return [{ op: 'put', kind: 'alarm', id, tenant: SYSTEM_TENANT, document }];
}

/** The write that clears the alarm; none where it does not stand. */
export function clearAlarm(
  state: StateView,
  name: InventoryAlarm,
  source: AlarmSource,
  epochMilliseconds: number,
): Write[] {
  const id = idOf(name, source);
  const known = state.get('alarm', id)?.document;
  if (!isStanding(known)) return [];
  const document = clearedAlarm(known, toTimestamp(epochMilliseconds));
  return [{ op: 'put', kind: 'alarm', id, tenant: SYSTEM_TENANT, document }];
}
