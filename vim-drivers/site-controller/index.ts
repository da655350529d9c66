/** Drives any driver towards the wanted state of its host: level-triggered, for ever. */
export { createSiteController, type SiteController, type SiteControllerOptions } from './controller.ts';
export {
  createVolatileBook,
  type EndedRun,
  type OpenRun,
  type ScheduleBook,
  type ScheduleRecord,
} from './schedule-record.ts';
