import { rm } from 'node:fs/promises';
import type { WorkloadSpec } from '../contract.ts';
import { killLeftovers } from './leftovers.ts';
import { decideRestart, describeExit } from '../supervision/index.ts';
import { hasLeaseLapsed, readExit, readRun, type Run } from './run-record.ts';
import type { SlotWish } from './slot-context.ts';
import type { SlotState } from './slot-state.ts';
import { isRunning } from './system.ts';

/** The run of the latest attempt if it is alive, whoever started it. */
export async function findRun(state: SlotState): Promise<Run | undefined> {
  const { record, context } = state;
  if (record.isSettled) return undefined;
  const known = state.run ?? (record.bootId === context.bootId ? await readRun(state.paths) : undefined);
  if (known?.attempt !== record.attempt || known.bootId !== context.bootId) return undefined;
  if (!isRunning(known.program)) return undefined;
  state.run = known;
  return known;
}

/** Takes the end of the latest attempt into account: how it ended, and what follows from that. */
export async function settle(state: SlotState, wish: SlotWish): Promise<void> {
  const { record, context, paths } = state;
  const isOtherBoot = record.bootId !== context.bootId;
  if (isOtherBoot) return settleReboot(state, wish.spec);
  const run = state.run ?? (await readRun(paths));
  if (run?.attempt !== record.attempt) {
    // Nobody knows whether that start came about: withdraw it, and make sure.
    await rm(paths.attemptFile, { force: true });
    await killLeftovers(
      { mark: state.mark, cgroup: state.name },
      context.cgroups,
      context.scanner,
      context.clock,
    );
    state.run = undefined;
    return state.update({ isSettled: true, state: 'PENDING' });
  }
  state.run = run;
  await state.endEverything();
  const exit = await readExit(paths);
  const code = exit?.attempt === record.attempt ? exit.code : undefined;
  if (await hasLeaseLapsed(paths, record.attempt)) return settleLapsed(state, wish.spec);
  const kills = await context.cgroups.oomKills(state.name);
  const limit = kills > record.oomKills ? wish.spec.resources.memoryBytes : undefined;
  await settleExit(state, wish, code, limit, exit?.at ?? context.clock.now());
}

async function settleReboot(state: SlotState, spec: WorkloadSpec): Promise<void> {
  state.run = undefined;
  const reason = spec.coldBoot
    ? 'the host was restarted'
    : 'the host was restarted; waiting until the orchestrator is heard';
  await state.update({
    isSettled: true,
    state: 'PENDING',
    reason,
    awaitsLeader: !spec.coldBoot,
    notBefore: 0,
  });
}

/** The dead-man's rule has ended it, or is about to: it starts again when the lease is renewed. */
export async function settleLapsed(state: SlotState, spec: WorkloadSpec): Promise<void> {
  const reason = `stopped: the host's lease was not renewed for ${spec.stopAfterSeconds ?? 0} s`;
  await state.update({ isSettled: true, state: 'STOPPED', reason, exitCode: undefined });
}

async function settleExit(
  state: SlotState,
  { spec }: SlotWish,
  code: number | undefined,
  outOfMemoryLimitBytes: number | undefined,
  at: number,
): Promise<void> {
  if (spec.run.mode === 'job' && code === 0)
    return state.update({ isSettled: true, state: 'COMPLETED', exitCode: 0, reason: undefined });
  const command = spec.artifact.type === 'process' ? spec.artifact.command : [];
  await settleFailure(state, spec, describeExit(code, command, outOfMemoryLimitBytes), code, at);
}

/** An end that nobody asked for: start again, later, or never. */
export async function settleFailure(
  state: SlotState,
  spec: WorkloadSpec,
  how: string,
  code: number | undefined,
  at: number,
): Promise<void> {
  const decision = decideRestart(spec.restart, state.record.recentExits, at);
  const { changes } =
    decision.action === 'give-up'
      ? { changes: { state: 'FAILED', reason: `${how}; ${decision.reason}` } as const }
      : {
          changes: {
            state: 'PENDING',
            reason: how,
            recentExits: decision.recentExits,
            notBefore: at + decision.delayMilliseconds,
          } as const,
        };
  state.context.log.info({ instance: state.name, how, next: decision.action }, 'an instance ended');
  await state.update({ isSettled: true, exitCode: code, ...changes });
}
