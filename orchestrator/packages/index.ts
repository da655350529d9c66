/** Onboarding of packages and service descriptors, and their files by digest. */
export { openContentFiles, type ContentFiles } from './content-files.ts';
export { createOnboarding, type Onboarding } from './onboarding.ts';
export { packageRoutes } from './routes.ts';
export { digestsInUse } from './content-records.ts';
