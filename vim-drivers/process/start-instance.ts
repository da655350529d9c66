import { mkdir } from 'node:fs/promises';
import { IotmanoError } from '../../kernel/index.ts';
import { HealthTracker } from '../supervision/index.ts';
import { awaitRun, launch } from './launch.ts';
import { deadmanGraceSeconds } from './lease.ts';
import {
  describeInstance,
  prepareInstance,
  type PrepareInput,
  type PreparedInstance,
} from './prepare-instance.ts';
import type { SlotContext, SlotWish } from './slot-context.ts';
import type { SlotState } from './slot-state.ts';

/** How long a slot that waits for something outside looks away; whatever happens inside wakes it. */
export const LONG_PAUSE_MILLISECONDS = 60_000;

/** Starts an instance, or pauses for as long as something stands against it. */
export async function startWhenDue(state: SlotState, wish: SlotWish): Promise<void> {
  const { record, context } = state;
  if (isLeaseOver(context, wish)) {
    state.isReleased = false;
    const reason = "waiting for a renewal of the host's lease";
    if (record.state !== 'STOPPED') await state.update({ state: 'PENDING', reason });
  }
  const needsRelease = record.awaitsLeader || wish.spec.stopAfterSeconds !== undefined;
  if (needsRelease && !state.isReleased) return state.pause(LONG_PAUSE_MILLISECONDS);
  // A wall clock may be set back: no wait is longer than the policy's longest.
  const wait = Math.min(record.notBefore - context.clock.now(), wish.spec.restart.backoffMaxSeconds * 1000);
  if (wait > 0) return state.pause(wait);
  await start(state, wish);
}

/**
 * An apply says that it is wanted: it may start if the lease holds, held already when the apply came (what was wanted before a lapse may
 * have moved since), and, where a reboot held it back, the orchestrator was heard.
 */
export function release(state: SlotState, wish: SlotWish, hasHeldLease: boolean): void {
  const { record, context } = state;
  const isOfEarlierBoot = !record.isSettled && record.bootId !== context.bootId && !wish.spec.coldBoot;
  const isHeard = (!record.awaitsLeader && !isOfEarlierBoot) || state.isLeaderHeard;
  state.isReleased = isHeard && hasHeldLease && !isLeaseOver(context, wish);
}

/** Whether the dead-man's rule forbids the instance to run now. */
export function isLeaseOver({ lease }: SlotContext, { spec }: Pick<SlotWish, 'spec'>): boolean {
  const { stopAfterSeconds } = spec;
  if (stopAfterSeconds === undefined) return false;
  const grace = deadmanGraceSeconds(stopAfterSeconds, spec.stop.graceSeconds);
  return lease.remainingMilliseconds(stopAfterSeconds) <= grace * 1000;
}

async function start(state: SlotState, wish: SlotWish): Promise<void> {
  const { context, paths, record } = state;
  const { spec } = wish;
  await mkdir(paths.directory, { recursive: true, mode: 0o700 });
  const ports = await context.ports.resolve(state.name, spec.ports, record.ports);
  if (Object.entries(ports).some(([name, number]) => record.ports[name] !== number))
    await state.update({ ports });
  const artifactDirectory = await context.artifactDirectory(spec);
  const prepared = await prepareInstance(prepareInput(state, wish, artifactDirectory));
  state.writtenBindings = wish.bindingsHash;
  const cgroups = await context.cgroups.prepare(state.name, spec.resources);
  if (state.wish !== wish || isLeaseOver(context, wish)) return; // all that took time: look again
  const attempt = record.attempt + 1;
  // On disk before the process is there: whoever comes after a crash in between knows what to look for.
  await state.update({
    attempt,
    bootId: context.bootId,
    isSettled: false,
    state: 'STARTING',
    reason: undefined,
    exitCode: undefined,
    restarts: record.restarts + 1,
    oomKills: await context.cgroups.oomKills(state.name),
    bindingsHash: wish.bindingsHash,
    awaitsLeader: false,
  });
  context.starting();
  const { layout, tools, bootId, clock } = context;
  const { ended } = await launch({ layout, paths, tools, spec, attempt, bootId, cgroups, prepared });
  void ended.then(() => state.wake());
  state.run = await awaitRun(paths, attempt, ended, clock);
  if (state.run === undefined)
    throw new IotmanoError('unavailable', `${state.name} could not be started; its output says why`);
  state.health = new HealthTracker(spec.probes, clock.monotonic(), 'starting');
}

function prepareInput(state: SlotState, wish: SlotWish, artifactDirectory: string | undefined): PrepareInput {
  const { layout, hostId, hostAddress, nodePath } = state.context;
  return {
    layout,
    key: wish.key,
    spec: wish.spec,
    slot: state.record.slot,
    ports: state.record.ports,
    bindings: wish.bindings,
    hostId,
    hostAddress,
    nodePath,
    ...(artifactDirectory === undefined ? {} : { artifactDirectory }),
  };
}

/** How the program of a slot is started, without touching anything. */
export async function describeSlot(state: SlotState, wish: SlotWish): Promise<PreparedInstance> {
  return describeInstance(prepareInput(state, wish, await state.context.artifactDirectory(wish.spec)));
}
