import { ERROR_TABLE, IotmanoError, messageOf, type ErrorCode, type Logger } from '../../kernel/index.ts';

/** RFC 9457, with `status` and `detail` always there as SOL013 clause 6.3 asks; `code` is the one of docs/errors.md. */
export interface ProblemDetails {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly code: ErrorCode;
  readonly [extension: string]: unknown;
}

/** Facts of an error's context that callers get to see; everything else stays in the log. */
const PUBLIC_FACTS = [
  'faults',
  'reasons',
  'parameter',
  'pointer',
  'state',
  'event',
  'expectedSequence',
  'fullRequired',
  'oldestRevision',
  'error',
] as const;

/**
 * The only place where an error becomes an answer. Inner detail of a fault of ours goes to the log under the request id, not to the caller.
 * @param requestId shown as `instance`, so that a person can find the log line
 */
export function toProblem(thrown: unknown, requestId: string, log: Logger): ProblemDetails {
  const error = thrown instanceof IotmanoError ? thrown : toIotmanoError(thrown);
  const { title, status } = ERROR_TABLE[error.code];
  const isInner = status >= 500 && error.kind === 'terminal';
  if (status >= 500)
    log.error({ err: thrown, code: error.code, requestId, context: error.context }, 'request failed');
  return {
    type: `urn:iotmano:problem:${error.code}`,
    title,
    status,
    detail: isInner
      ? `the orchestrator failed; nothing of the request was confirmed; the log names the cause under request id ${requestId}`
      : error.message,
    instance: `urn:iotmano:request:${requestId}`,
    code: error.code,
    ...(isInner ? {} : publicFacts(error)),
  };
}

/** Headers that belong to an error: what to authenticate with, when to come back, which methods there are. */
export function problemHeaders(thrown: unknown): Record<string, string> {
  if (!(thrown instanceof IotmanoError)) return {};
  const headers: Record<string, string> = {};
  if (thrown.code === 'unauthorized') headers['WWW-Authenticate'] = 'Bearer';
  if (thrown.kind === 'transient')
    headers['Retry-After'] = String(Number(thrown.context['retryAfterSeconds'] ?? 1));
  if (typeof thrown.context['allow'] === 'string') headers['Allow'] = thrown.context['allow'];
  return headers;
}

function publicFacts(error: IotmanoError): Record<string, unknown> {
  return Object.fromEntries(
    PUBLIC_FACTS.filter((name) => error.context[name] !== undefined).map((name) => [
      name,
      error.context[name],
    ]),
  );
}

/** express and node throw errors with a `status` of 4xx where a request cannot be decoded; all others are faults of ours. */
function toIotmanoError(thrown: unknown): IotmanoError {
  const status = typeof thrown === 'object' && thrown !== null && 'status' in thrown ? thrown.status : 500;
  if (status === 400) {
    return new IotmanoError(
      'malformed-request',
      `the path of the request cannot be decoded: ${messageOf(thrown)}; percent-encode UTF-8`,
    );
  }
  return new IotmanoError('internal', messageOf(thrown), {}, thrown);
}
