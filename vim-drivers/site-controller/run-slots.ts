/** Slots of a run that goes on beside another one begin at a multiple of this: the slot of a workload is the remainder. */
export const LANE = 100_000;
