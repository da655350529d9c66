import { DEFAULT_TENANT, SYSTEM_TENANT, type TenantId } from '../../kernel/index.ts';
import type { Caller } from './documents.ts';

/** Whether the tenant owns the installation: hosts, tokens of all tenants, metrics. The one of a single-tenant installation does. */
export function isInstallationTenant(tenant: TenantId): boolean {
  return tenant === SYSTEM_TENANT || tenant === DEFAULT_TENANT;
}

/** Admins of the installation see to the tokens of all tenants, and see all hosts. */
export function isInstallationAdmin({ role, tenant }: Caller): boolean {
  return role === 'admin' && isInstallationTenant(tenant);
}
