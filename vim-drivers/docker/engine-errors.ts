import { IotmanoError, messageOf } from '../../kernel/index.ts';

/** What the engine said about a call that it refused. */
export interface EngineRefusal {
  readonly status: number;
  readonly said: string;
}

/** Translates whatever the client of the engine threw: an answer of the engine is `driver-failed`, no answer is `unavailable`. */
export function translateEngineError(error: unknown, what: string, engineName: string): IotmanoError {
  if (error instanceof IotmanoError) return error;
  const status = propertyOf(error, 'statusCode');
  if (typeof status !== 'number') {
    return new IotmanoError(
      'unavailable',
      `the Docker Engine at ${engineName} does not answer (${what}): ${plain(error)}; it is tried again`,
      {},
      error,
    );
  }
  const said = saidBy(error);
  const mayPass = status === 503 || isShuttingDown(said) || /no space left on device/i.test(said);
  const code = mayPass ? 'unavailable' : 'driver-failed';
  return new IotmanoError(code, `the Docker Engine at ${engineName} refused to ${what}: ${said}`, {
    status,
    said,
  });
}

/** The refusal behind an error of `translateEngineError`; nothing when the engine did not answer at all. */
export function refusalOf(error: unknown): EngineRefusal | undefined {
  if (!(error instanceof IotmanoError)) return undefined;
  const { status, said } = error.context;
  return typeof status === 'number' && typeof said === 'string' ? { status, said } : undefined;
}

export function hasStatus(error: unknown, ...statuses: readonly number[]): boolean {
  const refusal = refusalOf(error);
  return refusal !== undefined && statuses.includes(refusal.status);
}

function isShuttingDown(said: string): boolean {
  return /shutting down|containerd.*(not running|connection refused)|transport is closing|error reading from server/i.test(
    said,
  );
}

function saidBy(error: unknown): string {
  const json = propertyOf(error, 'json');
  const message = propertyOf(json, 'message');
  if (typeof message === 'string' && message !== '') return message.trim();
  return messageOf(error).trim();
}

function plain(error: unknown): string {
  const code = propertyOf(error, 'code');
  if (code === 'ECONNREFUSED' || code === 'ENOENT') return 'nobody listens there';
  if (propertyOf(error, 'name') === 'AbortError' || code === 'ABORT_ERR') return 'no answer in time';
  return messageOf(error);
}

function propertyOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && name in value
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}
