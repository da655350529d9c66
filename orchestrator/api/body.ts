import type { IncomingMessage } from 'node:http';
import { gunzip } from 'node:zlib';
import { promisify } from 'node:util';
import { IotmanoError } from '../../kernel/index.ts';
import { parseBoundedJson } from './bounded-json.ts';
import type { Route } from './route-types.ts';

export interface BodyLimits {
  readonly maxBytes: number;
  /** From the first header to the last byte of a body that is read whole, milliseconds. */
  readonly maxMilliseconds: number;
}

const MEDIA_TYPES = {
  json: 'application/json',
  'optional-json': 'application/json',
  'merge-patch': 'application/merge-patch+json',
  form: 'application/x-www-form-urlencoded',
} as const;

const inflate = promisify(gunzip);

/**
 * Reads and parses the body of a request as its route says; undefined where there is none.
 * @throws IotmanoError `malformed-request`, `unsupported-media-type`, `payload-too-large`, or `timeout` as `malformed-request`
 */
export async function readBody(
  request: IncomingMessage,
  route: Route,
  limits: BodyLimits,
  signal: AbortSignal,
): Promise<{ readonly raw: Uint8Array; readonly parsed: unknown }> {
  const kind = route.body;
  if (kind === 'stream') return { raw: Buffer.alloc(0), parsed: undefined };
  if (kind === 'none') return readNothing(request, limits, signal);
  const isEmpty =
    request.headers['transfer-encoding'] === undefined &&
    Number(request.headers['content-length'] ?? 0) === 0;
  if (isEmpty) return withoutBody(kind);
  requireMediaType(request.headers['content-type'], MEDIA_TYPES[kind]);
  const received = await receive(request, limits, signal);
  return parseReceived(received, kind, request.headers['content-encoding'], limits.maxBytes);
}

/**
 * The same of a request that came as one message, whole: what it holds is of the type that its route takes.
 * @throws IotmanoError `malformed-request`, `unsupported-media-type`, `payload-too-large`
 */
export async function parseMessageBody(
  received: Uint8Array<ArrayBuffer>,
  { body: kind, method }: Route,
  contentEncoding: string | undefined,
  { maxBytes }: BodyLimits,
): Promise<{ readonly raw: Uint8Array; readonly parsed: unknown }> {
  if (kind === 'stream' || kind === 'none') {
    if (received.length > 0) throw takesNoBody(method);
    return { raw: received, parsed: undefined };
  }
  if (received.length === 0) return withoutBody(kind);
  if (received.length > maxBytes) throw tooLarge(maxBytes);
  return parseReceived(received, kind, contentEncoding, maxBytes);
}

async function parseReceived(
  received: Uint8Array<ArrayBuffer>,
  kind: keyof typeof MEDIA_TYPES,
  contentEncoding: string | undefined,
  maxBytes: number,
): Promise<{ readonly raw: Uint8Array; readonly parsed: unknown }> {
  const raw = await decode(contentEncoding, received, maxBytes);
  if (raw.length === 0) return withoutBody(kind);
  const text = decodeUtf8(raw);
  return { raw, parsed: kind === 'form' ? parseForm(text) : parseBoundedJson(text) };
}

function withoutBody(kind: keyof typeof MEDIA_TYPES): { raw: Buffer; parsed: unknown } {
  if (kind === 'optional-json') return { raw: Buffer.alloc(0), parsed: undefined };
  throw new IotmanoError(
    'malformed-request',
    `the request has no body; send one as ${MEDIA_TYPES[kind]} (an empty object is written {})`,
    { pointer: '' },
  );
}

async function readNothing(
  request: IncomingMessage,
  limits: BodyLimits,
  signal: AbortSignal,
): Promise<{ raw: Buffer; parsed: unknown }> {
  const announced = Number(request.headers['content-length'] ?? 0);
  const isChunked = request.headers['transfer-encoding'] !== undefined;
  const received = isChunked
    ? await receive(request, { ...limits, maxBytes: 64 * 1024 }, signal)
    : Buffer.alloc(0);
  if (announced > 0 || received.length > 0) {
    throw takesNoBody(request.method);
  }
  return { raw: received, parsed: undefined };
}

