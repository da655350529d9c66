import { toTimestamp, type Clock } from '../../kernel/index.ts';
import {
  workloadId,
  type ObservedInstance,
  type ObservedState,
  type ObservedWorkload,
  type WorkloadSpec,
} from '../contract.ts';
import type { FakeHost, FakeInstance, FakeWorkload } from './world.ts';

/** How long a fake instance takes. */
export interface FakePace {
  readonly startMilliseconds: number;
  readonly jobMilliseconds: number;
}

interface Verdict {
  readonly state: ObservedState;
  readonly at: number;
  readonly reason?: string;
  readonly exitCode?: number;
}

export function observeWorkload(
  host: FakeHost,
  workload: FakeWorkload,
  clock: Clock,
  pace: FakePace,
): ObservedWorkload {
  const instances = [...workload.instances.values()]
    .toSorted((a, b) => a.slot - b.slot)
    .map((instance) => observeInstance(judge(host, workload, instance, clock, pace), instance));
  return { key: workload.key, specHash: workload.specHash, instances };
}

function observeInstance(verdict: Verdict, instance: FakeInstance): ObservedInstance {
  const isLive = ['STARTING', 'RUNNING', 'UNHEALTHY'].includes(verdict.state);
  return {
    slot: instance.slot,
    epoch: instance.epoch,
    state: verdict.state,
    since: toTimestamp(verdict.at),
    restarts: instance.restarts,
    ports: instance.ports,
    ...(verdict.reason === undefined ? {} : { reason: verdict.reason }),
    ...(verdict.exitCode === undefined ? {} : { exitCode: verdict.exitCode }),
    ...(isLive ? { pid: instance.pid } : {}),
  };
}

function judge(
  host: FakeHost,
  { spec }: FakeWorkload,
  { exit, startedAt, stoppedAt }: FakeInstance,
  clock: Clock,
  pace: FakePace,
): Verdict {
  const now = clock.now();
  if (exit?.isFinal === true)
    return { state: 'FAILED', at: exit.at, reason: exit.reason, exitCode: exit.code };
  if (stoppedAt !== undefined || hasLapsed(host, spec, clock)) {
    const reason = `stopped: the host's lease was not renewed for ${spec.stopAfterSeconds ?? 0} s`;
    const lapsedAt = now - (clock.monotonic() - host.renewedAt) + (spec.stopAfterSeconds ?? 0) * 1000;
    return { state: 'STOPPED', at: stoppedAt ?? (Number.isFinite(lapsedAt) ? lapsedAt : startedAt), reason };
  }
  const ready = startedAt + pace.startMilliseconds;
  if (now < ready) return { state: 'STARTING', at: startedAt };
  const done = ready + pace.jobMilliseconds;
  if (spec.run.mode === 'job' && now >= done) return { state: 'COMPLETED', at: done, exitCode: 0 };
  return { state: 'RUNNING', at: ready };
}

/** Whether the dead-man's rule forbids the spec to run now. */
export function hasLapsed(host: FakeHost, { stopAfterSeconds }: WorkloadSpec, clock: Clock): boolean {
  return stopAfterSeconds !== undefined && clock.monotonic() - host.renewedAt >= stopAfterSeconds * 1000;
}

/** Whether the host knows it, for those that ask by key. */
export function findWorkload(host: FakeHost, key: FakeWorkload['key']): FakeWorkload | undefined {
  return host.workloads.get(workloadId(key));
}
