/**
 * What can go wrong, in one table. The kind decides what a caller may do: only `transient` is ever retried.
 * `status` is the HTTP status that api/ answers with; `title` is the public one-liner of ProblemDetails (RFC 9457).
 */
export const ERROR_TABLE = {
  'malformed-request': { kind: 'invalid', status: 400, title: 'The request cannot be read' },
  'invalid-parameter': { kind: 'invalid', status: 400, title: 'A parameter is not valid' },
  'invalid-filter': { kind: 'invalid', status: 400, title: 'The filter or attribute selector is not valid' },
  'invalid-descriptor': { kind: 'invalid', status: 422, title: 'The descriptor has faults' },
  'invalid-package': { kind: 'invalid', status: 422, title: 'The package has faults' },
  unprocessable: {
    kind: 'invalid',
    status: 422,
    title: 'The request is well-formed but cannot be carried out',
  },
  'payload-too-large': { kind: 'invalid', status: 413, title: 'The request body is too large' },
  'unsupported-media-type': { kind: 'invalid', status: 415, title: 'The content type is not supported here' },
  'not-acceptable': { kind: 'invalid', status: 406, title: 'No representation that the client accepts' },
  'method-not-allowed': { kind: 'invalid', status: 405, title: 'The resource does not have this method' },
  'range-not-satisfiable': {
    kind: 'invalid',
    status: 416,
    title: 'The requested range lies outside the content',
  },
  unauthorized: { kind: 'unauthorized', status: 401, title: 'Authentication is missing or not valid' },
  forbidden: { kind: 'forbidden', status: 403, title: 'The role of the caller does not allow this' },
  'not-found': { kind: 'notFound', status: 404, title: 'There is no such resource' },
  gone: { kind: 'notFound', status: 410, title: 'The resource existed and is no longer available' },
  conflict: { kind: 'conflict', status: 409, title: 'The state of the resource does not allow this' },
  'revision-conflict': {
    kind: 'conflict',
    status: 409,
    title: 'Somebody else changed the resource meanwhile',
  },
  'illegal-transition': {
    kind: 'conflict',
    status: 409,
    title: 'The state of the resource does not allow this event',
  },
  'precondition-failed': {
    kind: 'conflict',
    status: 412,
    title: 'The resource is not at the version that If-Match names',
  },
  'stale-lease': {
    kind: 'conflict',
    status: 409,
    title: 'A newer leader or a newer wanted state has been seen',
  },
  'no-host-fits': { kind: 'capacity', status: 409, title: 'No host fits the request' },
  'too-many-requests': { kind: 'transient', status: 429, title: 'Too many requests' },
  unavailable: { kind: 'transient', status: 503, title: 'The service cannot answer right now' },
  timeout: { kind: 'transient', status: 504, title: 'Somebody else did not answer in time' },
  'driver-failed': { kind: 'terminal', status: 500, title: 'The infrastructure refused or failed' },
  'artifact-unusable': { kind: 'terminal', status: 422, title: 'The artifact cannot be run here' },
  'store-newer': { kind: 'terminal', status: 500, title: 'The stored state was written by a newer version' },
  'store-failed': { kind: 'terminal', status: 500, title: 'The state store failed' },
  'store-locked': { kind: 'terminal', status: 500, title: 'Another process uses the state store' },
  internal: { kind: 'terminal', status: 500, title: 'A fault of this program' },
} as const satisfies Record<string, { kind: ErrorKind; status: number; title: string }>;

export type ErrorKind =
  'invalid' | 'unauthorized' | 'forbidden' | 'notFound' | 'conflict' | 'capacity' | 'transient' | 'terminal';

export type ErrorCode = keyof typeof ERROR_TABLE;

/** Facts about one error, for people and for logs. Never secrets. */
export type ErrorContext = Readonly<Record<string, unknown>>;

/**
 * The one error class. `message` says what was wrong, where, and what to do about it;
 * it may be shown to the caller unless the kind is `terminal` with status 500.
 */
export class IotmanoError extends Error {
  readonly code: ErrorCode;
  readonly context: ErrorContext;

  constructor(code: ErrorCode, message: string, context: ErrorContext = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'IotmanoError';
    this.code = code;
    this.context = context;
  }

  get kind(): ErrorKind {
    return ERROR_TABLE[this.code].kind;
  }

  get status(): number {
    return ERROR_TABLE[this.code].status;
  }
}

/** Whether the same request may succeed a little later without anybody changing anything. */
export function isTransient(error: unknown): boolean {
  return error instanceof IotmanoError && error.kind === 'transient';
}

/** The text of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** For the `default` of an exhaustive switch: compiles only when no case is left. */
export function unreachable(value: never): never {
  throw new IotmanoError('internal', `unexpected value ${JSON.stringify(value)}`);
}
