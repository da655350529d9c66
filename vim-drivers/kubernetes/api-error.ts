import { IotmanoError, messageOf } from '../../kernel/index.ts';

/** What an API server says of a request that it did not carry out (`Status`). */
interface ApiStatus {
  readonly message?: string;
  readonly reason?: string;
}

/** HTTP status of the API server's answer; undefined for any other error. */
export function statusOf(error: unknown): number | undefined {
  if (!(error instanceof IotmanoError)) return undefined;
  const { status } = error.context;
  return typeof status === 'number' ? status : undefined;
}

/** The answer of an API server that refused, as our error. The context holds `status` and `reason`. */
export function refusal(method: string, path: string, status: number, body: string): IotmanoError {
  const { message, reason } = parseStatus(body);
  const said = message ?? (body.slice(0, 300) || `HTTP ${status}`);
  const context = { status, reason, method, path };
  if (status === 401)
    return new IotmanoError(
      'driver-failed',
      `the cluster does not accept the credentials (${said}); give the connection valid ones`,
      context,
    );
  if (status === 403 && reason === 'Forbidden' && !/quota|being terminated|violates|PodSecurity/i.test(said))
    return new IotmanoError(
      'driver-failed',
      `the cluster does not let this account do that: ${said}; grant what rbac.yaml lists`,
      context,
    );
  const isLater = status === 429 || status >= 500 || /being terminated/.test(said);
  return new IotmanoError(isLater ? 'unavailable' : 'driver-failed', `the cluster refused: ${said}`, context);
}

/** The API server did not answer. */
export function unreachableServer(server: string, error: unknown): IotmanoError {
  return new IotmanoError('unavailable', `the cluster at ${server} cannot be reached: ${reasonOf(error)}`, {
    server,
  });
}

function reasonOf(error: unknown): string {
  // Where a name has several addresses, Node wraps what each of them said and says nothing itself.
  if (error instanceof AggregateError) return error.errors.map(messageOf).join('; ');
  return messageOf(error);
}

function parseStatus(body: string): ApiStatus {
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === 'object' && parsed !== null ? parsed : {};
  } catch {
    return {};
  }
}
