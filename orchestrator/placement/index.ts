/** Placement: an immutable snapshot of the inventory and requests → a plan, or reasons. Pure. */
export type {
  FixedPort,
  HostSnapshot,
  PlacedUnit,
  Placement,
  PlacementProblem,
  PlacementReason,
  PlacementRequest,
  PlacementResult,
  PlacementRule,
  PlacementSnapshot,
  Resources,
  Shortfall,
  UnitDemand,
} from './types.ts';
export { describePlan } from './describe-plan.ts';
export { describeShortfall } from './reasons.ts';
export { planPlacement } from './plan-placement.ts';
export { togetherClusters } from './rules.ts';
