import type { LcmOpOccId } from '../../kernel/index.ts';
import type { RecordDocuments } from '../domain/index.ts';
import type { Change, StateView } from '../store/index.ts';
import { scalingAspectId } from './aspect-id.ts';
import type { ManualScaling } from './holds.ts';

/** The latest scalings by hand, from the records of operations. */
export interface ManualScalings {
  latest(aspectId: string): ManualScaling | undefined;
  take(change: Change): void;
  forget(aspectId: string): void;
}

export function createManualScalings(state: StateView): ManualScalings {
  const latest = new Map<string, ManualScaling>();

  function see(id: string, document: RecordDocuments['vnf-lcm-op-occ']): void {
    const { operation, isAutomaticInvocation, vnfInstanceId, operationParams, startTime } = document;
    const aspect = operationParams['aspectId'];
    if (operation !== 'SCALE' || isAutomaticInvocation || typeof aspect !== 'string') return;
    const key = scalingAspectId(vnfInstanceId, aspect);
    const at = Date.parse(startTime);
    if (at >= (latest.get(key)?.at ?? -Infinity)) latest.set(key, { vnfLcmOpOccId: id as LcmOpOccId, at });
  }

  for (const { id, document } of state.list('vnf-lcm-op-occ')) see(id, document);
  return {
    latest: (aspectId) => latest.get(aspectId),
    take: ({ entries }) => {
      for (const { kind, id, record } of entries)
        if (kind === 'vnf-lcm-op-occ' && record !== undefined)
          see(id, record.document as RecordDocuments['vnf-lcm-op-occ']);
    },
    forget: (aspectId) => void latest.delete(aspectId),
  };
}
