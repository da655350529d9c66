import type { Clock } from '../../kernel/index.ts';

/**
 * Knows by how much the wall clock was set after something had been measured, so that all that waits for the orchestrator is told by one clock. Of this
 * run of the agent only: what an earlier one left is told by the clock of its time.
 */
export interface ClockSteps {
  /** What has this sequence, and all that follows, is measured from now on. */
  note(sequence: number): void;
  /** Milliseconds to be added to the times of what has this sequence. */
  correctionOf(sequence: number): number;
}

/** A clock that is led slowly to the right time is left alone. */
const STEP_MILLISECONDS = 60_000;
const STEPS_KEPT = 100;

/** @param uptimeSeconds since the machine was started, its sleep included: a machine that slept has not set its clock */
export function createClockSteps(clock: Pick<Clock, 'now'>, uptimeSeconds: () => number): ClockSteps {
  const steps: { readonly from: number; readonly startedAt: number }[] = [];
  /** By the wall clock of this moment. */
  const machineStartedAt = (): number => clock.now() - uptimeSeconds() * 1000;
  const isStep = (milliseconds: number): boolean => Math.abs(milliseconds) > STEP_MILLISECONDS;
  return {
    note(from) {
      const startedAt = machineStartedAt();
      const last = steps.at(-1);
      if (last !== undefined && !isStep(startedAt - last.startedAt)) return;
      steps.push({ from, startedAt });
      if (steps.length > STEPS_KEPT) steps.shift();
    },
    correctionOf(sequence) {
      const own = steps.findLast(({ from }) => from <= sequence);
      const correction = own === undefined ? 0 : Math.round(machineStartedAt() - own.startedAt);
      return isStep(correction) ? correction : 0;
    },
  };
}
