import { SYSTEM_TENANT, type HostId, type TenantId } from '../../kernel/index.ts';
import {
  isInstallationAdmin,
  isInstallationTenant,
  type AlarmDocument,
  type Caller,
} from '../domain/index.ts';
import { isVisible } from '../inventory/index.ts';
import type { StateView, StoredRecord } from '../store/index.ts';
import type { SeriesIdentity } from './series.ts';

/** What a function measures belongs to its tenant; what a host measures is for the tenants that it serves. */
export function maySeeSeries(
  state: StateView,
  tenant: TenantId,
  { hostId, subject }: SeriesIdentity,
): boolean {
  return subject === undefined ? maySeeHost(state, tenant, hostId) : subject.tenant === tenant;
}

/** As for measurements; what concerns no host (a zone) is for those who operate, and upgrades of agents for the installation. */
export function maySeeAlarm(
  state: StateView,
  caller: Caller,
  { tenant, document }: StoredRecord<'alarm'>,
): boolean {
  if (tenant === caller.tenant) return true;
  return tenant === SYSTEM_TENANT && maySeeSource(state, caller, document.source);
}

function maySeeSource(
  state: StateView,
  caller: Caller,
  { hostId, agentUpgradeId }: AlarmDocument['source'],
): boolean {
  // It names hosts that may serve others only.
  if (agentUpgradeId !== undefined) return isInstallationTenant(caller.tenant);
  if (isInstallationAdmin(caller)) return true;
  const { tenant, role } = caller;
  if (hostId === undefined) return role === 'admin' || role === 'operator';
  return maySeeHost(state, tenant, hostId);
}

function maySeeHost(state: StateView, tenant: TenantId, hostId: HostId): boolean {
  const host = state.get('host', hostId)?.document;
  return host !== undefined && isVisible(host, tenant);
}
