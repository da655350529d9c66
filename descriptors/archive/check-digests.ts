import type { Fault } from '../types.ts';
import type { PackageLayout } from './layout.ts';
import type { PackageManifest } from './manifest.ts';
import { packageFault } from './package-fault.ts';
import type { PackageFile } from './unpack.ts';

/** Every file but the manifest has a SHA-256 in it, and every file in it is there. */
export function checkDigests(
  { manifest, manifestPath }: PackageLayout,
  files: readonly PackageFile[],
): Fault[] {
  const present = new Set(files.map(({ path }) => path));
  const absent = [...manifest.digests.keys()].filter((path) => !present.has(path));
  return [
    ...files.filter(({ path }) => path !== manifestPath).flatMap((file) => checkDigest(manifest, file)),
    ...absent.map((path) =>
      packageFault(
        'package/missing-file',
        path,
        `the manifest lists ${path}, which is not in the package`,
        'add it, or take it out of the manifest',
      ),
    ),
  ];
}

function checkDigest(manifest: PackageManifest, { path, digest }: PackageFile): Fault[] {
  const wanted = manifest.digests.get(path);
  if (wanted === digest) return [];
  if (wanted !== undefined)
    return [
      packageFault(
        'package/wrong-digest',
        path,
        `${path} has the digest ${digest}; the manifest says ${wanted}`,
        'transfer or build the package anew',
      ),
    ];
  const other = manifest.otherAlgorithms.includes(path)
    ? ' (it has one that is not SHA-256, or not well-formed)'
    : '';
  return [
    packageFault(
      'package/missing-digest',
      path,
      `the manifest has no SHA-256 for ${path}${other}`,
      'add it to the manifest, or build with `iotmano package build`',
    ),
  ];
}
