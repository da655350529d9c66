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

  function note(key: string, scaling: ManualScaling): void {
    if (scaling.at >= (latest.get(key)?.at ?? -Infinity)) latest.set(key, scaling);
  }

  function seeFunction(id: string, document: RecordDocuments['vnf-lcm-op-occ']): void {
    const { operation, isAutomaticInvocation, vnfInstanceId, operationParams, startTime } = document;
    const aspect = operationParams['aspectId'];
    if (operation !== 'SCALE' || isAutomaticInvocation || typeof aspect !== 'string') return;
    const parent = document.nsLcmOpOccId === undefined ? {} : { nsLcmOpOccId: document.nsLcmOpOccId };
    const at = Date.parse(startTime);
    note(scalingAspectId(vnfInstanceId, aspect), { vnfLcmOpOccId: id as LcmOpOccId, ...parent, at });
  }

  function seeService(id: string, document: RecordDocuments['ns-lcm-op-occ']): void {
    const { isAutomaticInvocation, nsInstanceId, scaling, startTime } = document;
    if (scaling === undefined || isAutomaticInvocation) return;
    const at = Date.parse(startTime);
    note(scalingAspectId(nsInstanceId, scaling.aspect), { nsLcmOpOccId: id as LcmOpOccId, at });
  }

  for (const { id, document } of state.list('vnf-lcm-op-occ')) seeFunction(id, document);
  for (const { id, document } of state.list('ns-lcm-op-occ')) seeService(id, document);
  return {
    latest: (aspectId) => latest.get(aspectId),
    take: ({ entries }) => {
      for (const { kind, id, record } of entries) {
        if (record === undefined) continue;
        if (kind === 'vnf-lcm-op-occ') seeFunction(id, record.document as RecordDocuments[typeof kind]);
        if (kind === 'ns-lcm-op-occ') seeService(id, record.document as RecordDocuments[typeof kind]);
      }
    },
    forget: (aspectId) => void latest.delete(aspectId),
  };
}
