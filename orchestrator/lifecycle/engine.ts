import { IotmanoError, messageOf, type VnfInstanceId } from '../../kernel/index.ts';
import type { StateStore } from '../store/index.ts';
import { advanceOperation } from './advance-operation.ts';
import { computeAssignmentWrites } from './compute-assignments.ts';
import type { LifecycleContext } from './context.ts';
import { packageOf } from './function-catalog.ts';
import { healAutomatically } from './heal-automatically.ts';
import { createHealPace } from './heal-pace.ts';
import { judgeHost } from './liveness.ts';
import { hostsOfWanted } from './plan-wanted.ts';
import { createProgressWatch } from './progress-watch.ts';

/**
 * Drives every function to what is wanted of it. Level-triggered: it looks at what is, whatever has happened; all that it knows is in
 * the store, so that a new one goes on where an old one was killed. It commits and nothing else: hosts act on what is durable.
 */
export interface LifecycleEngine {
  start(): void;
  stop(): Promise<void>;
  /** Does all that can be done now. For tests, and for callers that have just committed. */
  settle(): void;
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
  const progress = createProgressWatch(clock, limits.stallMilliseconds);
  const pace = createHealPace(clock, limits.healBackoffMilliseconds);
  const stopping = new AbortController();
  let unsubscribe: (() => void) | undefined;
  let loop: Promise<void> | undefined;
  let isScheduled = false;

  /** One function as far as it goes now. Whether anything was committed. */
  function look(id: VnfInstanceId): boolean {
    let hasCommitted = false;
    for (let step = 0; step < MOST_STEPS && advanceOperation(context, progress, id); step += 1)
      hasCommitted = true;
    const healing = healAutomatically(context, pace, id);
    if (healing.isTroubled) troubled.add(id);
    else troubled.delete(id);
    return assign(id) || hasCommitted || healing.hasCommitted;
  }

  function assign(id: VnfInstanceId): boolean {
    const record = context.state.get('vnf-instance', id);
    if (record === undefined) return false;
    const writes = computeAssignmentWrites(context, id, record.tenant, record.document);
    context.commit(writes);
    return writes.length > 0;
  }

  function settle(): void {
    for (let looks = 0; looks < MOST_LOOKS; looks += 1) {
      const [id] = dirty;
      if (id === undefined) return;
      dirty.delete(id);
      try {
        if (look(id)) markWithNeighbours(id);
      } catch (error) {
        report(id, error);
        troubled.add(id);
      }
    }
    schedule();
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
      if (document.wanted.length > 0) hearHosts(vnfInstanceId);
    }
    progress.retain(active);
    settle();
  }

  /** A host that falls silent, or is heard again, makes no record of ours change: compare with last time. */
  function hearHosts(id: VnfInstanceId): void {
    const instance = context.state.get('vnf-instance', id)?.document;
    if (instance === undefined) return;
    const { descriptor } = packageOf(context.catalog, instance.vnfPkgId);
    const verdicts = hostsOfWanted(instance.wanted).map((hostId) => {
      const { isLost, isAbandoned } = judgeHost(context.state, context.liveness, descriptor, hostId);
      return isLost ? `${hostId}${isAbandoned ? '!' : ''}` : '';
    });
    const heard = verdicts.join(' ').trim();
    if (heard !== (silence.get(id) ?? '')) markWithNeighbours(id);
    silence.set(id, heard);
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
      markAll();
      settle();
    },
    start: () => {
      unsubscribe = store.subscribe(({ entries }) => {
        for (const { kind, id } of entries) {
          for (const owner of index.touch(kind, id)) markWithNeighbours(owner);
          if (kind === 'host' || kind === 'host-facts') markAll();
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
