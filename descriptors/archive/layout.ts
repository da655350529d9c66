import type { Fault } from '../types.ts';
import { DESCRIPTOR_BYTES, MANIFEST_BYTES, META_BYTES, META_PATH, SIGNATURE_BYTES } from './limits.ts';
import { parseManifest, parseToscaMeta, type PackageManifest } from './manifest.ts';
import { packageFault, type PackageRule } from './package-fault.ts';
import { splitManifest } from './signature/split-manifest.ts';
import type { SignedManifest } from './signature/verify-manifest.ts';
import { decodeUtf8, readBytes } from './unpack.ts';
import { damaged, isSystemError, type OpenZip } from './zip-reader.ts';

/** What the SOL004 layout says where. */
export interface PackageLayout {
  readonly metaPath: string;
  readonly manifestPath: string;
  readonly manifest: PackageManifest;
  readonly signedManifest: SignedManifest;
  readonly descriptorPath: string;
  readonly descriptorText: string;
}

type Faulty = { readonly faults: readonly Fault[] };

/** Reads TOSCA.meta, and the manifest and the descriptor that it names. */
export async function readLayout(zip: OpenZip): Promise<PackageLayout | Faulty> {
  const meta = await readNamed(zip, META_PATH, META_BYTES, 'package/missing-meta');
  if (!isFile(meta)) return { faults: [meta] };
  const { entryDefinitions, entryManifest, entryCertificate } = parseToscaMeta(meta.text);
  if (entryDefinitions === undefined || entryManifest === undefined)
    return {
      faults: [missingEntry(entryDefinitions === undefined ? 'Entry-Definitions' : 'ETSI-Entry-Manifest')],
    };
  if (!entryDefinitions.startsWith('Definitions/')) {
    const message = `the descriptor ${entryDefinitions} is not below Definitions/`;
    return { faults: [packageFault('package/missing-descriptor', META_PATH, message, 'move it there')] };
  }
  const manifest = await readNamed(zip, entryManifest, MANIFEST_BYTES, 'package/missing-manifest');
  const descriptor = await readNamed(zip, entryDefinitions, DESCRIPTOR_BYTES, 'package/missing-descriptor');
  if (!isFile(manifest) || !isFile(descriptor))
    return { faults: [manifest, descriptor].filter((item): item is Fault => !isFile(item)) };
  const split = splitManifest(manifest.bytes);
  const certificates = await readCertificates(zip, entryCertificate ?? certificatePathOf(entryManifest));
  return {
    metaPath: META_PATH,
    manifestPath: entryManifest,
    manifest: parseManifest(split.content.toString('utf8')),
    signedManifest: { ...split, path: entryManifest, ...certificates },
    descriptorPath: entryDefinitions,
    descriptorText: descriptor.text,
  };
}

function missingEntry(key: string): Fault {
  return packageFault(
    'package/missing-meta',
    META_PATH,
    `TOSCA.meta has no ${key}`,
    `add a line "${key}: PATH"`,
  );
}

/** Where SOL004 has the certificate of the signer unless TOSCA.meta says otherwise. */
function certificatePathOf(manifestPath: string): string {
  return manifestPath.replace(/\.mf$/, '.cert');
}

async function readCertificates(zip: OpenZip, path: string): Promise<Pick<SignedManifest, 'certificates'>> {
  if (!zip.files.some((file) => file.path === path)) return {};
  const found = await readNamed(zip, path, SIGNATURE_BYTES, 'package/bad-signature');
  return isFile(found) ? { certificates: found.text } : {};
}

interface SmallFile {
  readonly bytes: Buffer;
  readonly text: string;
}

function isFile(found: SmallFile | Fault): found is SmallFile {
  return 'bytes' in found;
}

async function readNamed(
  zip: OpenZip,
  path: string,
  maxBytes: number,
  rule: PackageRule,
): Promise<SmallFile | Fault> {
  const shown = path.slice(0, 255);
  if (!zip.files.some((file) => file.path === path))
    return packageFault(
      rule,
      shown,
      `${shown} is not in the package`,
      'add it, or build the package with `iotmano package build`',
    );
  try {
    const bytes = await readBytes(zip, path, maxBytes);
    const text = bytes === undefined ? undefined : decodeUtf8(bytes);
    if (bytes !== undefined && text !== undefined) return { bytes, text };
    const message = `${shown} is larger than ${maxBytes} bytes or not UTF-8`;
    return packageFault(rule, shown, message, 'shorten it, and save it as UTF-8');
  } catch (error) {
    if (isSystemError(error)) throw error;
    return damaged(shown, error);
  }
}
