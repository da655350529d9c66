import { SIGNATURE_BYTES } from '../limits.ts';

/** A manifest as SOL004 option 1 (clause 5.2) signs it: a CMS block follows the text that it signs. */
export interface SplitManifest {
  /** The bytes that are signed; the whole manifest where there is no signature. */
  readonly content: Buffer;
  /** From `-----BEGIN CMS-----` to the end of the file. */
  readonly signature?: string;
}

const BEGIN = '-----BEGIN CMS-----';
const END = '-----END CMS-----';

/** What stands behind the beginning of a signature is never read as manifest: it is not signed. */
export function splitManifest(bytes: Buffer): SplitManifest {
  const at = bytes.indexOf(`\n${BEGIN}`);
  if (at === -1) return { content: bytes };
  return { content: bytes.subarray(0, at + 1), signature: bytes.subarray(at + 1).toString('latin1') };
}

/** The CMS structure of a block; nothing where the block is not well-formed, too large, or something follows it. */
export function decodeSignature(block: string): Buffer | undefined {
  const text = block.trim();
  if (text.length > SIGNATURE_BYTES || !text.startsWith(BEGIN) || !text.endsWith(END)) return undefined;
  const base64 = text.slice(BEGIN.length, -END.length).replaceAll(/\s/g, '');
  return /^[A-Za-z0-9+/]+={0,2}$/.test(base64) ? Buffer.from(base64, 'base64') : undefined;
}

export function encodeSignature(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return [BEGIN, ...lines, END, ''].join('\n');
}
