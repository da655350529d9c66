import { IotmanoError, messageOf, type NsInstanceId } from '../../kernel/index.ts';
import type { Clock, IdSource, Logger } from '../../kernel/index.ts';
import type { Lifecycle } from '../lifecycle/index.ts';
import type { StateStore } from '../store/index.ts';
import { advanceService } from './advance-service.ts';
import type { ServicesContext } from './context.ts';
import { createNsOpOccUseCases, type NsOpOccUseCases } from './ns-op-occ-use-cases.ts';
import { createNsUseCases, type NsUseCases } from './ns-use-cases.ts';
import { createAutomaticServiceScalings, type AutomaticServiceScalings } from './scale-automatically.ts';
import { serviceProgress, type ServiceProgress } from './service-progress.ts';

export interface ServicesOptions {
  readonly store: StateStore;
  readonly lifecycle: Lifecycle;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly logger: Logger;
  readonly tickMilliseconds?: number;
}

/** The service lifecycle (NFVO): use cases, and the engine that drives operations of functions. */
export interface Services {
  readonly ns: NsUseCases;
  readonly opOccs: NsOpOccUseCases;
  readonly automaticScalings: AutomaticServiceScalings;
  readonly engine: ServicesEngine;
  readonly progressOf: (operationId: string) => ServiceProgress | undefined;
  readonly context: ServicesContext;
}

/** Level-triggered, as the function lifecycle's: all that it knows is in the store. */
export interface ServicesEngine {
  start(): void;
  stop(): Promise<void>;
  /** Does all that can be done now. */
  lookAtAll(): void;
}

const DEFAULT_TICK_MILLISECONDS = 1_000;
/** Steps of one service that follow each other without anything else happening. */
const MOST_STEPS = 50;

export function createServices(options: ServicesOptions): Services {
  const { store, lifecycle, clock, ids, logger } = options;
  const context: ServicesContext = { state: store, lifecycle, clock, ids, logger };
  return {
    ns: createNsUseCases(context),
    opOccs: createNsOpOccUseCases(context),
    automaticScalings: createAutomaticServiceScalings(context),
    engine: createEngine(context, store, options.tickMilliseconds ?? DEFAULT_TICK_MILLISECONDS),
    progressOf: (id) => serviceProgress(context, id),
    context,
  };
}

function createEngine(context: ServicesContext, store: StateStore, tickMilliseconds: number): ServicesEngine {
  const stopping = new AbortController();
  let unsubscribe: (() => void) | undefined;
  let loop: Promise<void> | undefined;
  let isScheduled = false;

  function lookAtAll(): void {
    for (const { id, document } of Array.from(context.state.list('ns-instance'))) {
      if (document.activeOpOcc === undefined) continue;
      try {
        for (let step = 0; step < MOST_STEPS && advanceService(context, id as NsInstanceId); step += 1);
      } catch (error) {
        const isExpected = error instanceof IotmanoError && error.status < 500;
        if (isExpected) context.logger.warn({ nsInstanceId: id, error: messageOf(error) }, 'a service waits');
        else context.logger.error({ nsInstanceId: id, err: error }, 'a service cannot be looked after');
      }
    }
  }

  function schedule(): void {
    if (isScheduled || stopping.signal.aborted) return;
    isScheduled = true;
    setImmediate(() => {
      isScheduled = false;
      if (!stopping.signal.aborted) lookAtAll();
    });
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      await context.clock.sleep(tickMilliseconds, stopping.signal);
      if (!stopping.signal.aborted) lookAtAll();
    }
  }

  return {
    lookAtAll,
    start: () => {
      const kinds = new Set(['ns-instance', 'ns-lcm-op-occ', 'vnf-instance', 'vnf-lcm-op-occ']);
      unsubscribe = store.subscribe(({ entries }) => {
        if (entries.some(({ kind }) => kinds.has(kind))) schedule();
      });
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
