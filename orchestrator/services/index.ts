/** The service lifecycle (NFVO): a service is functions in order, with bindings; its operations drive those of its functions. */
export {
  createServices,
  type Services,
  type ServicesEngine,
  type ServicesOptions,
} from './create-services.ts';
export type { CreateNs, HealNs, InstantiateNs, NsUseCases } from './ns-use-cases.ts';
export type { UpdateNs } from './update-service.ts';
export { canRollBackService } from './ns-op-occ-use-cases.ts';
export type { NsOpOccUseCases } from './ns-op-occ-use-cases.ts';
export type { ScaleNs } from './scale-service.ts';
export { aspectsOfService, type CurrentAspect, type ScaledFunction } from './service-aspects.ts';
export type { AutomaticServiceScaling, AutomaticServiceScalings } from './scale-automatically.ts';
export { constituentsOf, descriptorOf } from './context.ts';
export { isServiceEventAllowed } from './operation-records.ts';
export type { ServiceProgress } from './service-progress.ts';
