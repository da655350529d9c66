import type { Route } from '../api/route.ts';
import { scalingRoutes } from './routes.ts';
import { createScalingLoop, type ScalingLoopOptions } from './scaling-loop.ts';
import { createScalingUseCases, type ScalingUseCases } from './scaling-use-cases.ts';

export type ScalingOptions = ScalingLoopOptions;

/** Automatic scaling: policies over what is measured, and what operators set of them. */
export interface Scaling {
  readonly useCases: ScalingUseCases;
  readonly routes: readonly Route[];
  /** Only the leader starts it. */
  start(): void;
  /** Saves what policies have learned. To be called while the store still takes commits. */
  stop(): Promise<void>;
  /** Looks at all that is due. */
  tick(): void;
}

export function createScaling(options: ScalingOptions): Scaling {
  const loop = createScalingLoop(options);
  const useCases = createScalingUseCases(options);
  const inMind = {
    watchedOf: loop.watchedOf,
    latestByHand: loop.latestByHand,
    driverOf: loop.driverOf,
    now: () => options.clock.now(),
  };
  return {
    useCases,
    routes: scalingRoutes(useCases, inMind),
    start: loop.start,
    stop: loop.stop,
    tick: loop.tick,
  };
}
