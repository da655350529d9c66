import type { VnfInstanceId } from '../../kernel/index.ts';
import { isSameJson } from '../domain/index.ts';
import type { Revision, StoredRecord, Write } from '../store/index.ts';
import type { Bindings } from '../../vim-drivers/index.ts';
import { bindingsOf, computeAssignmentWrites, type AssignmentContext } from './compute-assignments.ts';

/** Knows which functions' assignments say already what is wanted. */
export interface SettledAssignments {
  /** As `computeAssignmentWrites`; costs little where nothing has changed of what the assignments are made from. */
  writesFor(context: AssignmentContext, record: StoredRecord<'vnf-instance'>): readonly Write[];
  /** The function is not there any more. */
  forget(id: VnfInstanceId): void;
}

interface Settled {
  readonly record: Revision;
  /** Of the assignments themselves. */
  readonly version: number;
  readonly bindings: Bindings;
}

/**
 * Most looks at a function come from what its hosts report, and change nothing of what they are told; but each copy has an assignment, and
 * there may be many. Held in memory: a new leader compares once.
 */
export function createSettledAssignments(): SettledAssignments {
  const settled = new Map<VnfInstanceId, Settled>();
  return {
    writesFor: (context, record) => {
      const id = record.id as VnfInstanceId;
      const version = context.index.assignmentsVersion(id);
      const known = settled.get(id);
      const { document, tenant, revision } = record;
      if (known?.record === revision && known.version === version) {
        const bindings = bindingsOf(context, id, document, known.bindings);
        if (isSameJson(bindings, known.bindings)) return [];
      }
      const writes = computeAssignmentWrites(context, id, tenant, document);
      const [first] = context.index.assignmentsOf(id);
      if (writes.length > 0 || first === undefined) settled.delete(id);
      else settled.set(id, { record: revision, version, bindings: first.document.workload.bindings });
      return writes;
    },
    forget: (id) => void settled.delete(id),
  };
}
