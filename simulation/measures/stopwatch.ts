import type { InventoryIndex } from '../../orchestrator/lifecycle/index.ts';

/** How long placement really took: of this machine, and different each time. */
export interface Stopwatch {
  readonly plans: number;
  readonly milliseconds: number;
  around(inventory: InventoryIndex): InventoryIndex;
}

/** @param readMilliseconds real time */
export function createStopwatch(readMilliseconds: () => number): Stopwatch {
  let plans = 0;
  let milliseconds = 0;
  return {
    get plans() {
      return plans;
    },
    get milliseconds() {
      return milliseconds;
    },
    around: (inventory) => ({
      look: (use, overrides, isLost) => {
        // Only a plan asks which hosts are lost to a function; what verifies a plan does not.
        if (isLost === undefined) return inventory.look(use, overrides);
        const start = readMilliseconds();
        try {
          return inventory.look(use, overrides, isLost);
        } finally {
          plans += 1;
          milliseconds += readMilliseconds() - start;
        }
      },
    }),
  };
}
