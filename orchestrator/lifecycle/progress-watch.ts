import type { Clock } from '../../kernel/index.ts';
import type { StoredRecord } from '../store/index.ts';
import type { Convergence } from './assess-convergence.ts';

/**
 * Tells an operation that moves from one that does not: more copies as they are to be, or fewer that are to go, than ever before is
 * progress; a copy that starts and dies over and over is none. Held in memory: a new leader begins with full patience.
 */
export interface ProgressWatch {
  isStalled(operation: StoredRecord<'vnf-lcm-op-occ'>, convergence: Convergence): boolean;
  /** Forgets operations that are not among these. */
  retain(operationIds: ReadonlySet<string>): void;
}

interface Mark {
  readonly stateEnteredTime: string;
  readonly best: number;
  readonly since: number;
}

export function createProgressWatch(clock: Clock, stallMilliseconds: number): ProgressWatch {
  const marks = new Map<string, Mark>();
  return {
    isStalled: ({ id, document: { stateEnteredTime } }, convergence) => {
      const score = convergence.reached - convergence.leftovers;
      const mark = marks.get(id);
      if (
        mark === undefined ||
        mark.stateEnteredTime !== stateEnteredTime ||
        score > mark.best ||
        convergence.isWorking
      ) {
        marks.set(id, { stateEnteredTime, best: score, since: clock.monotonic() });
        return false;
      }
      return clock.monotonic() - mark.since > stallMilliseconds;
    },
    retain: (operationIds) => {
      for (const id of marks.keys()) if (!operationIds.has(id)) marks.delete(id);
    },
  };
}
