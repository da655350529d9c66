/** Entities of the orchestrator and their transition tables: no I/O. */
export type * from './documents.ts';
export * from './states.ts';
export { alarmId, clearedAlarm, isStanding } from './alarms.ts';
export { canonicalHash, canonicalJson, isSameJson } from './canonical-json.ts';
export {
  generationOf,
  instanceAt,
  isReplacedAt,
  packageIdAt,
  swapVersions,
  versionOf,
  versionsOf,
  withVersion,
  type Versions,
} from './function-version.ts';
export { absenceAfter, availabilityOf } from './host-availability.ts';
export { deviceCount, deviceCounts, hostLabels } from './host-labels.ts';
export { isInstallationAdmin, isInstallationTenant } from './installation.ts';
export { hashSecret, isSameSecret, newSecret, type RandomBytes } from './secrets.ts';
export {
  assignmentId,
  compareText,
  copyName,
  hostIdOf,
  toWantedUnits,
  vnfcInstanceId,
  wantedVnfcs,
} from './vnfc.ts';
