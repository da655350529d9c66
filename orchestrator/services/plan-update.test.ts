import { describe, expect, it } from 'vitest';
import { planUpdateBack } from './plan-update.ts';
import type { ConstituentView } from './service-step.ts';

function view(name: string, changes: Partial<ConstituentView>): ConstituentView {
  return { name, after: [], before: [], isInstantiated: true, isWell: true, ...changes };
}

const GOING_BACK = { operation: 'CHANGE_VNFPKG', state: 'PROCESSING', isCancelPending: false } as const;

describe('the way back of an update', () => {
  it('is not over before the last change of a version has ended, though the version is the old one already', () => {
    const worker = view('worker', {
      update: 'open',
      active: { ...GOING_BACK, isOurs: true },
      own: { state: 'PROCESSING' },
    });
    expect(planUpdateBack([worker])).toEqual({ type: 'wait', for: ['worker is being changed back'] });
    expect(planUpdateBack([view('worker', { update: 'open', own: { state: 'COMPLETED' } })])).toEqual({
      type: 'rolledBack',
    });
  });

  it('changes back what another one is bound to only when the change of that has ended', () => {
    const client = view('client', { update: 'open', active: { ...GOING_BACK, isOurs: true } });
    const broker = view('broker', { update: 'done', before: ['client'] });
    expect(planUpdateBack([client, broker])).toMatchObject({ type: 'wait' });
    expect(planUpdateBack([view('client', { update: 'open' }), broker])).toEqual({
      type: 'start',
      operation: 'CHANGE_VNFPKG',
      names: ['broker'],
    });
  });
});
