import { IotmanoError, messageOf, type Clock, type Logger, type VnfInstanceId } from '../../kernel/index.ts';
import type { ScalingAspectDocument, VnfInstanceDocument } from '../domain/index.ts';
import { packageOf, type Lifecycle } from '../lifecycle/index.ts';
import type { Monitoring } from '../monitoring/index.ts';
import type { Change, StateStore, StoredRecord } from '../store/index.ts';
import { scalingAspectId } from './aspect-id.ts';
import { describeHold, holdOf, type Hold, type ManualScaling } from './holds.ts';
import { createLimitCounts, type ScalingLimits } from './limits.ts';
import { inputOf } from './look-at-aspect.ts';
import { createManualScalings } from './manual-scalings.ts';
import { evaluateAspect } from './policies/index.ts';
import { createRoomAlarms } from './room-alarms.ts';
import { takeStep, type StepAlarms } from './take-step.ts';
import { watchAspects, type WatchedAspect } from './watched-aspect.ts';

export interface ScalingLoopOptions {
  readonly store: StateStore;
  readonly lifecycle: Pick<Lifecycle, 'automaticScalings' | 'context'>;
  readonly monitoring: Pick<Monitoring, 'latestReadings' | 'collectEverySecondsOf' | 'onMeasurements'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly alarms: StepAlarms;
  readonly limits?: ScalingLimits;
}

/**
 * Looks at every aspect that has a policy whenever its instances have told something, and now and then where they have not, and takes
 * the steps that are wished. Level-triggered: what it knows besides the store only makes it better.
 */
export interface ScalingLoop {
  start(): void;
  stop(): Promise<void>;
  /** Looks at all that is due; for tests, and for callers that have just changed something. */
  tick(): void;
  watchedOf(vnfInstanceId: VnfInstanceId): readonly WatchedAspect[];
  /** The latest scaling of an aspect by hand, by the id of its record. */
  latestByHand(aspectId: string): ManualScaling | undefined;
}

const TICK_MILLISECONDS = 250;
/** An aspect that is told nothing is looked at that often nevertheless: times of schedules come, and what was told grows stale. */
const IDLE_MILLISECONDS = 5_000;
/** Hosts tell at times of their own: one look for what comes within this part of a period. */
const LEAST_PERIODS = 0.5;
const SAVE_MILLISECONDS = 60_000;

