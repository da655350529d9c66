import { describe, expect, it } from 'vitest';
import { planNextServiceStep, type ConstituentView, type ServiceStepInput } from './plan-next-step.ts';

const RUNNING = { isInstantiated: true, isWell: true } as const;

function view(name: string, changes: Partial<ConstituentView> = {}): ConstituentView {
  return { name, after: [], before: [], isInstantiated: false, isWell: false, ...changes };
}

function plan(
  operation: ServiceStepInput['operation']['operation'],
  constituents: readonly ConstituentView[],
  changes: Partial<ServiceStepInput['operation']> = {},
  healed?: readonly string[],
) {
  return planNextServiceStep({
    operation: {
      operation,
      state: 'PROCESSING',
      isCancelPending: false,
      isAutomaticInvocation: false,
      operationParams: {},
      ...changes,
    },
    constituents,
    ...(healed === undefined ? {} : { healed }),
  });
}

const active = (
  operation: 'INSTANTIATE' | 'TERMINATE' | 'HEAL',
  state: 'PROCESSING' | 'FAILED_TEMP',
  isOurs: boolean,
) => ({ operation, state, isOurs, isCancelPending: false });

describe('the next step of an instantiation', () => {
  const broker = view('broker');
  const worker = view('worker', { after: ['broker'] });

  it('starts all functions whose providers run, at once', () => {
    expect(plan('INSTANTIATE', [view('a'), broker, worker])).toEqual({
      type: 'start',
      operation: 'INSTANTIATE',
      names: ['a', 'broker'],
    });
    expect(plan('INSTANTIATE', [{ ...broker, ...RUNNING }, worker])).toMatchObject({ names: ['worker'] });
  });

  it('waits while providers come up, and says for what', () => {
    const coming = view('broker', {
      active: active('INSTANTIATE', 'PROCESSING', true),
      own: { state: 'PROCESSING' },
    });
    expect(plan('INSTANTIATE', [coming, worker])).toEqual({
      type: 'wait',
      for: ['broker is being instantiated', 'worker waits for broker'],
    });
  });

  it('takes over what an earlier attempt has under way, and tries again what had stopped', () => {
    const underWay = view('broker', { active: active('INSTANTIATE', 'PROCESSING', false) });
    expect(plan('INSTANTIATE', [underWay])).toEqual({ type: 'adopt', names: ['broker'] });
    const stopped = view('broker', { active: active('INSTANTIATE', 'FAILED_TEMP', false) });
    expect(plan('INSTANTIATE', [stopped])).toEqual({ type: 'retryChild', name: 'broker' });
  });

  it.each(['FAILED_TEMP', 'FAILED', 'ROLLED_BACK'] as const)('fails when a function is %s', (state) => {
    const failed = view('broker', { own: { state, error: 'no host fits' } });
    expect(plan('INSTANTIATE', [failed])).toEqual({
      type: 'failTemporarily',
      detail: 'broker: no host fits',
    });
  });

  it('is complete when all functions are instantiated', () => {
    expect(
      plan('INSTANTIATE', [
        { ...broker, ...RUNNING },
        { ...worker, ...RUNNING },
      ]),
    ).toEqual({ type: 'complete' });
  });
});

describe('the next step of a termination, and of a rollback', () => {
  const broker = view('broker', { before: ['worker'], ...RUNNING });
  const worker = view('worker', RUNNING);

  it('ends a function once those that require it are gone', () => {
    expect(plan('TERMINATE', [broker, worker])).toMatchObject({ operation: 'TERMINATE', names: ['worker'] });
    expect(plan('TERMINATE', [broker, view('worker')])).toMatchObject({ names: ['broker'] });
    expect(plan('TERMINATE', [view('broker'), view('worker')])).toEqual({ type: 'dispose' });
  });

  it('first puts an end to other operations', () => {
    const healing = { ...worker, active: active('HEAL', 'PROCESSING', false) };
    expect(plan('TERMINATE', [broker, healing])).toEqual({ type: 'cancelChild', name: 'worker' });
    const cancelled = { ...healing, active: { ...healing.active, isCancelPending: true } };
    expect(plan('TERMINATE', [broker, cancelled])).toMatchObject({ type: 'wait' });
    const stuck = view('worker', { active: active('INSTANTIATE', 'FAILED_TEMP', false) });
    expect(plan('INSTANTIATE', [broker, stuck], { state: 'ROLLING_BACK' })).toEqual({
      type: 'failChild',
      name: 'worker',
    });
  });
});

