import { IOTMANO_NAMESPACE, SYSTEM_TENANT, toTimestamp, uuidV5, type HostId } from '../../kernel/index.ts';
import type { AlarmDocument } from '../domain/index.ts';
import type { StateView, Write } from '../store/index.ts';

/** What the inventory raises alarms about. */
export type InventoryAlarm = 'host-lost' | 'host-disputed' | 'state-id-changed' | 'network-suspected';

type AlarmSource = { readonly hostId: HostId } | { readonly zone: string };

const SEVERITIES = {
  'host-lost': 'MAJOR',
  'host-disputed': 'CRITICAL',
  'state-id-changed': 'CRITICAL',
  'network-suspected': 'CRITICAL',
} as const satisfies Record<InventoryAlarm, AlarmDocument['severity']>;

/** One alarm record for each condition of each source, for ever: raised again, it is the same one. */
export function alarmId(name: InventoryAlarm, source: AlarmSource): string {
  const of = 'zone' in source ? `zone/${source.zone}` : `host/${source.hostId}`;
  return uuidV5(IOTMANO_NAMESPACE, `alarm/${name}/${of}`);
}

/** The write that raises the alarm; none where it stands already. */
export function raiseAlarm(
  state: StateView,
  name: InventoryAlarm,
  source: AlarmSource,
  text: string,
  epochMilliseconds: number,
): Write[] {
  const id = alarmId(name, source);
  const known = state.get('alarm', id)?.document;
  if (known !== undefined && known.clearedAt === undefined) return [];
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
  const id = alarmId(name, source);
  const known = state.get('alarm', id)?.document;
  if (known === undefined || known.clearedAt !== undefined) return [];
  const now = toTimestamp(epochMilliseconds);
  const document: AlarmDocument = { ...known, severity: 'CLEARED', changedAt: now, clearedAt: now };
  return [{ op: 'put', kind: 'alarm', id, tenant: SYSTEM_TENANT, document }];
}
