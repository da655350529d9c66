import type { HostId } from '../../kernel/index.ts';
import { copyName, wantedVnfcs, type WantedUnit, type WantedVnfc } from '../domain/index.ts';
import { describePlan } from '../placement/index.ts';
import type { WantedPlan } from './plan-wanted.ts';

/** What an operation would do, for people and programs: made by the same code that runs it. */
export interface PlanReport {
  readonly fits: boolean;
  readonly instances: readonly {
    readonly function: string;
    readonly unit: string;
    readonly hostId: HostId;
    readonly slot: number;
    readonly change: 'ADDED' | 'KEPT' | 'REMOVED';
  }[];
  /** Why something finds no host, with counts; also hosts that coverage names and that cannot run it. */
  readonly reasons: readonly string[];
}

/** The difference between what is wanted and what a plan wants. */
export function reportPlan(name: string, before: readonly WantedUnit[], plan: WantedPlan): PlanReport {
  const text = describePlan(plan.problem, plan.result);
  if (plan.wanted === undefined) return { fits: false, instances: [], reasons: text };
  const old = new Set(wantedVnfcs(before).map(copyName));
  const now = wantedVnfcs(plan.wanted);
  const kept = new Set(now.map(copyName));
  const entry = (copy: WantedVnfc, change: 'ADDED' | 'KEPT' | 'REMOVED') => ({
    function: name,
    unit: copy.unit,
    hostId: copy.hostId,
    slot: copy.slot,
    change,
  });
  return {
    fits: true,
    instances: [
      ...now.map((copy) => entry(copy, old.has(copyName(copy)) ? 'KEPT' : 'ADDED')),
      ...wantedVnfcs(before)
        .filter((copy) => !kept.has(copyName(copy)))
        .map((copy) => entry(copy, 'REMOVED')),
    ],
    reasons:
      plan.result.fits && plan.result.skipped.length > 0 ? text.slice(-plan.result.skipped.length) : [],
  };
}
