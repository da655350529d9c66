import { HealthTracker, probeOnce } from '../supervision/index.ts';
import { bindingsForContainer, bindingsText, boundNetworks, hashText } from './bindings-text.ts';
import type { ContainerView } from './container-view.ts';
import { bindingsEntries, INSTANCE_DIRECTORY, ownerOf } from './instance-files.ts';
import { execInside } from './exec.ts';
import { handlesHangup } from './hangup.ts';
import { stopContainer } from './end-container.ts';
import { networkPrefix } from './names.ts';
import { settleFailure } from './settle-container.ts';
import type { SlotWish } from './slot-context.ts';
import type { SlotState } from './slot-state.ts';
import { putEntries } from './start-container.ts';
import { userFor } from './create-options.ts';

export const LONG_PAUSE_MILLISECONDS = 60_000;
/** How long after a change of bindings a program that has not yet said how it takes SIGHUP is looked at again. */
const HANGUP_RETRY_MILLISECONDS = 400;
/** After so long it is not slow to handle SIGHUP: it never will. */
const HANGUP_PATIENCE_MILLISECONDS = 3000;

/** One turn of looking after a running instance: its run, bindings, the probe that is due; then a pause until the next thing is. */
export async function tend(state: SlotState, view: ContainerView, wish: SlotWish): Promise<void> {
  const { clock } = state.context;
  if (view.startedAt !== state.record.startedAt && !(await takeNewRun(state, view))) return;
  const delivered = await deliverBindings(state, view, wish);
  if (delivered === 'restarting') return;
  if (view.status === 'paused') return reportPaused(state);
  // Found running after a restart of the driver: it was as healthy as the record says.
  const known =
    ({ RUNNING: 'ready', UNHEALTHY: 'unready' } as const)[state.record.state as 'RUNNING'] ?? 'starting';
  state.health ??= new HealthTracker(wish.plan.probes, clock.monotonic(), known, state.record.reason);
  await reportHealth(state, view);
  const next = state.health.next();
  const until = Math.min(
    next === undefined ? LONG_PAUSE_MILLISECONDS : next.dueAt - clock.monotonic(),
    delivered === 'later' ? HANGUP_RETRY_MILLISECONDS : LONG_PAUSE_MILLISECONDS,
  );
  if (until > 0) return state.pause(until);
  if (next !== undefined) await runProbe(state, view, next);
}

/** It was started since the last look, by us, by the engine, or by hand. @returns whether it may run */
async function takeNewRun(state: SlotState, view: ContainerView): Promise<boolean> {
  const { record } = state;
  const isFirst = record.startedAt === '';
  const { plan } = view.mark;
  if (!isFirst && !record.isSettled && state.excusedRun !== record.startedAt) {
    // The engine has started it again before anybody saw it down.
    const at = view.finishedAt === 0 ? state.context.clock.now() : view.finishedAt;
    if ((await settleFailure(state, plan, 'ended', undefined, at)) === 'give-up') return false;
  }
  const { startedAt, engineRestarts } = view;
  const starts = isFirst ? engineRestarts : Math.max(1, engineRestarts - record.engineRestarts);
  state.health = undefined;
  state.excusedRun = undefined;
  state.untoldSince = undefined;
  await state.update({
    state: plan.probes.ready === undefined ? 'RUNNING' : 'STARTING',
    since: startedAt,
    startedAt,
    engineRestarts,
    restarts: state.record.restarts + starts,
    isSettled: false,
    reason: undefined,
    exitCode: undefined,
    // What starts reads the file as it is.
    bindingsHash:
      state.writtenBindings ?? (record.bindingsHash === '' ? view.mark.bindingsHash : record.bindingsHash),
  });
  return true;
}

async function reportPaused(state: SlotState): Promise<void> {
  await state.update({ state: 'UNHEALTHY', reason: 'paused by hand; docker unpause lets it go on' });
  state.health = undefined;
  return state.pause(LONG_PAUSE_MILLISECONDS);
}

