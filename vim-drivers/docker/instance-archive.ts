import { Header, Pax } from 'tar';

/** One entry of an archive that is put into a container. */
export interface ArchiveEntry {
  /** Relative to where the archive is unpacked. */
  readonly path: string;
  readonly type: 'File' | 'Directory' | 'SymbolicLink';
  readonly content?: string;
  readonly target?: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

const BLOCK_BYTES = 512;

/** The archive as bytes, entries in the order given: that is the order in which they come to be there. */
export function packArchive(entries: readonly ArchiveEntry[], mtime: Date): Buffer {
  return Buffer.concat([...entries.map((entry) => packEntry(entry, mtime)), Buffer.alloc(2 * BLOCK_BYTES)]);
}

function packEntry(entry: ArchiveEntry, mtime: Date): Buffer {
  const content = Buffer.from(entry.content ?? '');
  const data = {
    path: entry.type === 'Directory' ? `${entry.path}/` : entry.path,
    type: entry.type,
    mode: entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    size: content.byteLength,
    mtime,
    ...(entry.target === undefined ? {} : { linkpath: entry.target }),
  };
  const header = new Header(data);
  const block = Buffer.alloc(BLOCK_BYTES);
  const needsMore = header.encode(block, 0);
  const before = needsMore ? [new Pax(data).encode()] : [];
  return Buffer.concat([...before, block, padded(content)]);
}

function padded(content: Buffer): Buffer {
  return Buffer.concat([
    content,
    Buffer.alloc((BLOCK_BYTES - (content.byteLength % BLOCK_BYTES)) % BLOCK_BYTES),
  ]);
}
