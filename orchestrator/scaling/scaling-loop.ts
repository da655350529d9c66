import {
  IotmanoError,
  messageOf,
  type Clock,
  type Logger,
  type NsInstanceId,
  type TenantId,
  type VnfInstanceId,
} from '../../kernel/index.ts';
import type { ScalingAspectDocument } from '../domain/index.ts';
import type { Lifecycle } from '../lifecycle/index.ts';
import type { Monitoring } from '../monitoring/index.ts';
import type { Services } from '../services/index.ts';
import type { Change, StateStore } from '../store/index.ts';
import { scalingAspectId, type ScaledId } from './aspect-id.ts';
import { describeHold, holdOf, type ManualScaling } from './holds.ts';
import { createLimitCounts, type ScalingLimits } from './limits.ts';
import { createManualScalings } from './manual-scalings.ts';
import { evaluateAspect, type AspectInput } from './policies/index.ts';
import { createRoomAlarms } from './room-alarms.ts';
import type { Scaled, ScaledAspect } from './scaled.ts';
import { scaledFunction } from './scaled-functions.ts';
import { scaledService } from './scaled-services.ts';
import { takeStep, type StepAlarms } from './take-step.ts';
import { watchAspects, type WatchedAspect } from './watched-aspect.ts';

export interface ScalingLoopOptions {
  readonly store: StateStore;
  readonly lifecycle: Pick<Lifecycle, 'automaticScalings' | 'context'>;
  readonly services: Pick<Services, 'automaticScalings' | 'context'>;
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
  watchedOf(id: ScaledId): readonly WatchedAspect[];
  /** The latest scaling of an aspect by hand, or of a function that it scales. */
  latestByHand(id: ScaledId, aspect: ScaledAspect): ManualScaling | undefined;
  /** The service that scales an aspect of a function by a policy of its own. */
  driverOf(scaled: Scaled, aspect: string): Driver | undefined;
}

export interface Driver {
  readonly nsInstanceId: NsInstanceId;
  readonly nsInstanceName: string;
  readonly aspectId: string;
}

const TICK_MILLISECONDS = 250;
/** An aspect that is told nothing is looked at that often nevertheless: times of schedules come, and what was told grows stale. */
const IDLE_MILLISECONDS = 5_000;
/** Hosts tell at times of their own: one look for what comes within this part of a period. */
const LEAST_PERIODS = 0.5;
const SAVE_MILLISECONDS = 60_000;

