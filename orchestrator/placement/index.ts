/** Placement: an immutable snapshot of the inventory and requests → a plan, or reasons. Pure. */
export type {
  Placement,
  PlacementReason,
  PlacementResult,
  PlanningOptions,
  RatedHost,
} from './plan-types.ts';
export type {
  Affinity,
  FixedPort,
  HostSnapshot,
  LatencyMeasurement,
  Near,
  PlacedUnit,
  PlacementProblem,
  PlacementRequest,
  PlacementRule,
  PlacementSnapshot,
  Resources,
  Spread,
  UnitDemand,
} from './types.ts';
export { HostIndex } from './host-index.ts';
export { describePlan, describeRefusal } from './describe-plan.ts';
export { viewChange, type ChangeView } from './describe-relaxation.ts';
export { explainHost, type HostStanding } from './explain-host.ts';
export { planPlacement } from './plan-placement.ts';
export { planOrRelax, planWithReasons, type Planner } from './plan-with-reasons.ts';
export { ratePlan } from './rate-plan.ts';
export { togetherClusters } from './rules.ts';
export { planRelocation } from './plan-relocation.ts';
export type {
  DisruptionBudget,
  PlacedFunction,
  RelocationGoal,
  RelocationMove,
  RelocationPace,
  RelocationPlan,
  RelocationProblem,
} from './relocation-types.ts';
