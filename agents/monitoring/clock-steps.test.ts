import { expect, it } from 'vitest';
import { createClockSteps } from './clock-steps.ts';

const HOUR = 3_600_000;

function createMachine() {
  const machine = { wall: Date.UTC(2026, 0, 1), uptime: 100 };
  const steps = createClockSteps({ now: () => machine.wall }, () => machine.uptime);
  const pass = (seconds: number): void => {
    machine.wall += seconds * 1000;
    machine.uptime += seconds;
  };
  return { machine, steps, pass };
}

it('what was measured before the clock was set is corrected by what it was set, and what came after is not', () => {
  const { machine, steps, pass } = createMachine();
  steps.note(1);
  pass(10);
  machine.wall -= HOUR;
  expect(steps.correctionOf(1)).toBe(-HOUR);
  steps.note(2);
  pass(10);
  machine.wall += 2 * HOUR;
  steps.note(3);
  expect([1, 2, 3].map((sequence) => steps.correctionOf(sequence))).toEqual([HOUR, 2 * HOUR, 0]);
});

it('time that passes, also in sleep, and small corrections of the clock change nothing', () => {
  const { machine, steps, pass } = createMachine();
  steps.note(1);
  pass(86_400);
  machine.wall += 900;
  steps.note(2);
  expect([1, 2].map((sequence) => steps.correctionOf(sequence))).toEqual([0, 0]);
});

it('what an earlier run of the agent has left is not touched', () => {
  const { machine, steps } = createMachine();
  steps.note(5);
  machine.wall += HOUR;
  expect([4, 5].map((sequence) => steps.correctionOf(sequence))).toEqual([0, HOUR]);
});
