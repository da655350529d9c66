import { IotmanoError, messageOf, type HostId, type VnfInstanceId } from '../../kernel/index.ts';
import type { VnfInstanceDocument } from '../domain/index.ts';
import type { StateStore } from '../store/index.ts';
import { advanceOperation } from './advance-operation.ts';
import type { LifecycleContext } from './context.ts';
import { packageOf } from './function-catalog.ts';
import { healAutomatically } from './heal-automatically.ts';
import { createHostFollower } from './follow-hosts.ts';
import { createHealPace } from './heal-pace.ts';
import { judgeHost } from './liveness.ts';
import { createProgressWatch } from './progress-watch.ts';
import { createRefusalPace } from './refusal-pace.ts';
import { createSettledAssignments } from './settled-assignments.ts';
import { createHeldFor } from './rollout/held-for.ts';

/**
 * Drives every function to what is wanted of it. Level-triggered: it looks at what is, whatever has happened; all that it knows is in
 * the store, so that a new one goes on where an old one was killed. It commits and nothing else: hosts act on what is durable.
 */
export interface LifecycleEngine {
  start(): void;
  stop(): Promise<void>;
  /**
   * Does all that can be done now, or a good part of it; for tests, simulations, and callers that have just committed.
   * @returns whether nothing is left to be looked at
   */
  settle(): boolean;
  /** Looks at what time alone may have changed, as the timer does. */
  tick(): void;
  /** Looks at everything, as a new engine does. */
  lookAtAll(): void;
}

/** Steps of one operation that follow each other without anything else happening. */
const MOST_STEPS = 10;
/** Functions that are looked at before others get the process for a moment. */
const MOST_LOOKS = 1_000;

