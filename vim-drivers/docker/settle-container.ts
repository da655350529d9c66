import type { ContainerView } from './container-view.ts';
import { isUp } from './container-view.ts';
import { stopContainer } from './end-container.ts';
import type { Plan } from './labels.ts';
import { decideRestart } from '../supervision/index.ts';
import { howItEnded } from './slot-record.ts';
import type { SlotState } from './slot-state.ts';

/** Takes the end of the latest run into account: how it ended, and what follows from that. */
export async function settle(state: SlotState, view: ContainerView): Promise<void> {
  const { plan } = view.mark;
  const { exitCode } = view;
  if (state.excusedRun === view.startedAt) return settleExcused(state);
  if (plan.run.mode === 'job' && exitCode === 0 && view.status === 'exited') {
    const since = new Date(view.finishedAt).toISOString();
    const { startedAt, engineRestarts } = view;
    return state.update({
      state: 'COMPLETED',
      since,
      isSettled: true,
      startedAt,
      engineRestarts,
      exitCode: 0,
      reason: undefined,
    });
  }
  await settleFailure(state, plan, howItEnded(view), exitCode, view.finishedAt);
}

/** An end that nobody is to blame for: it is started again at once. */
async function settleExcused(state: SlotState): Promise<void> {
  state.notBefore = 0;
  await state.update({
    state: 'PENDING',
    isSettled: true,
    reason: 'the engine was restarted',
    exitCode: undefined,
  });
}

/** An end that nobody asked for: start again, later, or never. */
export async function settleFailure(
  state: SlotState,
  plan: Plan,
  how: string,
  exitCode: number | undefined,
  at: number,
): Promise<'give-up' | 'restart'> {
  const { clock, log } = state.context;
  const decision = decideRestart(plan.restart, state.record.recentExits, at);
  log.info({ instance: state.name, how, next: decision.action }, 'an instance ended');
  if (decision.action === 'give-up') {
    await giveUp(state, `${how}; ${decision.reason}`, exitCode);
    return 'give-up';
  }
  state.notBefore = clock.monotonic() + decision.delayMilliseconds;
  await state.update({
    state: 'PENDING',
    isSettled: true,
    reason: how,
    exitCode,
    recentExits: decision.recentExits,
  });
  return 'restart';
}

/** Takes the slot out of the engine's hands for good; only a higher epoch brings it back. */
async function giveUp(state: SlotState, reason: string, exitCode: number | undefined): Promise<void> {
  const { view } = state;
  if (view === undefined) return state.update({ state: 'FAILED', isSettled: true, reason, exitCode });
  if (view.isRestartedByEngine) await state.act(view, 'update', { body: { RestartPolicy: { Name: 'no' } } });
  // The engine may be about to start it once more.
  const now = state.view ?? view;
  if (isUp(now) || now.status === 'restarting') await stopContainer(state, now, 0);
  const { startedAt, engineRestarts } = state.view ?? now;
  state.health = undefined;
  await state.update({ state: 'FAILED', isSettled: true, startedAt, engineRestarts, reason, exitCode });
}
