import type { Clock } from '../../../kernel/index.ts';

/**
 * For how long things of an operation have been as they are. Held in memory: to a new leader everything has just become so, and it waits
 * for as long as anybody would.
 */
export interface HeldFor {
  /** Milliseconds since `value` of `key` last changed, or was first seen. */
  milliseconds(operationId: string, key: string, value: string): number;
  /** Forgets operations that are not among these. */
  retain(operationIds: ReadonlySet<string>): void;
}

export function createHeldFor(clock: Pick<Clock, 'monotonic'>): HeldFor {
  const operations = new Map<string, Map<string, { readonly value: string; readonly since: number }>>();
  return {
    milliseconds: (operationId, key, value) => {
      const marks = operations.get(operationId) ?? new Map();
      operations.set(operationId, marks);
      const now = clock.monotonic();
      const known = marks.get(key);
      if (known?.value === value) return now - known.since;
      marks.set(key, { value, since: now });
      return 0;
    },
    retain: (operationIds) => {
      for (const id of operations.keys()) if (!operationIds.has(id)) operations.delete(id);
    },
  };
}
