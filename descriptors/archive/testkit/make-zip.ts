import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { ZipFile, type Options } from 'yazl';
import { renderManifest, renderToscaMeta } from '../manifest.ts';

/** A file of a package that a test makes, however strange. */
export interface Member {
  readonly path: string;
  readonly content: string | Buffer;
  readonly options?: Partial<Options>;
  /** Digest in the manifest; `null` for none. */
  readonly digest?: string | null;
}

export interface ZipOptions {
  /** Without TOSCA.meta, or without the manifest, where it is false. */
  readonly meta?: boolean;
  readonly manifest?: boolean;
  /** Paths with digests that the manifest lists besides. */
  readonly alsoListed?: readonly (readonly [string, string])[];
}

/** Writes a package in the SOL004 layout as somebody else's tool would, and nothing is checked. */
export async function makeZip(
  file: string,
  members: readonly Member[],
  { meta = true, manifest = true, alsoListed = [] }: ZipOptions = {},
): Promise<string> {
  const metaText = renderToscaMeta('Definitions/descriptor.yaml', 'descriptor.mf');
  const all: readonly Member[] = meta
    ? [{ path: 'TOSCA-Metadata/TOSCA.meta', content: metaText }, ...members]
    : members;
  const digests = all.flatMap(({ path, content, digest = sha256(content) }): [string, string][] =>
    digest === null ? [] : [[path, digest]],
  );
  const zip = new ZipFile();
  if (manifest) zip.addBuffer(Buffer.from(renderManifest({}, [...digests, ...alsoListed])), 'descriptor.mf');
  for (const { path, content, options = {} } of all) zip.addBuffer(Buffer.from(content), path, options);
  zip.end();
  await pipeline(zip.outputStream, createWriteStream(file));
  return file;
}

/** `sha256:<hex>` */
export function sha256(content: string | Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}