async function runProbe(
  state: SlotState,
  view: ContainerView,
  next: NonNullable<ReturnType<HealthTracker['next']>>,
): Promise<void> {
  const { clock, engine, probeAddress } = state.context;
  const { health } = state;
  const target = {
    address: probeAddress(view.networks[view.mark.network] ?? ''),
    ports: state.record.ports,
    exec: (command: readonly string[], signal: AbortSignal) => execInside(engine, view.id, command, signal),
  };
  const fault = await probeOnce(next.probe, target, state.interrupted);
  if (state.interrupted.aborted || health === undefined) return;
  health.record(next.name, fault, clock.monotonic());
  if (health.health === 'dead') return replaceDead(state, view, health.reason ?? 'not alive');
  await reportHealth(state, view);
}

async function reportHealth(state: SlotState, view: ContainerView): Promise<void> {
  const { health } = state;
  if (health === undefined || health.health === 'dead') return;
  const names = { starting: 'STARTING', ready: 'RUNNING', unready: 'UNHEALTHY' } as const;
  const next = names[health.health];
  const isAsStarted = view.mark.plan.probes.ready === undefined && next !== state.record.state;
  await state.update({
    state: next,
    reason: health.reason ?? untoldReason(state),
    ...(isAsStarted ? { since: view.startedAt } : {}),
  });
}

function untoldReason({ untoldSince, context }: SlotState): string | undefined {
  if (untoldSince === undefined || context.clock.monotonic() - untoldSince < HANGUP_PATIENCE_MILLISECONDS)
    return undefined;
  return 'does not know its new bindings: it does not handle SIGHUP; handle it, or say "onChange: restart"';
}

async function replaceDead(state: SlotState, view: ContainerView, reason: string): Promise<void> {
  state.health = undefined;
  await stopContainer(state, view);
  await settleFailure(state, view.mark.plan, reason, undefined, state.context.clock.now());
}

/** Brings changed bindings to the function, as its descriptor says, and it to the networks where it finds those that it is bound to. */
async function deliverBindings(
  state: SlotState,
  view: ContainerView,
  wish: SlotWish,
): Promise<'done' | 'later' | 'restarting'> {
  const { order } = wish;
  if (order === undefined) return 'done';
  const { neighbours } = state.context;
  await attach(state, view, boundNetworks(order.bindings, neighbours));
  const rule = order.spec.bindings;
  const text = bindingsText(bindingsForContainer(order.bindings, neighbours));
  const hash = hashText(text);
  if (rule === undefined) return 'done';
  const written = state.writtenBindings ?? state.record.bindingsHash;
  if (written !== hash) {
    const bindingsTurn = state.record.bindingsTurn + 1;
    const owner = ownerOf(userFor(order.spec, order.image.user));
    await putEntries(state, view.id, INSTANCE_DIRECTORY, bindingsEntries(rule, text, bindingsTurn, owner));
    state.writtenBindings = hash;
    await state.update({ bindingsTurn });
  }
  if (state.record.bindingsHash === hash) {
    state.untoldSince = undefined;
    return 'done';
  }
  if (rule.onChange === 'restart') {
    await state.update({ state: 'STOPPING', isSettled: true });
    await state.act(view, 'restart', {
      query: { t: Math.ceil(order.spec.stop.graceSeconds) },
      weight: 'waiting',
      timeoutSeconds: order.spec.stop.graceSeconds + 120,
    });
    return 'restarting';
  }
  return hangUp(state, view, hash);
}

async function hangUp(state: SlotState, view: ContainerView, hash: string): Promise<'done' | 'later'> {
  // A program that has not come as far as handling SIGHUP would be killed by it.
  if (!(await handlesHangup(state.context.engine, view, state.context.clock.now()))) {
    state.untoldSince ??= state.context.clock.monotonic();
    return 'later';
  }
  await state.act(view, 'kill', { query: { signal: 'SIGHUP' } });
  state.untoldSince = undefined;
  await state.update({ bindingsHash: hash });
  return 'done';
}

async function attach(state: SlotState, view: ContainerView, bound: readonly string[]): Promise<void> {
  const { networks, containers, scope } = state.context;
  const wanted = bound.filter((name) => name !== view.mark.network);
  const missing = wanted.filter((name) => !(name in view.networks));
  const needless = Object.keys(view.networks).filter(
    (name) => name !== view.mark.network && name.startsWith(networkPrefix(scope)) && !wanted.includes(name),
  );
  for (const name of missing) await networks.connect(name, view.id);
  for (const name of needless) await networks.disconnect(name, view.id);
  if (missing.length + needless.length > 0) await containers.look(view.id);
}
