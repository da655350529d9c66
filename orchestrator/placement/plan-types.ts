/** What placement says, and how it is to plan. Plain, immutable data as well. */
import type { HostId, VnfInstanceId } from '../../kernel/index.ts';
import type { FixedPort } from './types.ts';

export interface Placement {
  readonly functionId: VnfInstanceId;
  readonly unit: string;
  readonly hostId: HostId;
  readonly instances: number;
}

/** Why hosts were passed over: each host is counted once, under the first thing that it lacks. */
export interface PlacementReason {
  readonly text: string;
  readonly hosts: number;
}

export interface Shortfall {
  readonly functionId: VnfInstanceId;
  readonly name: string;
  readonly unit: string;
  /** Instances for which there is no host. */
  readonly missing: number;
  readonly consideredHosts: number;
  readonly reasons: readonly PlacementReason[];
  /** Of coverage: the hosts that match and cannot run it. */
  readonly hosts?: readonly HostId[];
}

/** One thing that is asked for less strictly; `at` counts in the list of the request, or of the rules of the problem. */
export type Change =
  | {
      readonly kind: 'resource';
      readonly functionId: VnfInstanceId;
      readonly unit: string;
      readonly resource: 'cpuMillis' | 'memoryBytes' | 'storageBytes';
      readonly from: number;
      readonly to: number;
    }
  | {
      readonly kind: 'device';
      readonly functionId: VnfInstanceId;
      readonly unit: string;
      readonly device: string;
      readonly from: number;
      readonly to: number;
    }
  | {
      readonly kind: 'instances';
      readonly functionId: VnfInstanceId;
      readonly unit: string;
      readonly from: number;
      readonly to: number;
    }
  /** The host chooses the port. */
  | {
      readonly kind: 'port';
      readonly functionId: VnfInstanceId;
      readonly unit: string;
      readonly port: FixedPort;
    }
  | {
      readonly kind: 'allow';
      readonly functionId: VnfInstanceId;
      readonly list: 'tiers' | 'architectures' | 'jurisdictions' | 'tolerates' | 'hosts';
      readonly value: string;
    }
  | { readonly kind: 'require'; readonly functionId: VnfInstanceId; readonly expression: string }
  /** Without `to`: best effort. */
  | {
      readonly kind: 'near';
      readonly functionId: VnfInstanceId;
      readonly at: number;
      readonly from: number;
      readonly to?: number;
    }
  /** Without `to`: best effort. */
  | {
      readonly kind: 'maxSkew';
      readonly functionId: VnfInstanceId;
      readonly at: number;
      readonly from: number;
      readonly to?: number;
    }
  /** Best effort. */
  | { readonly kind: 'affinity'; readonly functionId: VnfInstanceId; readonly at: number }
  /** Best effort. */
  | { readonly kind: 'rule'; readonly at: number }
  | { readonly kind: 'reserve'; readonly functionId: VnfInstanceId }
  | { readonly kind: 'undrain'; readonly hostId: HostId }
  | { readonly kind: 'freePort'; readonly hostId: HostId; readonly port: FixedPort };

/** Changes with which all that is asked for finds a place: found by planning with exactly these. */
export interface Relaxation {
  readonly changes: readonly Change[];
  /** Hosts of which each could then take one instance of what fell short; of several units, of the one that has fewest. */
  readonly hosts: number;
  /** For people: `fits on 3 hosts if …`. */
  readonly text: string;
}

export type PlacementResult =
  | {
      readonly fits: true;
      readonly additions: readonly Placement[];
      readonly removals: readonly Placement[];
      /** Instances of lower priority that make room; whoever carries the plan out places them anew, or not at all. */
      readonly evictions: readonly Placement[];
      /** Hosts that `coverage` names and that cannot run it: no reason to refuse the plan. */
      readonly skipped: readonly Shortfall[];
      /** By whoever plans for a report: how hosts compared for what is added, in order; not all where there is too much to compare. */
      readonly decisions?: readonly Decision[];
    }
  | {
      readonly fits: false;
      readonly shortfalls: readonly Shortfall[];
      /** By whoever plans for a report: what would make all of it fit, the least change first. */
      readonly relaxations?: readonly Relaxation[];
    };

export interface PlanningOptions {
  /** Steps of search for a plan where the first attempts find none, or a better one where they do; default 0: the first that fits counts. */
  readonly searchSteps?: number;
  /** Of these, how many at most for a better plan; default all. */
  readonly improvementSteps?: number;
  /** Decides between equals in the search; the same seed, the same plan. */
  readonly seed?: number;
  /** Asked before each step of search: true ends it with the best found so far. For whoever has a clock; absent: steps alone count. */
  readonly isOver?: () => boolean;
  /** Instances of others, at most, that may have to make room; default 0. */
  readonly maxEvictions?: number;
  /** Which of others may have to make room; absent: all that are of a lower priority. */
  readonly mayMakeRoom?: (functionId: VnfInstanceId) => boolean;
  /** Asked before each further plan that is only to explain why there is none: true ends it with what was found. Absent: their number alone counts. */
  readonly isPatienceOver?: () => boolean;
  /**
   * It is only asked whether all fits, and a no need not be final: what belongs together is tried in fewer places, and what falls short comes
   * without reasons, which take a look at every host. What fits in a trial, fits.
   */
  readonly isTrial?: boolean;
  /** Told each decision of a plan that fits, in order, with how the best hosts compared. */
  readonly onDecision?: (decision: Decision) => void;
}

/** A host as one decision saw it. */
export interface RatedHost {
  readonly hostId: HostId;
  readonly score: number;
  /** What the score is the sum of, by name. */
  readonly parts: Readonly<Record<string, number>>;
}

/** How the hosts compared at one decision: to be read while it is told, not later. */
export interface Decision {
  readonly functionId: VnfInstanceId;
  readonly unit: string;
  readonly chosen: RatedHost;
  /** The next best, at most three. */
  readonly runnersUp: readonly RatedHost[];
}
