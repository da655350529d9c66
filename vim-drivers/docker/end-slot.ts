import { toTimestamp } from '../../kernel/index.ts';
import { endContainers, removeVolumes } from './end-container.ts';
import type { SlotWish } from './slot-context.ts';
import { newSlotRecord } from './slot-record.ts';
import type { SlotState } from './slot-state.ts';

/** Makes room for a copy of another epoch or spec: its ports stay, its history does not. */
export async function renewSlot(state: SlotState, wish: SlotWish): Promise<void> {
  if (state.view !== undefined) await state.update({ state: 'STOPPING', reason: undefined });
  await endContainers(state);
  await removeVolumes(state, false);
  await state.forgetNote();
  state.obstacle = undefined;
  state.notBefore = 0;
  state.excusedRun = undefined;
  const since = toTimestamp(state.context.clock.now());
  state.record = newSlotRecord(wish.epoch, wish.specHash, since, state.record.ports);
  state.context.changed();
}

/** Stops what runs and removes what is left of the slot. @returns whether it is gone: it may have been wished for again meanwhile */
export async function forgetSlot(state: SlotState): Promise<boolean> {
  const { context } = state;
  if (state.view !== undefined) await state.update({ state: 'STOPPING', reason: undefined });
  await endContainers(state);
  await state.forgetNote();
  await removeVolumes(state, true);
  for (const network of state.networks) await context.networks.leave(network, state.name);
  state.networks.clear();
  context.neighbours.delete(state.name);
  context.ports.release(state.name);
  const isGone = state.wish === undefined;
  if (!isGone) state.record = newSlotRecord(-1, '', state.record.since);
  return isGone;
}
