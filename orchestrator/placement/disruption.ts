import type { VnfInstanceId } from '../../kernel/index.ts';
import type { BudgetLimit, DisruptionBudget } from './relocation-types.ts';

/** What the only instance of a function counts for, against one of very many. */
const ONLY_INSTANCE = 10;
/** A single writer is away for certain while it moves: its successor may not overlap it. */
const SINGLE_WRITER = 2;

/**
 * What it costs to move one instance of a unit, in instances of a unit that has very many: `1 + 9/n` with `n` instances, so 10 for the only one, 5.5 for one
 * of two, 1.09 for one of a hundred; twice that for a single writer.
 */
export function costOf(instancesOfUnit: number, isSingleWriter = false): number {
  const cost = 1 + (ONLY_INSTANCE - 1) / Math.max(1, instancesOfUnit);
  return isSingleWriter ? cost * SINGLE_WRITER : cost;
}

/** Instances that are to be moved at once. */
export interface Disturbance {
  readonly functionId: VnfInstanceId;
  /** Of the function, all units. */
  readonly total: number;
  readonly instances: number;
  readonly cost: number;
}

/** How many of a plan's moves, from the first on, a budget allows, counting each by itself. */
export function countWithin(budget: DisruptionBudget, steps: readonly (readonly Disturbance[])[]): number {
  const account = new DisruptionAccount(budget);
  const over = steps.findIndex((step) => {
    if (account.refusal(step) !== undefined) return true;
    account.charge(step);
    return false;
  });
  return over < 0 ? steps.length : over;
}

/** Sums of costs are sums of fractions. */
const ROUNDING = 1e-9;

/** Keeps count of what a plan disturbs. */
export class DisruptionAccount {
  instances = 0;
  cost = 0;
  readonly #budget: DisruptionBudget;
  readonly #away = new Map<VnfInstanceId, number>();

  constructor(budget: DisruptionBudget) {
    this.#budget = budget;
  }

  /** The limit that forbids them; undefined: they are within the budget. */
  refusal(disturbances: readonly Disturbance[]): BudgetLimit | undefined {
    const {
      maxInstances = Infinity,
      maxAway = Infinity,
      maxAwayShare = Infinity,
      maxCost = Infinity,
    } = this.#budget;
    if (this.instances + sum(disturbances, 'instances') > maxInstances) return 'maxInstances';
    for (const [functionId, same] of Map.groupBy(disturbances, (each) => each.functionId)) {
      const away = (this.#away.get(functionId) ?? 0) + sum(same, 'instances');
      const total = same[0]?.total ?? 0;
      if (away > maxAway) return 'maxAway';
      if (away > Math.max(1, Math.floor(maxAwayShare * total + ROUNDING))) return 'maxAwayShare';
    }
    return this.cost + sum(disturbances, 'cost') > maxCost + ROUNDING ? 'maxCost' : undefined;
  }

  /** Whether not even one more instance is within the budget. */
  get isSpent(): boolean {
    const { maxInstances = Infinity, maxCost = Infinity } = this.#budget;
    return this.instances >= maxInstances || this.cost + 1 > maxCost + ROUNDING;
  }

  charge(disturbances: readonly Disturbance[]): void {
    for (const { functionId, instances, cost } of disturbances) {
      this.instances += instances;
      this.cost += cost;
      this.#away.set(functionId, (this.#away.get(functionId) ?? 0) + instances);
    }
  }

  /** What `charge` was told is not done after all. */
  refund(disturbances: readonly Disturbance[]): void {
    this.charge(disturbances.map((each) => ({ ...each, instances: -each.instances, cost: -each.cost })));
  }
}

function sum(disturbances: readonly Disturbance[], member: 'instances' | 'cost'): number {
  return disturbances.reduce((total, each) => total + each[member], 0);
}
