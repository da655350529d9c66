import { mkdir, open, readFile, readdir, rm, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { IotmanoError } from '../../kernel/index.ts';
import { hasErrors } from '../document/finding.ts';
import { parseDescriptor } from '../parse-descriptor.ts';
import type { Descriptor, Fault } from '../types.ts';
import { checkArtifacts, type ArtifactSource } from './check-artifacts.ts';
import { checkDigests } from './check-digests.ts';
import { readLayout } from './layout.ts';
import { DEFAULT_PACKAGE_LIMITS, DESCRIPTOR_BYTES, type PackageLimits } from './limits.ts';
import type { PackageManifest } from './manifest.ts';
import { packageFault } from './package-fault.ts';
import { checkSignature, unsigned, type SignaturePolicy } from './signature/verify-manifest.ts';
import { decodeUtf8, readBytes, unpack, type PackageFile } from './unpack.ts';
import { isSystemError, withZip, type OpenZip } from './zip-reader.ts';

export interface ReadPackageOptions {
  /**
   * A directory that the files are unpacked into, under names of our own. It must not exist, or be empty; when the package is
   * refused it is removed with all that is in it. Absent: nothing is unpacked, everything is checked.
   */
  readonly extractTo?: string;
  readonly limits?: Partial<PackageLimits>;
  /** Absent: signatures are not looked at, and a signed package says so in a warning. */
  readonly signature?: SignaturePolicy;
  readonly signal?: AbortSignal;
}

export interface PackageContent {
  /** Absent where there is a fault of severity `error`. */
  readonly descriptor?: Descriptor;
  readonly descriptorText?: string;
  /** Path of the descriptor in the package; the file's own name for a bare descriptor. */
  readonly descriptorPath?: string;
  /** All files but TOSCA.meta and the manifest, verified; empty for a bare descriptor, and where the package is refused. */
  readonly files: readonly PackageFile[];
  readonly manifest?: PackageManifest;
  readonly faults: readonly Fault[];
}

/**
 * Reads a package: a ZIP in the SOL004 layout, or a bare descriptor in YAML or JSON. Streams; what is wrong with the package is in
 * `faults`, and then nothing is left on disk.
 * @throws IotmanoError `internal` when `extractTo` is not empty; the system's error when a file cannot be read or written, AbortError when the signal says so
 */
export async function readPackage(path: string, options: ReadPackageOptions = {}): Promise<PackageContent> {
  const { extractTo } = options;
  if (!(await isZip(path))) return readBareDescriptor(path, options);
  if (extractTo !== undefined) await claimDirectory(extractTo);
  let isAccepted = false;
  try {
    const limits = { ...DEFAULT_PACKAGE_LIMITS, ...options.limits };
    const content = await withZip(path, limits, (zip) => readZip(zip, options));
    isAccepted = 'descriptor' in content && content.descriptor !== undefined;
    return isAccepted ? { files: [], ...content } : { ...content, files: [] };
  } finally {
    if (extractTo !== undefined && !isAccepted) await rm(extractTo, { recursive: true, force: true });
  }
}

/** Everything that is wrong with a package or a bare descriptor, without unpacking it and without a server. */
export async function checkPackage(
  path: string,
  options: Pick<ReadPackageOptions, 'signature'> = {},
): Promise<PackageContent> {
  return readPackage(path, options);
}

/** What is in the directory may be removed, so it must be our own. */
async function claimDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  if ((await readdir(path)).length > 0)
    throw new IotmanoError('internal', `${path} is not empty: a package needs a directory of its own`);
}

const ZIP_MAGIC = Buffer.from('PK');

async function isZip(path: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0);
    return bytesRead === 2 && buffer.equals(ZIP_MAGIC);
  } finally {
    await file.close();
  }
}

async function readBareDescriptor(path: string, { signature }: ReadPackageOptions): Promise<PackageContent> {
  const name = basename(path);
  if (signature?.required === true) return { files: [], faults: [unsigned(name)] };
  const { size } = await stat(path);
  const text = size > DESCRIPTOR_BYTES ? undefined : decodeUtf8(await readFile(path));
  const isText = text !== undefined && !text.slice(0, 4096).includes('\0');
  if (!isText) {
    const why =
      size > DESCRIPTOR_BYTES ? 'is too large for a descriptor and no ZIP' : 'is neither a ZIP nor a text';
    return {
      files: [],
      faults: [
        packageFault('package/not-a-package', name, `${name} ${why}`, 'give a package or a descriptor'),
      ],
    };
  }
  return { files: [], ...(await finish(text, name, { paths: [], read: () => Promise.resolve(undefined) })) };
}

async function readZip(zip: OpenZip, options: ReadPackageOptions): Promise<PackageContent> {
  const { extractTo, signature, signal } = options;
  const layout = await readLayout(zip);
  if ('faults' in layout) return { files: [], faults: layout.faults };
  // What nobody vouches for is not looked at any further.
  const signatureFaults = await checkSignature(layout.signedManifest, signature);
  if (hasErrors(signatureFaults)) return { files: [], faults: signatureFaults };
  const { files, faults } = await unpack(zip, extractTo, signal);
  const digestFaults = checkDigests(layout, files);
  const { manifest, manifestPath, metaPath, descriptorPath, descriptorText } = layout;
  const packageFaults = [...signatureFaults, ...faults, ...digestFaults];
  const content = await finish(descriptorText, descriptorPath, artifactsOf(zip), packageFaults);
  return {
    ...content,
    manifest,
    files: files.filter(({ path }) => path !== manifestPath && path !== metaPath),
  };
}

function artifactsOf(zip: OpenZip): ArtifactSource {
  return {
    paths: zip.files.map(({ path }) => path),
    read: async (path, maxBytes) => {
      try {
        return await readBytes(zip, path, maxBytes);
      } catch (error) {
        if (isSystemError(error)) throw error;
        return undefined;
      }
    },
  };
}

async function finish(
  text: string,
  file: string,
  artifacts: ArtifactSource,
  packageFaults: readonly Fault[] = [],
): Promise<Omit<PackageContent, 'files'>> {
  const parsed = parseDescriptor(text, { file });
  const faults = [...packageFaults, ...parsed.faults, ...(await checkArtifacts(text, file, artifacts))];
  const descriptor =
    hasErrors(faults) || parsed.descriptor === undefined ? {} : { descriptor: parsed.descriptor };
  return { ...descriptor, descriptorText: text, descriptorPath: file, faults };
}
