/** Onboarding of packages and service descriptors, and their files by digest. */
export { openContentFiles, type ArtifactFile, type ContentFiles } from './content-files.ts';
export { createOnboarding, type Onboarding, type OnboardingOptions } from './onboarding.ts';
export { packageRoutes, type PackageRouteOptions } from './routes.ts';
export type { ServiceCheck } from './check-content.ts';
export type { PackageReader } from './process-content.ts';
