/** What plans that move what is placed are asked, and what they say. Plain, immutable data. */
import type { HostId, VnfInstanceId } from '../../kernel/index.ts';
import type { PlacementRequest, PlacementRule } from './types.ts';

/** A function of which something is placed. */
export interface PlacedFunction {
  /** With as many instances of each unit as are placed. */
  readonly request: PlacementRequest;
  /** An instance ends before its successor starts. */
  readonly isSingleWriter?: boolean;
  /** Why nothing of it may be moved ("keeps a volume there"); absent: it may. */
  readonly pinned?: string;
  /** What pins it passes by itself: planning again a little later may find it free. */
  readonly isPinnedForNow?: boolean;
  /** The same of single units, by name. */
  readonly pinnedUnits?: Readonly<Record<string, string>>;
}

export interface RelocationProblem {
  /** All whose rules count, also those that may not be moved. What is placed of others takes room and nothing more. */
  readonly functions: readonly PlacedFunction[];
  /** Of the services that they belong to. */
  readonly rules: readonly PlacementRule[];
}

export type RelocationGoal =
  /** Instances of one function leave the hosts `from` (absent: each the one where it is), for the hosts `to` (absent: any other). */
  | {
      readonly kind: 'move';
      readonly functionId: VnfInstanceId;
      /** Absent: all. */
      readonly units?: readonly string[];
      readonly from?: readonly HostId[];
      readonly to?: readonly HostId[];
    }
  | { readonly kind: 'drain'; readonly hosts: readonly HostId[] }
  /** All hosts whose labels satisfy an expression: `zone = north`. */
  | { readonly kind: 'evacuate'; readonly expression: string }
  /** Better places where there are such, and less unequal hosts among places that are as good. */
  | { readonly kind: 'rebalance' }
  /** As many hosts without anything on them as can be had, the dearest first. */
  | { readonly kind: 'consolidate' };

/** How much a plan may disturb; what is absent bounds nothing. */
export interface DisruptionBudget {
  /** Of all functions. */
  readonly maxInstances?: number;
  /** Of one function. */
  readonly maxAway?: number;
  /** Of the instances of a function, 0 to 1; one may always be away. */
  readonly maxAwayShare?: number;
  /** As `costOf` counts it. */
  readonly maxCost?: number;
}

/** `time`: the plan had to be ready before more could be looked at. */
export type BudgetLimit = keyof DisruptionBudget | 'time';

export interface RelocationPace {
  /** Share of the time for the plan that is left: 1 at its begin; at 0 it ends with what it has. */
  readonly timeLeft: () => number;
  /** Which functions a rebalancing looks at first, as there may be no time for all: 0 the first, nearly 1 the last and then those from the first on. */
  readonly startAt: number;
}

export interface RelocationMove {
  /** Moves of one step are carried out together, or not at all; every rule holds after each step. From 1 on. */
  readonly step: number;
  readonly functionId: VnfInstanceId;
  readonly unit: string;
  readonly from: HostId;
  readonly to: HostId;
  readonly instances: number;
  /** In instances of a function that has very many. */
  readonly cost: number;
  /** How much better placement rates the new place, for each instance, given where all others are; negative: worse. */
  readonly gain: number;
}

interface StayingInstances {
  readonly functionId: VnfInstanceId;
  readonly name: string;
  readonly unit: string;
  readonly hostId: HostId;
  readonly instances: number;
}

/** What the goal names and what cannot be moved. */
export interface StuckInstances extends StayingInstances {
  readonly reason: string;
  /** It passes by itself: planning again a little later may move it. */
  readonly isPassing: boolean;
}

/** What could perhaps be moved, if the budget were larger. */
export interface SparedInstances extends StayingInstances {
  readonly limit: BudgetLimit;
}

export interface BeforeAndAfter {
  readonly before: number;
  readonly after: number;
}

export interface RelocationPlan {
  readonly moves: readonly RelocationMove[];
  readonly instances: number;
  readonly cost: number;
  /** Of all functions of the problem, as `totalScore` counts it. */
  readonly score: BeforeAndAfter;
  /** Standard deviation, over READY hosts, of the share that is used of the scarcer of CPU and memory. */
  readonly loadSpread: BeforeAndAfter;
  /** Hosts that held something before, and hold nothing afterwards. */
  readonly freedHosts: readonly HostId[];
  readonly stuck: readonly StuckInstances[];
  readonly spared: readonly SparedInstances[];
  /** Time was up before all was looked at: planning again when this is done goes on. */
  readonly isCutShort: boolean;
}
