import { IotmanoError, messageOf, type ErrorCode } from '../../kernel/index.ts';
import { problem, type Problem } from './messages.ts';
import type { Shape } from './shape.ts';
import type { Transport, TransportRequest, TransportResponse } from './transport.ts';

export const MCO_VERSION = '1.0';

/** What every message carries beside its body. */
export interface Envelope {
  readonly bootId: string;
  readonly m2mSpId?: string | undefined;
  readonly token?: string | undefined;
  readonly sequence?: number | undefined;
}

export interface Exchange<T> {
  readonly method: TransportRequest['method'];
  readonly path: string;
  readonly envelope: Envelope;
  readonly body?: unknown;
  /** The body ready for the wire, with its own headers; instead of `body`. */
  readonly encoded?: { readonly bytes: Uint8Array; readonly headers: Readonly<Record<string, string>> };
  readonly headers?: Readonly<Record<string, string>>;
  /** Statuses of success. What is not among them is thrown. */
  readonly accept: Readonly<Record<number, Shape<T>>>;
  readonly timeoutMilliseconds?: number;
  readonly signal?: AbortSignal | undefined;
}

export interface Answer<T> {
  readonly status: number;
  readonly headers: TransportResponse['headers'];
  readonly message: T;
}

const DEFAULT_TIMEOUT_MILLISECONDS = 30_000;

/** For answers without a body. */
export const nothing: Shape<undefined> = () => undefined;

/**
 * One operation of Mco: sends, and reads the answer strictly.
 * @throws IotmanoError by the status of the answer; `unavailable` (transient) where it is not what Mco says it must be
 */
export async function exchange<T>(transport: Transport, operation: Exchange<T>): Promise<Answer<T>> {
  const { method, path, signal } = operation;
  const bytes =
    operation.encoded?.bytes ??
    (operation.body === undefined ? undefined : Buffer.from(JSON.stringify(operation.body)));
  const response = await transport.send({
    method,
    path,
    headers: {
      ...envelopeHeaders(operation.envelope),
      ...(operation.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...operation.encoded?.headers,
      ...operation.headers,
    },
    ...(bytes === undefined ? {} : { body: bytes }),
    timeoutMilliseconds: operation.timeoutMilliseconds ?? DEFAULT_TIMEOUT_MILLISECONDS,
    signal,
  });
  const shape = operation.accept[response.status];
  const what = `${method} ${path.split('?')[0] ?? ''}`;
  if (shape === undefined)
    throw refusal(what, response.status, response.headers, parseProblem(response.body));
  const { status, headers } = response;
  try {
    const value: unknown =
      response.body.length === 0 ? undefined : JSON.parse(response.body.toString('utf8'));
    return { status, headers, message: shape(value, '') };
  } catch (error) {
    throw new IotmanoError(
      'unavailable',
      `the answer to ${what} is not what Mco ${MCO_VERSION} says: ${messageOf(error)}; is something else than an orchestrator answering there?`,
      { status },
      error,
    );
  }
}

export function envelopeHeaders(envelope: Envelope): Record<string, string> {
  return {
    accept: 'application/json, application/problem+json',
    'mco-version': MCO_VERSION,
    'mco-boot-id': envelope.bootId,
    ...(envelope.m2mSpId === undefined ? {} : { 'mco-sp-id': envelope.m2mSpId }),
    ...(envelope.token === undefined ? {} : { authorization: `Bearer ${envelope.token}` }),
    ...(envelope.sequence === undefined ? {} : { 'mco-sequence': String(envelope.sequence) }),
  };
}

const CODES: Readonly<Record<number, ErrorCode>> = {
  400: 'malformed-request',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not-found',
  409: 'conflict',
  410: 'gone',
  413: 'payload-too-large',
  415: 'unsupported-media-type',
  416: 'range-not-satisfiable',
  422: 'unprocessable',
  429: 'too-many-requests',
};

/** A refusal of the server as an error of ours; what is not in Mco's list counts as transient. */
export function refusal(
  what: string,
  status: number,
  headers: TransportResponse['headers'],
  details: Problem | undefined,
): IotmanoError {
  const code = CODES[status] ?? 'unavailable';
  const retryAfter = Number(headers['retry-after']);
  return new IotmanoError(
    code,
    `${what} was answered with ${status}: ${details?.detail ?? 'no reason given'}`,
    {
      status,
      ...(Number.isFinite(retryAfter) && retryAfter >= 0 ? { retryAfterSeconds: retryAfter } : {}),
      ...(details?.expectedSequence === undefined ? {} : { expectedSequence: details.expectedSequence }),
      ...(details?.fullRequired === undefined ? {} : { isFullRequired: details.fullRequired }),
    },
  );
}

function parseProblem(body: Buffer): Problem | undefined {
  try {
    return problem(JSON.parse(body.subarray(0, 64 * 1024).toString('utf8')), '');
  } catch {
    return undefined;
  }
}