export function createLifecycleEngine(context: LifecycleContext, store: StateStore): LifecycleEngine {
  const { clock, limits, logger, index } = context;
  const dirty = new Set<VnfInstanceId>();
  const troubled = new Set<VnfInstanceId>();
  const silence = new Map<VnfInstanceId, string>();
  const operations = {
    progress: createProgressWatch(clock, limits.stallMilliseconds),
    heldFor: createHeldFor(clock),
  };
  const memory = {
    pace: createHealPace(clock, limits.healBackoffMilliseconds),
    refusals: createRefusalPace(clock, {
      first: limits.tickMilliseconds,
      most: limits.healBackoffMilliseconds,
    }),
    follower: createHostFollower(),
  };
  const assignments = createSettledAssignments();
  const stopping = new AbortController();
  let unsubscribe: (() => void) | undefined;
  let loop: Promise<void> | undefined;
  let isScheduled = false;

  /** One function as far as it goes now. Whether anything was committed. */
  function look(id: VnfInstanceId): boolean {
    let hasCommitted = false;
    for (let step = 0; step < MOST_STEPS && advanceOperation(context, operations, id); step += 1)
      hasCommitted = true;
    const healing = healAutomatically(context, memory, id);
    if (healing.isTroubled) troubled.add(id);
    else troubled.delete(id);
    return assign(id) || hasCommitted || healing.hasCommitted;
  }

  function assign(id: VnfInstanceId): boolean {
    const record = context.state.get('vnf-instance', id);
    if (record === undefined) {
      assignments.forget(id);
      return false;
    }
    const writes = assignments.writesFor(context, record);
    context.commit(writes);
    return writes.length > 0;
  }

  function settle(): boolean {
    for (let looks = 0; looks < MOST_LOOKS; looks += 1) {
      const [id] = dirty;
      if (id === undefined) return true;
      dirty.delete(id);
      try {
        if (look(id)) markWithNeighbours(id);
      } catch (error) {
        report(id, error);
        troubled.add(id);
      }
    }
    if (dirty.size === 0) return true;
    schedule();
    return false;
  }

  function report(vnfInstanceId: VnfInstanceId, error: unknown): void {
    const isExpected = error instanceof IotmanoError && error.status < 500;
    if (isExpected) logger.warn({ vnfInstanceId, error: messageOf(error) }, 'a function waits');
    else logger.error({ vnfInstanceId, err: error }, 'a function cannot be looked after');
  }

  function markWithNeighbours(id: VnfInstanceId): void {
    dirty.add(id);
    for (const dependent of index.dependentsOf(id)) dirty.add(dependent);
    for (const provider of Object.values(context.state.get('vnf-instance', id)?.document.bind ?? {}))
      dirty.add(provider);
  }

  function markAll(): void {
    for (const { id } of context.state.list('vnf-instance')) dirty.add(id as VnfInstanceId);
  }

  function tick(): void {
    const active = new Set<string>();
    for (const { id, document } of context.state.list('vnf-instance')) {
      const vnfInstanceId = id as VnfInstanceId;
      if (document.activeOpOcc !== undefined) active.add(document.activeOpOcc);
      if (document.activeOpOcc !== undefined || troubled.has(vnfInstanceId)) dirty.add(vnfInstanceId);
    }
    operations.progress.retain(active);
    operations.heldFor.retain(active);
    hearHosts();
    settle();
  }

  /** A host that falls silent, or is heard again, makes no record of ours change: compare with last time. */
  function hearHosts(): void {
    const suspected = new Map<VnfInstanceId, HostId[]>([...silence.keys()].map((id) => [id, []]));
    for (const hostId of context.liveness.suspectedHosts()) {
      for (const id of new Set(index.ownersOn(hostId))) {
        const hosts = suspected.get(id);
        if (hosts === undefined) suspected.set(id, [hostId]);
        else hosts.push(hostId);
      }
    }
    for (const [id, hostIds] of suspected) hear(id, hostIds);
  }

  function hear(id: VnfInstanceId, hostIds: readonly HostId[]): void {
    const instance = context.state.get('vnf-instance', id)?.document;
    const verdicts = instance === undefined ? [] : lostAmong(instance, hostIds);
    const heard = verdicts.toSorted().join(' ');
    if (heard !== (silence.get(id) ?? '')) markWithNeighbours(id);
    if (heard === '') silence.delete(id);
    else silence.set(id, heard);
  }

  function lostAmong({ vnfPkgId }: VnfInstanceDocument, hostIds: readonly HostId[]): readonly string[] {
    const { descriptor } = packageOf(context.catalog, vnfPkgId);
    return hostIds.flatMap((hostId) => {
      const { isLost, isAbandoned } = judgeHost(context.state, context.liveness, descriptor, hostId);
      return isLost ? [`${hostId}${isAbandoned ? '!' : ''}`] : [];
    });
  }

  /** Of a host's change those hear that have something there, those that cover it, and those that wait for room. */
  function markOf(hostId: HostId): void {
    for (const id of index.ownersOn(hostId)) markWithNeighbours(id);
    for (const id of index.covering(hostId)) dirty.add(id);
    for (const id of troubled) dirty.add(id);
  }

  function schedule(): void {
    if (isScheduled || stopping.signal.aborted) return;
    isScheduled = true;
    setImmediate(() => {
      isScheduled = false;
      if (!stopping.signal.aborted) settle();
    });
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      await clock.sleep(limits.tickMilliseconds, stopping.signal);
      if (!stopping.signal.aborted) tick();
    }
  }

  return {
    settle,
    tick,
    lookAtAll: () => {
      memory.refusals.roomMayHaveCome();
      markAll();
      settle();
    },
    start: () => {
      unsubscribe = store.subscribe(({ entries }) => {
        for (const { kind, id } of entries) {
          for (const owner of index.touch(kind, id)) markWithNeighbours(owner);
          if (kind === 'host') memory.refusals.roomMayHaveCome();
          if (kind === 'host' || kind === 'host-facts') markOf(id as HostId);
        }
        if (dirty.size > 0) schedule();
      });
      markAll();
      schedule();
      loop = run();
    },
    stop: async () => {
      stopping.abort();
      unsubscribe?.();
      await loop;
    },
  };
}
