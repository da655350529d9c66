/** The driver contract, and the site controller that drives any driver towards the wanted state. */
export * from './contract.ts';
export { DRIVERS, isDriverName, type DriverName } from './registry.ts';
export {
  createSiteController,
  type SiteController,
  type SiteControllerOptions,
} from './site-controller/index.ts';
