/** How much a search may still do. */
export interface SearchBudget {
  /** Takes one step; false: none is left, or time is up. */
  step(): boolean;
  /** Share of its steps that is left. */
  readonly left: number;
  /** Some of what is left, as a budget of its own: what is spent of it is spent of both. */
  part(share: number): SearchBudget;
}

/** @param isOver asked before each step; a plan then ends with the best that it has */
export function createBudget(steps: number, isOver: () => boolean = () => false): SearchBudget {
  let left = Math.floor(steps);
  let isOut = false;
  const step = (): boolean => {
    if (left <= 0 || isOut) return false;
    isOut = isOver();
    left -= 1;
    return !isOut;
  };
  return {
    step,
    get left() {
      return left / Math.max(1, Math.floor(steps));
    },
    part: (share) => createBudget(Math.ceil(left * share), () => !step()),
  };
}