describe('the next step of a heal', () => {
  const well = view('well', RUNNING);
  const ill = view('ill', { isInstantiated: true });

  it('heals what is not well, or what is named', () => {
    expect(plan('HEAL', [well, ill])).toEqual({ type: 'start', operation: 'HEAL', names: ['ill'] });
    expect(plan('HEAL', [well, ill], {}, ['well'])).toMatchObject({ names: ['well'] });
  });

  it('is complete when nothing is ill, and does not heal twice', () => {
    expect(plan('HEAL', [well])).toEqual({ type: 'complete' });
    const healed = view('ill', { isInstantiated: true, own: { state: 'COMPLETED' } });
    expect(plan('HEAL', [well, healed])).toEqual({ type: 'complete' });
  });
});

describe('an operation that is cancelled', () => {
  const coming = view('broker', {
    active: active('INSTANTIATE', 'PROCESSING', true),
    own: { state: 'PROCESSING' },
  });
  const cancelled = (mode: 'GRACEFUL' | 'FORCEFUL', ...constituents: readonly ConstituentView[]) =>
    plan('INSTANTIATE', [...constituents, view('a')], { isCancelPending: true, cancelMode: mode });

  it.each(['GRACEFUL', 'FORCEFUL'] as const)('begins nothing further, and stops (%s)', (mode) => {
    expect(cancelled(mode)).toEqual({ type: 'failTemporarily', detail: `cancelled (${mode})` });
    const healing = view('other', { ...RUNNING, active: active('HEAL', 'PROCESSING', false) });
    expect(cancelled(mode, healing)).toMatchObject({ type: 'failTemporarily' });
    const stopped = { ...coming, active: active('INSTANTIATE', 'FAILED_TEMP', true) };
    expect(cancelled(mode, stopped)).toMatchObject({ type: 'failTemporarily' });
  });

  it('lets what it has begun come to its end where that is asked for gracefully', () => {
    expect(cancelled('GRACEFUL', coming)).toEqual({
      type: 'wait',
      for: ['broker: its INSTANTIATE ends first'],
    });
  });

  it('cancels what it has begun, one after the other, where that is asked for forcefully, and waits for it', () => {
    const ending = { ...coming, active: { ...coming.active, isCancelPending: true } } as ConstituentView;
    expect(cancelled('FORCEFUL', coming)).toEqual({ type: 'cancelChild', name: 'broker' });
    expect(cancelled('FORCEFUL', ending, { ...coming, name: 'storage' })).toEqual({
      type: 'cancelChild',
      name: 'storage',
    });
    expect(cancelled('FORCEFUL', ending)).toMatchObject({ type: 'wait' });
  });
});

it.each(['COMPLETED', 'FAILED', 'ROLLED_BACK', 'FAILED_TEMP', 'PARTIALLY_COMPLETED'] as const)(
  'has nothing to do for an operation that is %s',
  (state) => {
    expect(plan('INSTANTIATE', [view('a')], { state })).toEqual({ type: 'wait', for: [] });
  },
);

describe('the next step of an update', () => {
  const changing = (isPaused: boolean): ConstituentView =>
    view('broker', {
      ...RUNNING,
      update: 'open',
      own: { state: 'PROCESSING' },
      active: {
        operation: 'CHANGE_VNFPKG',
        state: 'PROCESSING',
        isOurs: true,
        isCancelPending: false,
        isPaused,
      },
    });
  const storage = view('storage', { ...RUNNING, update: 'done', own: { state: 'COMPLETED' } });
  const gateway = view('gateway', { ...RUNNING, update: 'open', after: ['storage'] });

  it('starts the next function as soon as those that it uses are done, unless one is paused', () => {
    expect(plan('UPDATE', [changing(false), storage, gateway])).toMatchObject({
      type: 'start',
      names: ['gateway'],
    });
    expect(plan('UPDATE', [changing(true), storage, gateway])).toEqual({
      type: 'wait',
      for: ['broker is paused'],
    });
  });
});
