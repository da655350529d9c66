/** Bounds on a package. What goes beyond them is refused before anything of it is unpacked. */
export interface PackageLimits {
  /** Of all files together, unpacked. */
  readonly totalBytes: number;
  readonly entries: number;
  /** Greatest ratio of unpacked to packed size of an entry above 1 MiB. */
  readonly ratio: number;
}

export const DEFAULT_PACKAGE_LIMITS: PackageLimits = {
  totalBytes: 8 * 1024 ** 3,
  entries: 10_000,
  ratio: 200,
};

export const META_PATH = 'TOSCA-Metadata/TOSCA.meta';
export const ARTIFACTS = 'Artifacts/';
export const META_BYTES = 64 * 1024;
export const MANIFEST_BYTES = 4 * 1024 * 1024;
export const DESCRIPTOR_BYTES = 5 * 1024 * 1024;
/** Signature and certificates: a chain of ten needs less than half of it. */
export const SIGNATURE_BYTES = 64 * 1024;
/** The host keeps the resolved text with what it has to run. */
export const TEMPLATE_BYTES = 256 * 1024;
