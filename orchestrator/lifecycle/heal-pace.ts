import type { Clock, VnfInstanceId } from '../../kernel/index.ts';

/**
 * Keeps automatic healing of one function from running in circles: each further attempt waits twice as long, until the function has
 * been well for as long as it last waited. Held in memory: a new leader tries at once.
 */
export interface HealPace {
  mayTry(id: VnfInstanceId): boolean;
  tried(id: VnfInstanceId): void;
  /** Nothing is wrong with it now. */
  rest(id: VnfInstanceId): void;
}

const MOST_DOUBLINGS = 6;

export function createHealPace(clock: Clock, backoffMilliseconds: number): HealPace {
  const attempts = new Map<VnfInstanceId, { readonly count: number; readonly notBefore: number }>();
  const waitAfter = (count: number) => backoffMilliseconds * 2 ** Math.min(count - 1, MOST_DOUBLINGS);
  return {
    mayTry: (id) => clock.monotonic() >= (attempts.get(id)?.notBefore ?? -Infinity),
    tried: (id) => {
      const count = (attempts.get(id)?.count ?? 0) + 1;
      attempts.set(id, { count, notBefore: clock.monotonic() + waitAfter(count) });
    },
    rest: (id) => {
      const attempt = attempts.get(id);
      if (attempt !== undefined && clock.monotonic() > attempt.notBefore + waitAfter(attempt.count))
        attempts.delete(id);
    },
  };
}