function takesNoBody(method: string | undefined): IotmanoError {
  return new IotmanoError(
    'malformed-request',
    `${method} of this resource takes no body; leave it out, or check the method and the path`,
  );
}

/** Type and subtype of a Content-Type header, lower case. */
export function mediaTypeOf(header: string | undefined): string | undefined {
  return header?.split(';', 1)[0]?.trim().toLowerCase();
}

function requireMediaType(header: string | undefined, wanted: string): void {
  const charset = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(header ?? '')?.[1]?.toLowerCase() ?? 'utf-8';
  if (mediaTypeOf(header) !== wanted || !['utf-8', 'utf8', 'us-ascii'].includes(charset)) {
    throw new IotmanoError(
      'unsupported-media-type',
      `header Content-Type is ${JSON.stringify(header ?? 'missing').slice(0, 100)}; send the body as ${wanted} in UTF-8`,
      { parameter: 'Content-Type' },
    );
  }
}

async function receive(
  request: IncomingMessage,
  limits: BodyLimits,
  signal: AbortSignal,
): Promise<Buffer<ArrayBuffer>> {
  if (Number(request.headers['content-length'] ?? 0) > limits.maxBytes) throw tooLarge(limits.maxBytes);
  const deadline = AbortSignal.timeout(limits.maxMilliseconds);
  const chunks: Buffer[] = [];
  let size = 0;
  return await new Promise((resolve, reject) => {
    const settle = (act: () => void) => (): void => {
      request.off('data', onData);
      request.off('end', onEnd);
      deadline.removeEventListener('abort', onLate);
      signal.removeEventListener('abort', onGone);
      act();
    };
    const fail = (error: IotmanoError): void => settle(() => reject(error))();
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > limits.maxBytes) fail(tooLarge(limits.maxBytes));
      else chunks.push(chunk);
    };
    const onEnd = settle(() => resolve(Buffer.concat(chunks)));
    const onLate = (): void =>
      fail(
        new IotmanoError(
          'malformed-request',
          `the body did not arrive within ${limits.maxMilliseconds / 1000} s (${size} bytes did); send it faster or in smaller parts`,
        ),
      );
    const onGone = (): void =>
      fail(
        new IotmanoError(
          'malformed-request',
          'the connection ended before the whole body was received; repeat the request',
        ),
      );
    request.on('data', onData).on('end', onEnd);
    deadline.addEventListener('abort', onLate);
    signal.addEventListener('abort', onGone);
    if (signal.aborted) onGone();
  });
}

async function decode(
  contentEncoding: string | undefined,
  raw: Uint8Array<ArrayBuffer>,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const encoding = contentEncoding?.trim().toLowerCase() ?? 'identity';
  if (encoding === 'identity') return raw;
  if (encoding !== 'gzip') {
    throw new IotmanoError(
      'unsupported-media-type',
      `header Content-Encoding ${JSON.stringify(encoding).slice(0, 60)} is not supported; send gzip or none`,
      { parameter: 'Content-Encoding' },
    );
  }
  try {
    return await inflate(raw, { maxOutputLength: maxBytes });
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge(maxBytes);
    throw new IotmanoError(
      'malformed-request',
      'the body is not valid gzip; check Content-Encoding',
      {},
      error,
    );
  }
}

function decodeUtf8(raw: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(raw);
  } catch (error) {
    throw new IotmanoError('malformed-request', 'the body is not valid UTF-8; encode it as UTF-8', {}, error);
  }
}

function parseForm(text: string): Record<string, string> {
  const form = new URLSearchParams(text);
  const repeated = [...form.keys()].find((name) => form.getAll(name).length > 1);
  if (repeated !== undefined) {
    throw new IotmanoError(
      'malformed-request',
      `form field ${JSON.stringify(repeated).slice(0, 80)} is given more than once; give it once`,
      { parameter: repeated.slice(0, 80) },
    );
  }
  return Object.fromEntries(form);
}

function tooLarge(maxBytes: number): IotmanoError {
  return new IotmanoError(
    'payload-too-large',
    `the body is larger than the ${maxBytes} bytes that this resource takes; make it smaller or split the request`,
  );
}
