import { DEFAULT_TENANT, type HostId, type TenantId, type VnfInstanceId } from '../../../kernel/index.ts';
import type { IoTFunctionDescriptor } from '../../../descriptors/index.ts';
import { assignmentId, type AssignmentDocument, type HostDocument } from '../../domain/index.ts';
import type { Write } from '../../store/index.ts';
import type { WorkloadKey } from '../../../vim-drivers/index.ts';

export const HOST = 'gw-1' as HostId;
export const VNF = 'vnf-1' as VnfInstanceId;

export function key(overrides: Partial<WorkloadKey> = {}): WorkloadKey {
  return { tenant: DEFAULT_TENANT, vnfInstanceId: VNF, unit: 'processor', generation: 1, ...overrides };
}

/** Only what monitoring looks at. */
export function assignment(of: WorkloadKey = key(), metrics?: { port: string; path: string }) {
  const spec = metrics === undefined ? {} : { metrics };
  return {
    hostId: HOST,
    workload: { key: of, spec },
    lostAfterSeconds: 30,
  } as unknown as AssignmentDocument;
}

export function assign(of: WorkloadKey = key(), hostId: HostId = HOST): Write {
  const document = { ...assignment(of, { port: 'metrics', path: '/metrics' }), hostId };
  return { op: 'put', kind: 'assignment', id: assignmentId(hostId, of), tenant: of.tenant, document };
}

export function host(tenants: readonly TenantId[], hostId: HostId = HOST): Write {
  const document = { state: 'READY', tenants } as unknown as HostDocument;
  return { op: 'put', kind: 'host', id: hostId, tenant: 'system' as TenantId, document };
}

/** The function VNF and its package, with these indicators of the unit `processor`. */
export function functionWith(
  indicators: readonly { readonly name: string; readonly quantile?: number }[],
): Write[] {
  const metrics = { port: 'metrics', path: '/metrics', indicators };
  const descriptor = { units: [{ name: 'processor', metrics }] } as unknown as IoTFunctionDescriptor;
  return [
    {
      op: 'put',
      kind: 'vnf-package',
      id: 'pkg-1',
      tenant: DEFAULT_TENANT,
      document: { descriptor } as never,
    },
    {
      op: 'put',
      kind: 'vnf-instance',
      id: VNF,
      tenant: DEFAULT_TENANT,
      document: { vnfPkgId: 'pkg-1' } as never,
    },
  ];
}
