import { array, assert, integer, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LcmOperationState } from '../domain/index.ts';
import { planServiceScaling, planServiceScalingBack } from './plan-scaling.ts';
import type { ConstituentView, ServiceStep } from './service-step.ts';

const ORDER = ['broker', 'storage', 'processing'];

function view(name: string, steps: number, changes: Partial<ConstituentView> = {}): ConstituentView {
  const place = ORDER.indexOf(name);
  const scale = { steps, after: ORDER.slice(0, place), before: ORDER.slice(place + 1) };
  return { name, after: [], before: [], isInstantiated: true, isWell: true, scale, ...changes };
}

const busy = (state: LcmOperationState, isOurs: boolean) =>
  ({ active: { operation: 'SCALE', state, isOurs, isCancelPending: false } }) as const;

describe('the next step of a scaling of a service', () => {
  it('scales out in order, each function once those before it are done', () => {
    const start = planServiceScaling([view('processing', 2), view('storage', 1), view('broker', 0)]);
    expect(start).toEqual({ type: 'start', operation: 'SCALE', names: ['storage'] });
    const running = view('storage', 0, busy('PROCESSING', true));
    expect(planServiceScaling([view('processing', 2), running])).toMatchObject({ type: 'wait' });
  });

  it('scales in the other way round, and only when nothing is to go out', () => {
    const ins = [view('storage', -1), view('processing', -2)];
    expect(planServiceScaling(ins)).toEqual({ type: 'start', operation: 'SCALE', names: ['processing'] });
    expect(planServiceScaling([...ins, view('broker', 1)])).toMatchObject({ names: ['broker'] });
  });

  it('is complete when nothing is missing', () => {
    expect(planServiceScaling([view('storage', 0), view('processing', 0)])).toEqual({ type: 'complete' });
  });

  it('takes over what an earlier attempt has under way, and tries again what failed', () => {
    expect(planServiceScaling([view('storage', 0, busy('PROCESSING', false))])).toMatchObject({
      type: 'adopt',
    });
    expect(planServiceScaling([view('storage', 0, busy('FAILED_TEMP', false))])).toMatchObject({
      type: 'retryChild',
    });
  });

  it('scales again what somebody has scaled otherwise in between', () => {
    const done = view('storage', 1, { own: { state: 'COMPLETED' } });
    expect(planServiceScaling([done])).toMatchObject({ type: 'start', names: ['storage'] });
  });

  it('waits for a function that is busy with something else', () => {
    const healing = {
      active: { operation: 'HEAL', state: 'PROCESSING', isOurs: false, isCancelPending: false },
    };
    expect(planServiceScaling([view('storage', 1, healing as Partial<ConstituentView>)])).toEqual({
      type: 'wait',
      for: ['storage is busy with its HEAL'],
    });
  });
});

describe('the way back of a scaling of a service', () => {
  it('undoes what is under way before it scales back what was done', () => {
    const others = [view('broker', -1)];
    const under = (state: LcmOperationState) => [...others, view('processing', -1, busy(state, false))];
    expect(planServiceScalingBack(under('PROCESSING'))).toEqual({ type: 'cancelChild', name: 'processing' });
    expect(planServiceScalingBack(under('FAILED_TEMP'))).toEqual({
      type: 'rollBackChild',
      name: 'processing',
    });
    expect(planServiceScalingBack(under('ROLLING_BACK'))).toMatchObject({ type: 'wait' });
    expect(planServiceScalingBack(others)).toMatchObject({ type: 'start', names: ['broker'] });
    expect(planServiceScalingBack([view('broker', 0)])).toEqual({ type: 'rolledBack' });
  });

  it('undoes an operation once, and fails where that one stops again', () => {
    const undone = (state: LcmOperationState) => {
      const { active } = busy(state, false);
      return [view('processing', -1, { active: { ...active, isUndone: true, error: 'out of memory' } })];
    };
    expect(planServiceScalingBack(undone('ROLLING_BACK'))).toMatchObject({ type: 'wait' });
    expect(planServiceScalingBack(undone('FAILED_TEMP'))).toEqual({
      type: 'failTemporarily',
      detail: 'processing: it cannot go back: out of memory',
    });
  });
});

/** Carries a step out as a function would, at once. */
function carryOut(constituents: readonly ConstituentView[], step: ServiceStep): readonly ConstituentView[] {
  const names = step.type === 'start' ? step.names : [];
  return constituents.map((each) =>
    names.includes(each.name) ? { ...view(each.name, 0), own: { state: 'COMPLETED' as const } } : each,
  );
}

it('whatever is missing, a scaling ends, in order, with each function scaled once', () => {
  assert(
    property(array(integer({ min: -3, max: 3 }), { minLength: 3, maxLength: 3 }), (missing) => {
      let constituents = ORDER.map((name, index) => view(name, missing[index] ?? 0));
      const started: string[] = [];
      let step = planServiceScaling(constituents);
      for (; step.type === 'start'; step = planServiceScaling(constituents)) {
        started.push(...step.names);
        constituents = [...carryOut(constituents, step)];
      }
      const outs = ORDER.filter((_name, index) => (missing[index] ?? 0) > 0);
      const ins = ORDER.filter((_name, index) => (missing[index] ?? 0) < 0).toReversed();
      expect(step).toEqual({ type: 'complete' });
      expect(started).toEqual([...outs, ...ins]);
    }),
    { numRuns: 300 },
  );
});
