import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { hasErrors } from '../document/finding.ts';
import { parseDescriptor } from '../parse-descriptor.ts';
import type { Descriptor, Fault } from '../types.ts';
import { checkArtifacts } from './check-artifacts.ts';
import { META_PATH } from './limits.ts';
import { renderManifest, renderToscaMeta } from './manifest.ts';
import { packageFault } from './package-fault.ts';
import { findDescriptor, listArtifacts, sourceOf } from './read-folder.ts';
import { signManifest, type PackageSigner } from './signature/sign-manifest.ts';
import { decodeUtf8 } from './unpack.ts';
import { writeZip, type ZipMember } from './write-zip.ts';

const DESCRIPTOR_PATH = 'Definitions/descriptor.yaml';
const MANIFEST_PATH = 'descriptor.mf';
const META: ZipMember = {
  path: META_PATH,
  content: Buffer.from(renderToscaMeta(DESCRIPTOR_PATH, MANIFEST_PATH)),
};

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
  const content = [{ path: DESCRIPTOR_PATH, content: bytes }, ...artifacts.files];
  const manifest = await makeManifest([META, ...content], manifestMetadata(descriptor, releasedAt));
  const signed = signer === undefined ? manifest : await signManifest(manifest, signer);
  const members = [META, { path: MANIFEST_PATH, content: Buffer.from(signed) }, ...content];
  return [...faults, ...(await writeZip(outFile, members))];
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

async function makeManifest(
  members: readonly ZipMember[],
  metadata: Readonly<Record<string, string>>,
): Promise<string> {
  const digests: [string, string][] = [];
  for (const member of members) digests.push([member.path, await digestOf(member)]);
  return renderManifest(metadata, digests);
}

async function digestOf(member: ZipMember): Promise<string> {
  const hash = createHash('sha256');
  if ('content' in member) hash.update(member.content);
  else await pipeline(createReadStream(member.source), hash);
  return `sha256:${hash.digest('hex')}`;
}
