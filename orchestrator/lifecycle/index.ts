/** The function lifecycle (VNFM): plan the next step from wanted and observed, commit it, let hosts converge. */
export { createLifecycle, type Lifecycle, type LifecycleOptions } from './create-lifecycle.ts';
export {
  DEFAULT_LIMITS,
  NO_ALARMS,
  type LifecycleAlarm,
  type LifecycleAlarms,
  type LifecycleContext,
  type LifecycleLimits,
} from './context.ts';
export type { LifecycleEngine } from './engine.ts';
export type { Liveness } from './liveness.ts';
export { randomKeys, type KeySource } from './key-source.ts';
export type { TemplateSource } from './build-workload.ts';
export {
  createFunctionCatalog,
  packageOf,
  type FunctionCatalog,
  type FunctionPackage,
} from './function-catalog.ts';
export type { CreateVnf, HealVnf, InstantiateVnf, VnfUseCases } from './vnf-use-cases.ts';
export { canRollBack, isAllowed, type OpOccUseCases } from './op-occ-use-cases.ts';
export type { PlanReport } from './plan-report.ts';
export { countsOfWanted, scaleLevel, type ScaleRequest } from './levels.ts';
export { viewVnfcs, type OperationProgress, type VnfcView } from './view-vnfcs.ts';
