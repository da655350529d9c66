import { crc32 } from 'node:zlib';

/**
 * One entry on disk: length of the payload (u32), CRC-32 of what follows (u32), sequence (u64), weight (u32), payload; big-endian.
 * A torn or rotten entry fails its checksum, and nothing after it in the same file is believed.
 */
export const HEADER_BYTES = 20;

export interface QueueEntry {
  /** From 1, without gaps but for entries that were dropped beyond the bound. */
  readonly sequence: number;
  /** What it counts for when it is dropped, e.g. the number of measurements in it. */
  readonly weight: number;
  readonly payload: Buffer;
}

export function encodeEntry({ sequence, weight, payload }: QueueEntry): Buffer {
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + payload.length);
  bytes.writeUInt32BE(payload.length, 0);
  bytes.writeBigUInt64BE(BigInt(sequence), 8);
  bytes.writeUInt32BE(weight, 16);
  bytes.set(payload, HEADER_BYTES);
  bytes.writeUInt32BE(crc32(bytes.subarray(8)), 4);
  return bytes;
}

export interface DecodedEntry extends QueueEntry {
  /** Where the entry begins in the buffer. */
  readonly offset: number;
}

/**
 * The entries at the beginning of the buffer, up to the first that is torn or rotten, or until `isEnough`.
 * Payloads are views of the buffer. `validBytes` is where the first entry that was not read begins.
 */
export function decodeEntries(
  bytes: Buffer,
  isEnough: (entry: DecodedEntry) => boolean = () => false,
): { readonly entries: readonly DecodedEntry[]; readonly validBytes: number } {
  const entries: DecodedEntry[] = [];
  let offset = 0;
  while (offset + HEADER_BYTES <= bytes.length) {
    const end = offset + HEADER_BYTES + bytes.readUInt32BE(offset);
    if (end > bytes.length || crc32(bytes.subarray(offset + 8, end)) !== bytes.readUInt32BE(offset + 4))
      break;
    const sequence = Number(bytes.readBigUInt64BE(offset + 8));
    const weight = bytes.readUInt32BE(offset + 16);
    const entry = { sequence, weight, payload: bytes.subarray(offset + HEADER_BYTES, end), offset };
    entries.push(entry);
    offset = end;
    if (isEnough(entry)) break;
  }
  return { entries, validBytes: offset };
}
