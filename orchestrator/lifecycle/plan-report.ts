import type { HostId, VnfInstanceId } from '../../kernel/index.ts';
import { copyName, wantedVnfcs, type WantedUnit, type WantedVnfc } from '../domain/index.ts';
import {
  describePlan,
  viewChange,
  type ChangeView,
  type PlacementProblem,
  type PlacementReason,
  type PlacementResult,
  type RatedHost,
} from '../placement/index.ts';
import type { WantedPlan } from './plan-wanted.ts';

/** How hosts compared when one was chosen. */
export interface ChoiceReport {
  readonly score: number;
  /** What the score is the sum of, by name. */
  readonly parts: Readonly<Record<string, number>>;
  /** The next best, best first. */
  readonly runnersUp: readonly RatedHost[];
}

export interface InstanceReport extends Partial<ChoiceReport> {
  readonly function: string;
  readonly unit: string;
  readonly hostId: HostId;
  readonly slot: number;
  readonly change: 'ADDED' | 'KEPT' | 'REMOVED';
}

/** A unit for some of whose instances there is no host. */
export interface ShortfallReport {
  readonly function: string;
  readonly unit: string;
  readonly missing: number;
  readonly consideredHosts: number;
  readonly reasons: readonly PlacementReason[];
}

/** Changes with which everything would fit. */
export interface RelaxationReport {
  readonly text: string;
  readonly hosts: number;
  readonly changes: readonly ChangeView[];
}

/** What an operation would do, for people and programs: made by the same code that runs it. */
export interface PlanReport {
  readonly fits: boolean;
  readonly instances: readonly InstanceReport[];
  /** Why something finds no host, with counts; also hosts that coverage names and that cannot run it. */
  readonly reasons: readonly string[];
  /** Empty where all fits. */
  readonly shortfalls: readonly ShortfallReport[];
  /** What would make all of it fit, the least change first. */
  readonly relaxations: readonly RelaxationReport[];
}

/** The difference between what is wanted and what a plan wants. */
export function reportPlan(
  { vnfInstanceId, name }: { readonly vnfInstanceId: VnfInstanceId; readonly name: string },
  before: readonly WantedUnit[],
  { problem, result, wanted }: WantedPlan,
): PlanReport {
  if (wanted === undefined) return reportFailure(problem, result);
  const old = new Set(wantedVnfcs(before).map(copyName));
  const now = wantedVnfcs(wanted);
  const kept = new Set(now.map(copyName));
  const choiceOf = choicesIn(result);
  const entry = (copy: WantedVnfc, change: InstanceReport['change']): InstanceReport => ({
    function: name,
    unit: copy.unit,
    hostId: copy.hostId,
    slot: copy.slot,
    change,
    ...(change === 'ADDED' ? choiceOf(vnfInstanceId, copy) : {}),
  });
  return reportSuccess(problem, result, [
    ...now.map((copy) => entry(copy, old.has(copyName(copy)) ? 'KEPT' : 'ADDED')),
    ...wantedVnfcs(before)
      .filter((copy) => !kept.has(copyName(copy)))
      .map((copy) => entry(copy, 'REMOVED')),
  ]);
}

/** A plan that places everything. */
export function reportSuccess(
  problem: PlacementProblem,
  result: PlacementResult,
  instances: readonly InstanceReport[],
): PlanReport {
  const skipped = result.fits ? result.skipped.length : 0;
  const reasons = skipped === 0 ? [] : describePlan(problem, result).slice(-skipped);
  return { fits: true, instances, reasons, shortfalls: [], relaxations: [] };
}

/** Why there is no plan, and what would make one. */
export function reportFailure(problem: PlacementProblem, result: PlacementResult): PlanReport {
  const { shortfalls = [], relaxations = [] } = result.fits ? {} : result;
  return {
    fits: false,
    instances: [],
    reasons: describePlan(problem, result),
    shortfalls: shortfalls.map(({ name, unit, missing, consideredHosts, reasons }) => ({
      function: name,
      unit,
      missing,
      consideredHosts,
      reasons,
    })),
    relaxations: relaxations.map(({ text, hosts, changes }) => ({
      text,
      hosts,
      changes: changes.map((change) => viewChange(problem, change)),
    })),
  };
}

/** Gives each added copy the decision that was made for it, as far as they were told: those of one place in their order. */
export function choicesIn(
  result: PlacementResult,
): (
  functionId: VnfInstanceId,
  copy: Pick<WantedVnfc, 'unit' | 'hostId'>,
) => ChoiceReport | Record<string, never> {
  const key = (functionId: VnfInstanceId, unit: string, hostId: HostId) => `${functionId} ${unit} ${hostId}`;
  const decisions = result.fits ? (result.decisions ?? []) : [];
  const waiting = Map.groupBy(decisions, ({ functionId, unit, chosen }) =>
    key(functionId, unit, chosen.hostId),
  );
  return (functionId, { unit, hostId }) => {
    const decision = waiting.get(key(functionId, unit, hostId))?.shift();
    if (decision === undefined) return {};
    const { chosen, runnersUp } = decision;
    return { score: chosen.score, parts: chosen.parts, runnersUp };
  };
}
