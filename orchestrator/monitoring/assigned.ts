import type { HostId, TenantId } from '../../kernel/index.ts';
import { assignmentId } from '../domain/index.ts';
import type { StateView } from '../store/index.ts';
import type { MeasuredSubject } from './series.ts';

/** A subject as it comes over Mco: ids as plain strings. */
export interface WireSubject {
  readonly tenant: string;
  readonly vnfInstanceId: string;
  readonly unit: string;
  readonly generation: number;
  readonly slot?: number;
}

/**
 * The subject, where it is or was assigned to the host: a host speaks of nothing else. It may still run what is no longer assigned,
 * which is why observed records count too. The tenant is the record's own, whatever the host says.
 */
export function assignedSubject(
  state: StateView,
  hostId: HostId,
  wire: WireSubject,
): MeasuredSubject | undefined {
  const subject = wire as MeasuredSubject;
  const id = assignmentId(hostId, subject);
  const record = state.get('assignment', id) ?? state.get('observed', id);
  if (record === undefined || record.tenant !== (wire.tenant as TenantId)) return undefined;
  const { tenant, vnfInstanceId, unit, generation, slot } = subject;
  return { tenant, vnfInstanceId, unit, generation, ...(slot === undefined ? {} : { slot }) };
}
