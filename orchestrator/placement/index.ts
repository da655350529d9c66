/** Placement: an immutable snapshot of the inventory and requests → a plan, or reasons. Pure. */
export type {
  Affinity,
  Decision,
  FixedPort,
  Flow,
  HostSnapshot,
  LatencyMeasurement,
  Near,
  Objectives,
  PlacedUnit,
  Placement,
  PlacementProblem,
  PlacementReason,
  PlacementRequest,
  PlacementResult,
  PlacementRule,
  PlacementSnapshot,
  PlanningOptions,
  RatedHost,
  Resources,
  Shortfall,
  Spread,
  Taint,
  UnitDemand,
  Uplink,
} from './types.ts';
export { HostIndex } from './host-index.ts';
export { describePlan } from './describe-plan.ts';
export { describeShortfall } from './reasons.ts';
export { planPlacement } from './plan-placement.ts';
export { ratePlan } from './rate-plan.ts';
export { togetherClusters } from './rules.ts';
