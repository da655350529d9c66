import { createReadStream } from 'node:fs';
import { IotmanoError } from '../../kernel/index.ts';
import type { ApiRequest, ApiResponse } from './route-types.ts';

/** Bytes `start` to `end`, both included. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * The one range that a Range header asks for; undefined for none, and for forms that a server may ignore (other units, several ranges).
 * @throws IotmanoError `range-not-satisfiable`
 */
export function parseRange(header: string | undefined, sizeBytes: number): ByteRange | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? '');
  const [, from = '', to = ''] = match ?? [];
  if (match === null || (from === '' && to === '')) return undefined;
  const range =
    from === ''
      ? { start: Math.max(0, sizeBytes - Number(to)), end: sizeBytes - 1 }
      : { start: Number(from), end: to === '' ? sizeBytes - 1 : Math.min(Number(to), sizeBytes - 1) };
  if (range.start <= range.end && range.start < sizeBytes) return range;
  throw new IotmanoError(
    'range-not-satisfiable',
    `header Range asks for ${String(header).slice(0, 60)} of a content of ${sizeBytes} bytes; ask for bytes 0 to ${sizeBytes - 1}`,
    { parameter: 'Range' },
  );
}

/** A file as the answer, whole or the range that was asked for. */
export function fileResponse(
  request: ApiRequest,
  file: { readonly path: string; readonly sizeBytes: number; readonly mediaType: string },
): ApiResponse {
  const range = parseRange(request.headers['range'], file.sizeBytes);
  const headers = { 'Content-Type': file.mediaType, 'Accept-Ranges': 'bytes' };
  if (range === undefined) {
    return {
      status: 200,
      headers: { ...headers, 'Content-Length': String(file.sizeBytes) },
      stream: createReadStream(file.path),
    };
  }
  return {
    status: 206,
    headers: {
      ...headers,
      'Content-Length': String(range.end - range.start + 1),
      'Content-Range': `bytes ${range.start}-${range.end}/${file.sizeBytes}`,
    },
    stream: createReadStream(file.path, range),
  };
}
