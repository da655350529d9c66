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
  /** By generation. */
  readonly bindings: ReadonlyMap<number, Bindings>;
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
        const bindings = bindingsOf(context, id, document, (generation) => known.bindings.get(generation));
        const isSame = [...bindings].every(([generation, told]) =>
          isSameJson(told, known.bindings.get(generation)),
        );
        if (isSame) return [];
      }
      const writes = computeAssignmentWrites(context, id, tenant, document);
      if (writes.length > 0) settled.delete(id);
      else settled.set(id, { record: revision, version, bindings: toldIn(context, id) });
      return writes;
    },
    forget: (id) => void settled.delete(id),
  };
}

function toldIn({ index }: AssignmentContext, id: VnfInstanceId): ReadonlyMap<number, Bindings> {
  const told = new Map<number, Bindings>();
  for (const { document } of index.assignmentsOf(id)) {
    const { key, bindings } = document.workload;
    if (!told.has(key.generation)) told.set(key.generation, bindings);
  }
  return told;
}
