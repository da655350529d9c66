import type { Fault } from '../types.ts';
import type { PackageEntry } from './check-entries.ts';
import { DESCRIPTOR_BYTES, MANIFEST_BYTES, META_BYTES, META_PATH } from './limits.ts';
import { parseManifest, parseToscaMeta, type PackageManifest } from './manifest.ts';
import { packageFault, type PackageRule } from './package-fault.ts';
import { readText } from './unpack.ts';
import { damaged, isSystemError, type OpenZip } from './zip-reader.ts';

/** What the SOL004 layout says where. */
export interface PackageLayout {
  readonly metaPath: string;
  readonly manifestPath: string;
  readonly manifest: PackageManifest;
  readonly descriptorPath: string;
  readonly descriptorText: string;
}

/** Reads TOSCA.meta, and the manifest and the descriptor that it names. */
export async function readLayout(
  zip: OpenZip,
): Promise<PackageLayout | { readonly faults: readonly Fault[] }> {
  const meta = await readNamed(zip, META_PATH, META_BYTES, 'package/missing-meta');
  if (typeof meta !== 'string') return { faults: [meta] };
  const { entryDefinitions, entryManifest } = parseToscaMeta(meta);
  if (entryDefinitions === undefined || entryManifest === undefined) {
    const key = entryDefinitions === undefined ? 'Entry-Definitions' : 'ETSI-Entry-Manifest';
    return {
      faults: [
        packageFault(
          'package/missing-meta',
          META_PATH,
          `TOSCA.meta has no ${key}`,
          `add a line "${key}: PATH"`,
        ),
      ],
    };
  }
  if (!entryDefinitions.startsWith('Definitions/')) {
    const message = `the descriptor ${entryDefinitions} is not below Definitions/`;
    return { faults: [packageFault('package/missing-descriptor', META_PATH, message, 'move it there')] };
  }
  const manifest = await readNamed(zip, entryManifest, MANIFEST_BYTES, 'package/missing-manifest');
  const descriptor = await readNamed(zip, entryDefinitions, DESCRIPTOR_BYTES, 'package/missing-descriptor');
  if (typeof manifest !== 'string' || typeof descriptor !== 'string')
    return { faults: [manifest, descriptor].filter((item) => typeof item !== 'string') };
  return {
    metaPath: META_PATH,
    manifestPath: entryManifest,
    manifest: parseManifest(manifest),
    descriptorPath: entryDefinitions,
    descriptorText: descriptor,
  };
}

async function readNamed(
  zip: OpenZip,
  path: string,
  maxBytes: number,
  rule: PackageRule,
): Promise<string | Fault> {
  const file: PackageEntry | undefined = zip.files.find((candidate) => candidate.path === path);
  const shown = path.slice(0, 255);
  if (file === undefined)
    return packageFault(
      rule,
      shown,
      `${shown} is not in the package`,
      'add it, or build the package with `iotmano package build`',
    );
  try {
    const text = await readText(zip, file, maxBytes);
    if (text !== undefined) return text;
    return packageFault(
      rule,
      shown,
      `${shown} is larger than ${maxBytes} bytes or not UTF-8`,
      'shorten it, and save it as UTF-8',
    );
  } catch (error) {
    if (isSystemError(error)) throw error;
    return damaged(shown, error);
  }
}
