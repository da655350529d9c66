import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ZipFile, type Options } from 'yazl';
import type { Fault } from '../types.ts';
import { DEFAULT_PACKAGE_LIMITS } from './limits.ts';
import { withZip } from './zip-reader.ts';

/** What a package is made of: bytes, or a file that is read when it is packed. */
export type ZipMember = BytesMember | FileMember;

export interface BytesMember {
  /** Path in the package. */
  readonly path: string;
  readonly content: Buffer;
}

export interface FileMember {
  /** Path in the package. */
  readonly path: string;
  readonly source: string;
}

/** Times are local ones in a ZIP: this is midnight wherever it is built. */
const ENTRY: Partial<Options> = {
  mtime: new Date(1980, 0, 1),
  mode: 0o100644,
  forceDosTimestamp: true,
};

/**
 * Writes a ZIP. Readers of the file see the old one or the whole new one.
 * @returns why `readPackage` would refuse it for its layout; then nothing is written
 */
export async function writeZip(outFile: string, members: readonly ZipMember[]): Promise<readonly Fault[]> {
  const zip = new ZipFile();
  for (const member of members) {
    if ('content' in member) zip.addBuffer(member.content, member.path, ENTRY);
    else zip.addFile(member.source, member.path, { ...ENTRY, compress: !isCompressed(member.path) });
  }
  zip.end();
  const nameHash = createHash('sha256').update(outFile).digest('hex').slice(0, 12);
  const part = join(dirname(outFile), `.${process.pid}-${nameHash}.part`);
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

function isCompressed(path: string): boolean {
  return /\.(tgz|gz|zip|zst|xz|br)$/.test(path);
}
