import type { RolloutRecord } from '../../domain/index.ts';
import type { StoredRecord } from '../../store/index.ts';
import type { OperationUpdate } from '../operation-records.ts';

/** The operation with another record of how far it is; its state stays. */
export function noteRollout(
  { id, revision, document }: StoredRecord<'vnf-lcm-op-occ'>,
  rollout: RolloutRecord,
): OperationUpdate {
  return {
    op: 'update',
    kind: 'vnf-lcm-op-occ',
    id,
    expectedRevision: revision,
    document: { ...document, rollout },
  };
}
