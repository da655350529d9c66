import { gunzipSync } from 'node:zlib';

export const MAX_BODY_BYTES = 64 * 1024 * 1024;

/** A body as it was before it was compressed. @throws where it is too large, or no such thing */
export function unzip(raw: Buffer, encoding: string | undefined): Buffer {
  return encoding === 'gzip' ? gunzipSync(raw, { maxOutputLength: MAX_BODY_BYTES }) : raw;
}
