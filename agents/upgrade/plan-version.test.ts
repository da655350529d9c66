import {
  array,
  assert,
  constant,
  constantFrom,
  oneof,
  property,
  record,
  subarray,
  type Arbitrary,
} from 'fast-check';
import { describe, expect, it } from 'vitest';
import { beginTrial, confirmTrial, endTrial, keptVersions, planStart, pointerOf } from './plan-version.ts';
import { parsePointer, type VersionPointer } from './version-pointer.ts';

const digest = (letter: string): string => `sha256:${letter.repeat(64)}`;
const [INSTALLED, A, B, C] = ['0', 'a', 'b', 'c'].map(digest) as [string, string, string, string];
const NOW = Date.parse('2026-11-30T08:00:00Z');

function trialOf(version: string, orderId: string): Parameters<typeof beginTrial>[1] {
  return { orderId, version, digest: version, confirmWithinSeconds: 60, functions: [] };
}

/** What may happen to a host, in any order. */
type Happening =
  | { readonly type: 'order'; readonly version: string }
  | { readonly type: 'start'; readonly damaged: readonly string[] }
  | { readonly type: 'confirm' }
  | { readonly type: 'reinstall'; readonly installed: string };

const happening: Arbitrary<Happening> = oneof(
  record({ type: constant('order' as const), version: constantFrom(A, B, C) }),
  record({ type: constant('start' as const), damaged: subarray([A, B, C], { maxLength: 1 }) }),
  record({ type: constant('confirm' as const) }),
  record({ type: constant('reinstall' as const), installed: constantFrom(INSTALLED, digest('1')) }),
);

/** Plays what happens to a host. @returns what was wrong, for people */
function play(happenings: readonly Happening[]): readonly string[] {
  const faults: string[] = [];
  const started: string[] = [];
  let installed = INSTALLED;
  let pointer: VersionPointer | undefined;
  let [runs, isOnTrial] = [INSTALLED, false];
  for (const [serial, each] of happenings.entries()) {
    if (each.type === 'reinstall') installed = each.installed;
    if (each.type === 'order' && !isOnTrial)
      pointer = beginTrial(pointer ?? pointerOf(installed), trialOf(each.version, `o-${serial}`));
    if (each.type === 'confirm' && isOnTrial && pointer !== undefined) {
      pointer = confirmTrial(pointer, NOW);
      isOnTrial = false;
      if (pointer.current !== runs) faults.push('what was confirmed is not what runs');
    }
    if (each.type !== 'start') continue;
    const isIntact = (version: string): boolean => !each.damaged.includes(version);
    const plan = planStart(pointer, { installed, isIntact, mayTry: true, now: NOW });
    if (plan.trial !== undefined) started.push(plan.trial.orderId);
    else if (plan.pointer.trial !== undefined) faults.push('a trial is left that nobody runs');
    if (plan.run !== installed && !isIntact(plan.run)) faults.push('a damaged version runs');
    if (plan.run !== installed && !keptVersions(plan.pointer).has(plan.run))
      faults.push('what runs is not kept');
    [pointer, runs, isOnTrial] = [plan.pointer, plan.run, plan.trial !== undefined];
  }
  if (new Set(started).size !== started.length) faults.push('a trial was started twice');
  return faults;
}

describe('the choice of the version that runs', () => {
  it('never starts a trial twice, never runs a damaged version, and keeps the file of what runs', () => {
    const happenings = array(happening, { maxLength: 25 });
    assert(
      property(happenings, (all) => {
        expect(play(all)).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it('comes to the same end when how the trial ended could not be written down', () => {
    const begun = beginTrial(pointerOf(INSTALLED), trialOf(A, 'o-1'));
    const host = { installed: INSTALLED, isIntact: () => true, mayTry: true, now: NOW };
    const trial = planStart(begun, host);
    expect(trial).toMatchObject({ run: A, mustWrite: true });
    for (let start = 0; start < 3; start += 1)
      expect(planStart(trial.pointer, host)).toMatchObject({
        run: INSTALLED,
        pointer: { last: { state: 'ROLLED_BACK' } },
      });
  });

  it('leaves a trial that waits to the start that runs the agent', () => {
    const begun = beginTrial(pointerOf(INSTALLED), trialOf(A, 'o-1'));
    const host = { installed: INSTALLED, isIntact: () => true, mayTry: false, now: NOW };
    expect(planStart(begun, host)).toMatchObject({ run: INSTALLED, pointer: begun, mustWrite: false });
  });

  it('writes nothing on a host that was never upgraded', () => {
    const host = { installed: INSTALLED, isIntact: () => false, mayTry: true, now: NOW };
    expect(planStart(undefined, host)).toMatchObject({ run: INSTALLED, mustWrite: false });
  });

  it('falls back to the version before, and then to the installed one, where files are damaged', () => {
    const pointer = { ...pointerOf(INSTALLED), current: B, previous: A };
    const host = (intact: readonly string[]): Parameters<typeof planStart>[1] => ({
      installed: INSTALLED,
      isIntact: (version) => intact.includes(version),
      mayTry: true,
      now: NOW,
    });
    expect(planStart(pointer, host([A, B]))).toMatchObject({ run: B, mustWrite: false });
    expect(planStart(pointer, host([A]))).toMatchObject({ run: A, mustWrite: true });
    expect(planStart(pointer, host([]))).toMatchObject({ run: INSTALLED, mustWrite: true });
  });

  it('reads back what it wrote, and takes a trial that is not whole for none', () => {
    const pointer = endTrial(beginTrial(pointerOf(INSTALLED), trialOf(A, 'o-1')), 'why', NOW);
    expect(parsePointer(JSON.parse(JSON.stringify({ schemaVersion: 1, ...pointer, more: 1 })))).toEqual(
      pointer,
    );
    expect(parsePointer({ ...pointerOf(A), trial: { orderId: 'o-2' }, last: 3 })).toEqual(pointerOf(A));
    expect(() => parsePointer({ current: 'x' })).toThrow(TypeError);
  });
});