export function createScalingLoop(options: ScalingLoopOptions): ScalingLoop {
  const { store, monitoring, clock, log } = options;
  const limits = createLimitCounts(store, options.limits ?? {});
  const watched = new Map<ScaledId, readonly WatchedAspect[]>();
  const told = new Set<ScaledId>();
  const stopping = new AbortController();
  let manual = createManualScalings(store);
  let alarms = createRoomAlarms(options.alarms);
  let ends: readonly (() => void)[] = [];
  let loop: Promise<void> | undefined;
  let isScheduled = false;

  const find = (id: ScaledId): Scaled | undefined =>
    scaledFunction(options, id) ?? scaledService(options, id);
  const documentOf = (id: ScaledId, aspect: string): ScalingAspectDocument | undefined =>
    store.get('scaling-aspect', scalingAspectId(id, aspect))?.document;
  const serviceOf = (id: VnfInstanceId): NsInstanceId | undefined =>
    store.get('vnf-instance', id)?.document.nsInstanceId;

  /** After anything about a function or a service has changed. */
  function watch(id: ScaledId): void {
    const scaled = find(id);
    const known = watched.get(id) ?? [];
    const documents = (aspect: string) => documentOf(id, aspect);
    const aspects = scaled?.isActive === true ? watchAspects(scaled, documents, known) : [];
    if (aspects.length === 0) watched.delete(id);
    else watched.set(id, aspects);
    for (const vnfInstanceId of scaled?.functions ?? [id as VnfInstanceId]) settleAlarm(vnfInstanceId);
  }

  /** Of a function, its own aspects and those of its service may wait for room. */
  function settleAlarm(id: VnfInstanceId): void {
    const service = serviceOf(id);
    const ofService = service === undefined ? [] : (watched.get(service) ?? []);
    alarms.settle(id, [...(watched.get(id) ?? []), ...ofService]);
  }

  /** What is scaled by hand for a while: itself, or a function that it scales. */
  function latestByHand(id: ScaledId, { aspect, drives = {} }: ScaledAspect): ManualScaling | undefined {
    const constituents = store.get('ns-instance', id)?.document.constituents ?? {};
    const keys = Object.entries(drives).flatMap(([name, own]) => {
      const vnfInstanceId = constituents[name];
      return vnfInstanceId === undefined ? [] : [scalingAspectId(vnfInstanceId, own)];
    });
    return [scalingAspectId(id, aspect), ...keys]
      .flatMap((key) => manual.latest(key) ?? [])
      .reduce<ManualScaling | undefined>(
        (latest, one) => (latest === undefined || one.at > latest.at ? one : latest),
        undefined,
      );
  }

  /** A service that scales a function by a policy of its own leaves nothing to the function's. */
  function driverOf(scaled: Scaled, aspect: string): Driver | undefined {
    const { constituent, nsInstanceId } = store.get('vnf-instance', scaled.id)?.document ?? {};
    if (constituent === undefined || nsInstanceId === undefined) return undefined;
    const driving = watched.get(nsInstanceId)?.find((one) => one.aspect.drives?.[constituent] === aspect);
    const name = store.get('ns-instance', nsInstanceId)?.document.name ?? nsInstanceId;
    return driving === undefined
      ? undefined
      : { nsInstanceId, nsInstanceName: name, aspectId: driving.aspect.aspect };
  }

  function whyHeld(scaled: Scaled, { aspect, policy }: WatchedAspect): string | undefined {
    const driver = driverOf(scaled, aspect.aspect);
    if (driver !== undefined)
      return `the service ${driver.nsInstanceName} scales it by its aspect ${driver.aspectId}`;
    const document = documentOf(scaled.id, aspect.aspect) ?? {};
    const hold = holdOf(document, latestByHand(scaled.id, aspect), policy.holdSeconds, clock.now());
    return hold === undefined ? undefined : describeHold(hold);
  }

  function inputOf(scaled: Scaled, one: WatchedAspect): AspectInput {
    const { aspect, min, max } = one.aspect;
    const now = clock.now();
    const held = whyHeld(scaled, one);
    const left = limits.leftFor(scaled.tenant);
    return {
      now,
      level: scaled.levelOf(aspect),
      min,
      max,
      readings: scaled.readingsOf(aspect, one.policy, now),
      ...(left === undefined
        ? {}
        : {
            ceiling: {
              level: scaled.levelWithin(aspect, left),
              reason: `the tenant ${scaled.tenant} may have ${left} instances more by scaling out`,
            },
          }),
      ...(held === undefined ? {} : { held }),
    };
  }

  function look(scaled: Scaled, one: WatchedAspect): void {
    const input = inputOf(scaled, one);
    const evaluation = evaluateAspect(one.policy, one.state, input);
    one.state = evaluation.state;
    one.last = { at: input.now, level: input.level, evaluation };
    one.lookedAt = clock.monotonic();
    one.isUnsaved = true;
    takeStep({ ...options, alarms, limits }, scaled, one, input.level);
    if (learns(one) && clock.monotonic() - one.savedAt >= SAVE_MILLISECONDS) save(scaled.tenant, one);
  }

  /** What a policy has learned is worth keeping; what is lost of it in a crash is a minute's. */
  function save(tenant: TenantId, one: WatchedAspect): void {
    if (!one.isUnsaved || one.state === undefined) return;
    const id = scalingAspectId(one.id, one.aspect.aspect);
    const document = { ...documentOf(one.id, one.aspect.aspect), state: one.state };
    store.commit([{ op: 'put', kind: 'scaling-aspect', id, tenant, document }]);
    one.savedAt = clock.monotonic();
    one.isUnsaved = false;
  }

  function lookAt(id: ScaledId): void {
    const due = (watched.get(id) ?? []).filter((one) => isDue(one));
    if (due.length === 0) return;
    told.delete(id);
    for (const one of due) {
      // A step of one aspect makes it busy, and the others look at what it wants now.
      const scaled = find(id);
      if (scaled?.isActive !== true) return;
      try {
        look(scaled, one);
      } catch (error) {
        one.lookedAt = clock.monotonic();
        report(id, error);
      }
      for (const vnfInstanceId of scaled.functions) settleAlarm(vnfInstanceId);
    }
  }

  function isDue({ id, aspect, lookedAt }: WatchedAspect): boolean {
    const since = clock.monotonic() - lookedAt;
    if (since >= IDLE_MILLISECONDS) return true;
    if (!told.has(id)) return false;
    const everySeconds = find(id)?.everySecondsOf(aspect.aspect) ?? 0;
    return since >= everySeconds * 1000 * LEAST_PERIODS;
  }

  function report(scaledId: ScaledId, error: unknown): void {
    const isExpected = error instanceof IotmanoError && error.status < 500;
    if (isExpected) log.warn({ scaledId, error: messageOf(error) }, 'a scaling waits');
    else log.error({ scaledId, err: error }, 'it cannot be scaled');
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
    const touched = new Set<ScaledId>();
    for (const { kind, id, record } of change.entries) {
      if (kind === 'scaling-aspect') touched.add(id.slice(0, id.indexOf('.')) as ScaledId);
      if (kind !== 'vnf-instance' && kind !== 'ns-instance') continue;
      touched.add(id as ScaledId);
      const service = kind === 'vnf-instance' ? serviceOf(id as VnfInstanceId) : undefined;
      if (service !== undefined) touched.add(service);
      if (record === undefined) forget(id as ScaledId);
    }
    for (const id of touched) watch(id);
  }

  /** Nothing is left of a function or service that there is no more. */
  function forget(id: ScaledId): void {
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

  function hear(functions: Iterable<VnfInstanceId>): void {
    for (const id of functions) {
      const service = serviceOf(id);
      if (watched.has(id)) told.add(id);
      if (service !== undefined && watched.has(service)) told.add(service);
    }
    if (told.size > 0) schedule();
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
    latestByHand,
    driverOf,
    start: () => {
      manual = createManualScalings(store);
      alarms = createRoomAlarms(options.alarms);
      for (const kind of ['ns-instance', 'vnf-instance'] as const)
        for (const { id } of store.list(kind)) watch(id as ScaledId);
      for (const id of alarms.functions()) watch(id);
      ends = [store.subscribe(follow), monitoring.onMeasurements(hear)];
      loop = run();
    },
    stop: async () => {
      stopping.abort();
      for (const end of ends) end();
      await loop;
      for (const [id, aspects] of watched) {
        const scaled = find(id);
        if (scaled !== undefined) for (const one of aspects) save(scaled.tenant, one);
      }
    },
  };
}

/** Others remember nothing that they would not find again within a minute. */
function learns({ policy: { type } }: WatchedAspect): boolean {
  return type === 'predictive' || type === 'learning';
}
