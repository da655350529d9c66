/** Packages: the SOL004 layout, read with suspicion and built with care. */
export { buildPackage, type BuildPackageOptions } from './build-package.ts';
export { DEFAULT_PACKAGE_LIMITS, type PackageLimits } from './limits.ts';
export type { PackageManifest } from './manifest.ts';
export { PACKAGE_RULES, type PackageRule } from './package-fault.ts';
export { checkPackage, readPackage, type PackageContent, type ReadPackageOptions } from './read-package.ts';
export { loadTrustedCertificates, readPem } from './signature/certificates.ts';
export type { PackageSigner } from './signature/sign-manifest.ts';
export type { SignaturePolicy } from './signature/verify-manifest.ts';
export type { PackageFile } from './unpack.ts';