export function createScalingLoop(options: ScalingLoopOptions): ScalingLoop {
  const { store, lifecycle, monitoring, clock, log } = options;
  const limits = createLimitCounts(store, options.limits ?? {});
  const watched = new Map<VnfInstanceId, readonly WatchedAspect[]>();
  const told = new Set<VnfInstanceId>();
  const stopping = new AbortController();
  let manual = createManualScalings(store);
  let alarms = createRoomAlarms(options.alarms);
  let ends: readonly (() => void)[] = [];
  let loop: Promise<void> | undefined;
  let isScheduled = false;

  const documentOf = (id: VnfInstanceId, aspect: string): ScalingAspectDocument | undefined =>
    store.get('scaling-aspect', scalingAspectId(id, aspect))?.document;

  /** After anything about a function has changed. */
  function watch(id: VnfInstanceId): void {
    keepInMind(id);
    alarms.settle(id, watched.get(id) ?? []);
  }

  /** Which aspects of a function are to be watched. */
  function keepInMind(id: VnfInstanceId): void {
    const instance = store.get('vnf-instance', id)?.document;
    if (instance === undefined || !isScalable(instance)) {
      watched.delete(id);
      return;
    }
    const { descriptor } = packageOf(lifecycle.context.catalog, instance.vnfPkgId);
    const documents = (aspect: string) => documentOf(id, aspect);
    const aspects = watchAspects(id, descriptor, documents, watched.get(id) ?? []);
    if (aspects.length === 0) watched.delete(id);
    else watched.set(id, aspects);
  }

  function standingHold({ vnfInstanceId, aspect, policy }: WatchedAspect): Hold | undefined {
    const document = documentOf(vnfInstanceId, aspect.aspect) ?? {};
    const latest = manual.latest(scalingAspectId(vnfInstanceId, aspect.aspect));
    return holdOf(document, latest, policy.holdSeconds, clock.now());
  }

  function look(record: StoredRecord<'vnf-instance'>, one: WatchedAspect): void {
    const now = clock.now();
    const hold = standingHold(one);
    const input = inputOf(monitoring, one, {
      tenant: record.tenant,
      instance: record.document,
      now,
      left: limits.leftFor(record.tenant),
      ...(hold === undefined ? {} : { held: describeHold(hold) }),
    });
    const evaluation = evaluateAspect(one.policy, one.state, input);
    one.state = evaluation.state;
    one.last = { at: now, level: input.level, evaluation };
    one.lookedAt = clock.monotonic();
    one.isUnsaved = true;
    takeStep({ ...options, alarms, limits }, record, one, input.level);
    if (learns(one) && clock.monotonic() - one.savedAt >= SAVE_MILLISECONDS) save(record, one);
  }

  /** What a policy has learned is worth keeping; what is lost of it in a crash is a minute's. */
  function save({ tenant }: StoredRecord<'vnf-instance'>, one: WatchedAspect): void {
    if (!one.isUnsaved || one.state === undefined) return;
    const id = scalingAspectId(one.vnfInstanceId, one.aspect.aspect);
    const document = { ...documentOf(one.vnfInstanceId, one.aspect.aspect), state: one.state };
    store.commit([{ op: 'put', kind: 'scaling-aspect', id, tenant, document }]);
    one.savedAt = clock.monotonic();
    one.isUnsaved = false;
  }

  function lookAt(id: VnfInstanceId): void {
    const due = (watched.get(id) ?? []).filter((one) => isDue(one));
    for (const one of due) {
      // A step of one aspect makes the function busy, and the others look at what it wants now.
      const record = store.get('vnf-instance', id);
      if (record === undefined) return;
      try {
        look(record, one);
      } catch (error) {
        one.lookedAt = clock.monotonic();
        report(id, error);
      }
    }
    if (due.length === 0) return;
    told.delete(id);
    alarms.settle(id, watched.get(id) ?? []);
  }

  function isDue({ vnfInstanceId, aspect, lookedAt }: WatchedAspect): boolean {
    const since = clock.monotonic() - lookedAt;
    if (since >= IDLE_MILLISECONDS) return true;
    if (!told.has(vnfInstanceId)) return false;
    const periods = Object.keys(aspect.deltas).map((unit) =>
      monitoring.collectEverySecondsOf(vnfInstanceId, unit),
    );
    return since >= Math.min(...periods) * 1000 * LEAST_PERIODS;
  }

  function report(vnfInstanceId: VnfInstanceId, error: unknown): void {
    const isExpected = error instanceof IotmanoError && error.status < 500;
    if (isExpected) log.warn({ vnfInstanceId, error: messageOf(error) }, 'a scaling waits');
    else log.error({ vnfInstanceId, err: error }, 'a function cannot be scaled');
  }

  function schedule(): void {
    if (isScheduled || stopping.signal.aborted) return;
    isScheduled = true;
    setImmediate(() => {
      isScheduled = false;
      if (!stopping.signal.aborted) for (const id of told) lookAt(id);
    });
  }

  function follow(change: Change): void {
    manual.take(change);
    for (const { kind, id, record } of change.entries) {
      if (kind === 'vnf-instance') {
        watch(id as VnfInstanceId);
        if (record === undefined) forget(id as VnfInstanceId);
      } else if (kind === 'scaling-aspect') watch(id.slice(0, id.indexOf('.')) as VnfInstanceId);
    }
  }

  /** Nothing is left of a function that there is no more. */
  function forget(id: VnfInstanceId): void {
    const records = [...store.listByPrefix('scaling-aspect', `${id}.`)];
    for (const record of records) manual.forget(record.id);
    store.commit(
      records.map(({ id: recordId, revision }) => ({
        op: 'delete',
        kind: 'scaling-aspect',
        id: recordId,
        expectedRevision: revision,
      })),
    );
  }

  function tick(): void {
    for (const id of watched.keys()) lookAt(id);
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      await clock.sleep(TICK_MILLISECONDS, stopping.signal);
      if (!stopping.signal.aborted) tick();
    }
  }

  return {
    tick,
    watchedOf: (id) => watched.get(id) ?? [],
    latestByHand: (aspectId) => manual.latest(aspectId),
    start: () => {
      manual = createManualScalings(store);
      alarms = createRoomAlarms(options.alarms);
      for (const { id } of store.list('vnf-instance')) watch(id as VnfInstanceId);
      for (const id of alarms.functions()) watch(id);
      ends = [
        store.subscribe(follow),
        monitoring.onMeasurements((functions) => {
          for (const id of functions) if (watched.has(id)) told.add(id);
          if (told.size > 0) schedule();
        }),
      ];
      loop = run();
    },
    stop: async () => {
      stopping.abort();
      for (const end of ends) end();
      await loop;
      for (const [id, aspects] of watched) {
        const record = store.get('vnf-instance', id);
        if (record !== undefined) for (const one of aspects) save(record, one);
      }
    },
  };
}

/** Others remember nothing that they would not find again within a minute. */
function learns({ policy: { type } }: WatchedAspect): boolean {
  return type === 'predictive' || type === 'learning';
}

/** What covers hosts follows them, and what is not there has nothing to scale. */
function isScalable({ instantiationState, coverage }: VnfInstanceDocument): boolean {
  return instantiationState === 'INSTANTIATED' && coverage === undefined;
}
