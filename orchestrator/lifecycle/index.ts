/** The function lifecycle (VNFM): plan the next step from wanted and observed, commit it, let hosts converge. */
export { createLifecycle, type Lifecycle, type LifecycleOptions } from './create-lifecycle.ts';
export {
  DEFAULT_LIMITS,
  NO_ALARMS,
  type IndicatorSource,
  type LifecycleAlarm,
  type LifecycleAlarms,
  type LifecycleContext,
  type LifecycleLimits,
} from './context.ts';
export type { LifecycleEngine } from './engine.ts';
export type { InventoryIndex } from './inventory-index.ts';
export type { Liveness } from './liveness.ts';
export type { FunctionChoice } from './explain-host.ts';
export { randomKeys, type KeySource } from './key-source.ts';
export type { TemplateSource } from './build-workload.ts';
export {
  createFunctionCatalog,
  packageOf,
  type FunctionCatalog,
  type FunctionPackage,
} from './function-catalog.ts';
export type { VnfUseCases } from './vnf-use-cases.ts';
export type { Relocation } from './relocate.ts';
export type { RelocationRequest } from './parse-relocation.ts';
export type { CreateVnf, HealVnf, InstantiateVnf } from './vnf-requests.ts';
export type { ModifyVnf } from './modify-instance.ts';
export type { ChangeVnfPkg } from './rollout/change-request.ts';
export { canRollBack, isAllowed, type OpOccUseCases } from './op-occ-use-cases.ts';
export { choicesIn, reportFailure, reportPlan, reportSuccess, type PlanReport } from './plan-report.ts';
export type { WantedPlan } from './plan-wanted.ts';
export { countsOfWanted, scaleLevel, type ScaleRequest } from './levels.ts';
export {
  withFewerSteps,
  type AutomaticScaling,
  type AutomaticScalings,
  type ScalingOutcome,
} from './scale-automatically.ts';
export type { OperationProgress, VnfcView } from './view-vnfcs.ts';
// What services plan and commit with.
export { activeOperation, convergenceOf, type ActiveOperation } from './active-operation.ts';
export { cancelOperation, failOperation, retryOperation, rollBackOperation } from './op-occ-use-cases.ts';
export { countsOfLevel, type UnitCounts } from './levels.ts';
export { instantiationOf, newInstance, requireScalable } from './prepare-instance.ts';
export { planOperation } from './plan-operation.ts';
export { overrideOf, type WantedOverride } from './snapshot-inventory.ts';
export { intendedOf } from './withdrawals.ts';
export { problemRecord, startOperation } from './operation-records.ts';
export { parseChange } from './rollout/change-request.ts';
export { countsOfRollout } from './rollout/rollout-counts.ts';
export { whyIrreversible } from './rollout/rollout-policy.ts';
export { reversedRollout } from './rollout/rollout-versions.ts';
export { secretNamesOf } from './secret-names.ts';
export { resolveInValue } from './resolve-templates.ts';
export { validateValues } from './validate-values.ts';
export { applyPlacement } from './plan-wanted.ts';
export { searchEffort } from './search-effort.ts';
export { toPlacementRequest } from './placement-request.ts';
export { evictionsOf } from './evictions.ts';
export { verifyCapacity } from './verify-capacity.ts';
// What upgrades of agents do as those of functions do.
export { createHeldFor, type HeldFor } from './rollout/held-for.ts';
export { partOf } from './rollout/rollout-waves.ts';
