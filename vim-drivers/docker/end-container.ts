import { hasStatus } from './engine-errors.ts';
import { isUp, type ContainerView } from './container-view.ts';
import { INSTANCE_LABEL, KIND_LABEL } from './labels.ts';
import { listVolumes, removeVolume } from './notes.ts';
import type { SlotState } from './slot-state.ts';

/** Stops the program: its signal, its grace, then the end, children included. */
export async function stopContainer(
  state: SlotState,
  view: ContainerView,
  graceSeconds = view.mark.plan.stop.graceSeconds,
): Promise<ContainerView | undefined> {
  if (!isUp(view) && view.status !== 'restarting') return view;
  // The engine kills what is paused without any grace.
  if (view.status === 'paused') await state.act(view, 'unpause');
  const seconds = Math.ceil(graceSeconds);
  return state.act(view, 'stop', {
    query: { t: seconds },
    weight: 'waiting',
    timeoutSeconds: seconds + 120,
  });
}

/** Stops and removes every container of the slot. */
export async function endContainers(state: SlotState): Promise<void> {
  for (const view of state.context.containers.of(state.name)) {
    await stopContainer(state, view, state.graceSeconds);
    await removeContainer(state, view);
  }
  state.health = undefined;
  state.untoldSince = undefined;
  state.writtenBindings = undefined;
}

export async function removeContainer(state: SlotState, view: ContainerView): Promise<void> {
  const { clock, containers } = state.context;
  for (let turn = 0; turn < 40; turn += 1) {
    try {
      await state.act(view, 'remove', { query: { force: true, v: true } });
    } catch (error) {
      if (!hasStatus(error, 409)) throw error; // somebody else is removing it already
    }
    if ((await containers.look(view.id)) === undefined) return;
    await clock.sleep(50);
  }
}

/** Removes the volumes of the slot that are not kept. */
export async function removeVolumes(state: SlotState, isForGood: boolean): Promise<void> {
  const { engine, scope } = state.context;
  const volumes = await listVolumes(engine, scope, { [INSTANCE_LABEL]: state.name });
  const kinds = isForGood ? ['directory', 'ephemeral', 'note'] : ['directory', 'ephemeral'];
  const ending = volumes.filter(({ labels }) => kinds.includes(labels[KIND_LABEL] ?? ''));
  await Promise.all(ending.map(({ name }) => removeVolume(engine, name)));
}
