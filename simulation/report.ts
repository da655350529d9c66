import type { Cause } from './measures/disruptions.ts';
import type { CopyTotals } from './measures/ledger.ts';
import type { Utilisation } from './measures/utilisation.ts';

/** One moment of a simulation. */
export interface Sample extends CopyTotals, Utilisation {
  /** Since the start. */
  readonly atSeconds: number;
  readonly hostsUp: number;
  readonly hostsInUse: number;
  /** Of the hosts in use. */
  readonly costPerHour: number;
  /** So far. */
  readonly placements: number;
  /** So far, whatever the cause. */
  readonly disruptions: number;
}

export interface Quantiles {
  readonly count: number;
  readonly p50Seconds?: number;
  readonly p99Seconds?: number;
}

/** What a simulation found. The same scenario and seed make the same report. */
export interface SimulationReport {
  readonly scenario: string;
  readonly seed: number;
  readonly durationSeconds: number;
  readonly hosts: number;
  readonly samples: readonly Sample[];
  readonly totals: {
    /** Of copies that were wanted. */
    readonly wantedSeconds: number;
    /** Of copies that had no host. */
    readonly unplacedSeconds: number;
    readonly peakUnplaced: number;
    /** Of copies that did not run, for whatever reason. */
    readonly downSeconds: number;
    readonly peakDown: number;
    readonly disruptions: Readonly<Record<Cause, number>>;
    readonly cost: number;
    /** Copies that were given a host. */
    readonly placements: number;
    /** Requests that were made again. */
    readonly retries: number;
    readonly toPlace: Quantiles;
    readonly toRecover: Quantiles;
    readonly services: {
      readonly asked: number;
      /** At the end. */
      readonly instantiated: number;
      readonly terminated: number;
      /** From the request until all functions run. */
      readonly toInstantiate: Quantiles;
      /** From the request until nothing is left. */
      readonly toTerminate: Quantiles;
    };
  };
}

/** What differs from run to run: it took the machine that long. */
export interface Timings {
  readonly plans: number;
  readonly planningSeconds: number;
  readonly wallSeconds: number;
}
