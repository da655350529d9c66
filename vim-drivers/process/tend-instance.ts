import { HealthTracker, probeOnce } from '../supervision/index.ts';
import { writeBindings } from './prepare-instance.ts';
import { probeExec } from './probe-exec.ts';
import { settleFailure, settleLapsed } from './settle-instance.ts';
import type { Run } from './run-record.ts';
import type { SlotWish } from './slot-context.ts';
import type { SlotState } from './slot-state.ts';
import { describeSlot, isLeaseOver, LONG_PAUSE_MILLISECONDS } from './start-instance.ts';
import { sendSignal, survivesHangup } from './system.ts';

/** How long after a change of bindings a program that has not yet said how it takes SIGHUP is looked at again. */
const HANGUP_RETRY_MILLISECONDS = 250;
/** After so long it is not slow to handle SIGHUP: it never will. */
const HANGUP_PATIENCE_MILLISECONDS = 3000;

/** One turn of looking after a running instance: bindings, lease, the probe that is due; then a pause until the next thing is. */
export async function tend(state: SlotState, run: Run, wish: SlotWish): Promise<void> {
  const { clock } = state.context;
  if (isLeaseOver(state.context, wish)) return stopForLease(state, wish);
  state.isReleased = true; // what may run may be started again after a crash, too
  const isDelivered = await deliverBindings(state, run, wish);
  if (isDelivered === 'restarting') return;
  // Found running after a restart of the driver: it was as healthy as the record says.
  const known =
    ({ RUNNING: 'ready', UNHEALTHY: 'unready' } as const)[state.record.state as 'RUNNING'] ?? 'starting';
  state.health ??= new HealthTracker(wish.spec.probes, clock.monotonic(), known, state.record.reason);
  await reportHealth(state);
  const next = state.health.next();
  const until = Math.min(
    next === undefined ? LONG_PAUSE_MILLISECONDS : next.dueAt - clock.monotonic(),
    isDelivered === 'later' ? HANGUP_RETRY_MILLISECONDS : LONG_PAUSE_MILLISECONDS,
  );
  if (until > 0) return state.pause(until);
  if (next !== undefined) await runProbe(state, wish, next);
}

async function runProbe(
  state: SlotState,
  wish: SlotWish,
  next: NonNullable<ReturnType<HealthTracker['next']>>,
): Promise<void> {
  const { clock } = state.context;
  const { health } = state;
  const target = {
    address: '127.0.0.1',
    ports: state.record.ports,
    exec: async (command: readonly string[], signal: AbortSignal) =>
      probeExec(command, await describeSlot(state, wish), signal),
  };
  const fault = await probeOnce(next.probe, target, state.interrupted);
  if (state.interrupted.aborted || health === undefined) return;
  health.record(next.name, fault, clock.monotonic());
  if (health.health === 'dead') return replaceDead(state, wish, health.reason ?? 'not alive');
  await reportHealth(state);
}

async function reportHealth(state: SlotState): Promise<void> {
  const { health } = state;
  if (health === undefined || health.health === 'dead') return;
  const names = { starting: 'STARTING', ready: 'RUNNING', unready: 'UNHEALTHY' } as const;
  await state.update({ state: names[health.health], reason: health.reason ?? untoldReason(state) });
}

function untoldReason({ untoldSince, context }: SlotState): string | undefined {
  if (untoldSince === undefined || context.clock.monotonic() - untoldSince < HANGUP_PATIENCE_MILLISECONDS)
    return undefined;
  return 'does not know its new bindings: it does not handle SIGHUP; handle it, or say "onChange: restart"';
}

async function replaceDead(state: SlotState, wish: SlotWish, reason: string): Promise<void> {
  await state.endEverything();
  await settleFailure(state, wish.spec, reason, undefined, state.context.clock.now());
}

async function stopForLease(state: SlotState, wish: SlotWish): Promise<void> {
  await state.update({ state: 'STOPPING' });
  await state.endEverything();
  await settleLapsed(state, wish.spec);
}

/** Brings changed bindings to the function, as its descriptor says. */
async function deliverBindings(
  state: SlotState,
  run: Run,
  wish: SlotWish,
): Promise<'done' | 'later' | 'restarting'> {
  // Also where the program knows them: the file may hold others, which it was never told of.
  if (state.writtenBindings !== wish.bindingsHash) await writeBindings(state.paths, wish.spec, wish.bindings);
  state.writtenBindings = wish.bindingsHash;
  if (state.record.bindingsHash === wish.bindingsHash) {
    state.untoldSince = undefined;
    return 'done';
  }
  if (wish.spec.bindings?.onChange === 'restart') {
    await state.update({ state: 'STOPPING' });
    await state.endEverything();
    await state.update({ isSettled: true, state: 'PENDING', notBefore: 0 });
    return 'restarting';
  }
  if (wish.spec.bindings !== undefined) {
    // A program that has not come as far as handling SIGHUP would be killed by it.
    if (!survivesHangup(run.program.pid)) {
      state.untoldSince ??= state.context.clock.monotonic();
      return 'later';
    }
    sendSignal(run.program.pid, 'SIGHUP');
  }
  state.untoldSince = undefined;
  await state.update({ bindingsHash: wish.bindingsHash });
  return 'done';
}
