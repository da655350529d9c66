import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, type Dirent } from 'node:fs';
import { readFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ZipFile, type Options } from 'yazl';
import { hasErrors } from '../document/finding.ts';
import { parseDescriptor } from '../parse-descriptor.ts';
import type { Descriptor, Fault } from '../types.ts';
import { checkArtifacts, type ArtifactSource } from './check-artifacts.ts';
import { pathProblem } from './entry-path.ts';
import { ARTIFACTS, DEFAULT_PACKAGE_LIMITS, META_PATH } from './limits.ts';
import { renderManifest, renderToscaMeta } from './manifest.ts';
import { packageFault } from './package-fault.ts';
import { signManifest, type PackageSigner } from './signature/sign-manifest.ts';
import { decodeUtf8 } from './unpack.ts';
import { withZip } from './zip-reader.ts';

const DESCRIPTOR_PATH = 'Definitions/descriptor.yaml';
const MANIFEST_PATH = 'descriptor.mf';

export interface BuildPackageOptions {
  /** RFC 3339, for the manifest. The default is a constant: the same input gives the same bytes. */
  readonly releasedAt?: string;
  /** Absent: the package is not signed. */
  readonly signer?: PackageSigner;
}

/**
 * Makes a package of a folder that holds `descriptor.yaml` (or one other `*.yaml`) and `artifacts/`. The same input gives the same
 * bytes, unless it is signed with an EC key. Nothing is written when there is a fault of severity `error`.
 * @returns what is wrong with the folder
 * @throws IotmanoError `unprocessable` when the signer's key and certificate are of no use
 */
export async function buildPackage(
  directory: string,
  outFile: string,
  { releasedAt = '1980-01-01T00:00:00Z', signer }: BuildPackageOptions = {},
): Promise<readonly Fault[]> {
  const found = await findDescriptor(directory);
  if (typeof found !== 'string') return [found];
  const bytes = await readFile(join(directory, found));
  const text = decodeUtf8(bytes);
  if (text === undefined)
    return [packageFault('package/not-a-package', found, `${found} is not UTF-8`, 'save it as UTF-8')];
  const artifacts = await listArtifacts(directory);
  const { descriptor, faults: descriptorFaults } = parseDescriptor(text, { file: found });
  const artifactFaults = await checkArtifacts(text, found, sourceOf(artifacts.files));
  const faults = [...artifacts.faults, ...descriptorFaults, ...artifactFaults];
  if (descriptor === undefined || hasErrors(faults)) return faults;
  const content = { descriptor: bytes, artifacts: artifacts.files };
  const manifest = await makeManifest(content, manifestMetadata(descriptor, releasedAt));
  const signed = signer === undefined ? manifest : await signManifest(manifest, signer);
  return [...faults, ...(await writeZip(outFile, content, signed))];
}

async function findDescriptor(directory: string): Promise<string | Fault> {
  const names = (await readdir(directory)).filter((name) => /\.(ya?ml|json)$/.test(name)).toSorted();
  const preferred = names.find((name) => name === 'descriptor.yaml');
  const [only, second] = names;
  if (preferred !== undefined) return preferred;
  if (only !== undefined && second === undefined) return only;
  const message =
    only === undefined ? 'there is no descriptor' : `there are several candidates: ${names.join(', ')}`;
  return packageFault(
    'package/missing-descriptor',
    directory,
    message,
    'call the descriptor descriptor.yaml',
  );
}

interface Artifact {
  /** Path in the package. */
  readonly path: string;
  readonly source: string;
}

async function listArtifacts(
  directory: string,
): Promise<{ readonly files: Artifact[]; readonly faults: Fault[] }> {
  const root = join(directory, 'artifacts');
  const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [] as Dirent[];
    throw error;
  });
  const faults: Fault[] = [];
  const files: Artifact[] = [];
  for (const entry of entries) {
    if (entry.isDirectory()) continue;
    const source = join(entry.parentPath, entry.name);
    const path = ARTIFACTS + relative(root, source).split(sep).join('/');
    const problem = pathProblem(Buffer.from(path));
    if (!entry.isFile())
      faults.push(
        packageFault(
          'package/link',
          path,
          `${path} is a link or a special file`,
          'put the file itself there',
        ),
      );
    else if (problem !== undefined)
      faults.push(packageFault('package/bad-path', path, `the path ${path} ${problem}`, 'rename the file'));
    else files.push({ path, source });
  }
  return { files: files.toSorted((a, b) => (a.path < b.path ? -1 : 1)), faults };
}

