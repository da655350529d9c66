/** Onboarding of packages and service descriptors, and their files by digest. */
export { openContentFiles, type ArtifactFile, type ContentFiles } from './content-files.ts';
export { createOnboarding, type Onboarding, type OnboardingOptions } from './onboarding.ts';
export { packageRoutes, type PackageRouteOptions } from './routes.ts';
export type { PackageReader, ServiceCheck } from './process-content.ts';
