/** Placement: an immutable snapshot of the inventory and requests → a plan, or reasons. Pure. */
export type {
  Affinity,
  Change,
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
  Relaxation,
  Resources,
  Shortfall,
  Spread,
  UnitDemand,
  Uplink,
} from './types.ts';
export { HostIndex } from './host-index.ts';
export { describePlan, describeRefusal } from './describe-plan.ts';
export { viewChange, type ChangeView } from './describe-relaxation.ts';
export { explainHost, type HostStanding } from './explain-host.ts';
export { findRelaxations, type RelaxationBounds } from './find-relaxations.ts';
export { describeShortfall } from './reasons.ts';
export { planPlacement } from './plan-placement.ts';
export { planOrRelax, planWithReasons, type Planner } from './plan-with-reasons.ts';
export { ratePlan } from './rate-plan.ts';
export { togetherClusters } from './rules.ts';
export { planRelocation } from './plan-relocation.ts';
export type {
  BeforeAndAfter,
  BudgetLimit,
  DisruptionBudget,
  PlacedFunction,
  RelocationGoal,
  RelocationMove,
  RelocationPlan,
  RelocationProblem,
  SparedInstances,
  StuckInstances,
} from './relocation-types.ts';