function sourceOf(artifacts: readonly Artifact[]): ArtifactSource {
  const sources = new Map(artifacts.map(({ path, source }) => [path, source]));
  return {
    paths: [...sources.keys()],
    read: async (path, maxBytes) => {
      const source = sources.get(path);
      if (source === undefined || (await stat(source)).size > maxBytes) return undefined;
      return readFile(source);
    },
  };
}

function manifestMetadata(descriptor: Descriptor, releasedAt: string): Readonly<Record<string, string>> {
  const { metadata } = descriptor;
  if ('productName' in metadata) {
    return {
      vnfd_id: metadata.id,
      vnf_product_name: oneLine(metadata.productName),
      vnf_provider_id: oneLine(metadata.provider),
      vnf_package_version: metadata.softwareVersion,
      vnf_release_date_time: releasedAt,
    };
  }
  return {
    nsd_name: oneLine(metadata.name),
    nsd_invariant_id: metadata.invariantId,
    nsd_designer: oneLine(metadata.provider),
    nsd_file_structure_version: metadata.version,
    nsd_release_date_time: releasedAt,
  };
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ');
}

/** Times are local ones in a ZIP: this is midnight wherever it is built. */
const ENTRY: Partial<Options> = {
  mtime: new Date(1980, 0, 1),
  mode: 0o100644,
  forceDosTimestamp: true,
};

interface Content {
  readonly descriptor: Buffer;
  readonly artifacts: readonly Artifact[];
}

const META = Buffer.from(renderToscaMeta(DESCRIPTOR_PATH, MANIFEST_PATH));

async function makeManifest(
  { descriptor, artifacts }: Content,
  metadata: Readonly<Record<string, string>>,
): Promise<string> {
  const digests: [string, string][] = [
    [META_PATH, digestOf(META)],
    [DESCRIPTOR_PATH, digestOf(descriptor)],
  ];
  for (const { path, source } of artifacts) digests.push([path, await digestOfFile(source)]);
  return renderManifest(metadata, digests);
}

async function writeZip(
  outFile: string,
  { descriptor, artifacts }: Content,
  manifest: string,
): Promise<readonly Fault[]> {
  const zip = new ZipFile();
  zip.addBuffer(META, META_PATH, ENTRY);
  zip.addBuffer(Buffer.from(manifest), MANIFEST_PATH, ENTRY);
  zip.addBuffer(descriptor, DESCRIPTOR_PATH, ENTRY);
  for (const { path, source } of artifacts)
    zip.addFile(source, path, { ...ENTRY, compress: !/\.(tgz|gz|zip|zst|xz|br)$/.test(path) });
  zip.end();
  return writeWhole(outFile, zip);
}

/** Readers see the old file or the whole new one, and only one that `readPackage` would not refuse for its layout. */
async function writeWhole(outFile: string, zip: ZipFile): Promise<readonly Fault[]> {
  const part = join(
    dirname(outFile),
    `.${process.pid}-${createHash('sha256').update(outFile).digest('hex').slice(0, 12)}.part`,
  );
  try {
    const failed = new Promise<never>((_resolve, reject) => zip.once('error', reject));
    await Promise.race([pipeline(zip.outputStream, createWriteStream(part)), failed]);
    const { faults } = await withZip(part, DEFAULT_PACKAGE_LIMITS, () => Promise.resolve({ faults: [] }));
    if (faults.length === 0) await rename(part, outFile);
    return faults;
  } finally {
    await rm(part, { force: true });
  }
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

async function digestOfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return `sha256:${hash.digest('hex')}`;
}
