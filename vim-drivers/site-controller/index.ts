/** Drives any driver towards the wanted state of its host: level-triggered, for ever. */
export { createSiteController, type SiteController, type SiteControllerOptions } from './controller.ts';
