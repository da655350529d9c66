import {
  loadApiDocuments,
  responseFaults,
  validateRequest,
  type ApiDocuments,
  type Operation,
} from '../../orchestrator/api/index.ts';

export interface ApiAnswer<Body = unknown> {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Parsed where it is JSON, else the text; undefined where there is none. */
  readonly body: Body;
}

export interface ApiRequestOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  /** Sent as JSON; as merge patch where the method is PATCH. */
  readonly body?: unknown;
  /** Sent as it is, with `contentType`. */
  readonly content?: Uint8Array<ArrayBuffer> | string | ReadableStream<Uint8Array>;
  readonly contentType?: string;
  /** The request breaks its document on purpose. */
  readonly isInvalid?: boolean;
  /** Another token than the client's; null: none. */
  readonly token?: string | null;
  readonly signal?: AbortSignal;
}

/** A client for tests: a request or an answer that differs from its OpenAPI document throws. */
export interface ApiClient {
  request<Body = unknown>(
    method: string,
    path: string,
    options?: ApiRequestOptions,
  ): Promise<ApiAnswer<Body>>;
  get<Body = unknown>(path: string, options?: ApiRequestOptions): Promise<ApiAnswer<Body>>;
  post<Body = unknown>(path: string, body?: unknown, options?: ApiRequestOptions): Promise<ApiAnswer<Body>>;
  put<Body = unknown>(path: string, options: ApiRequestOptions): Promise<ApiAnswer<Body>>;
  patch<Body = unknown>(path: string, body: unknown, options?: ApiRequestOptions): Promise<ApiAnswer<Body>>;
  delete<Body = unknown>(path: string, options?: ApiRequestOptions): Promise<ApiAnswer<Body>>;
}

/** Compiled once for all tests of a file. */
let shared: ApiDocuments | undefined;

export function sharedDocuments(): ApiDocuments {
  shared ??= loadApiDocuments();
  return shared;
}

export function createApiClient(
  baseUrl: string,
  token: string | null,
  documents: ApiDocuments = sharedDocuments(),
): ApiClient {
  const find = createOperationFinder(documents);

  async function request<Body>(
    method: string,
    path: string,
    options: ApiRequestOptions = {},
  ): Promise<ApiAnswer<Body>> {
    const url = new URL(path, baseUrl);
    for (const [name, value] of Object.entries(options.query ?? {})) url.searchParams.set(name, value);
    const operation = find(method, url.pathname);
    const contentType = contentTypeOf(method, options);
    const headers = headersOf(options, token, contentType);
    if (operation !== undefined && options.isInvalid !== true)
      requireValidRequest(operation.operation, operation.params, url, headers, options.body, contentType);
    const response = await fetch(url, {
      method,
      headers,
      redirect: 'manual',
      ...bodyOf(options),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    const answer = await read(response);
    requireConformance(operation?.operation, method, url.pathname, answer);
    return answer as ApiAnswer<Body>;
  }

  return {
    request,
    get: (path, options) => request('GET', path, options),
    post: (path, body, options) =>
      request('POST', path, { ...options, ...(body === undefined ? {} : { body }) }),
    put: (path, options) => request('PUT', path, options),
    patch: (path, body, options) => request('PATCH', path, { ...options, body }),
    delete: (path, options) => request('DELETE', path, options),
  };
}

interface FoundOperation {
  readonly operation: Operation;
  readonly params: Readonly<Record<string, string>>;
}

/** Which operation of the documents a path of a request belongs to. */
export function createOperationFinder(
  documents: ApiDocuments,
): (method: string, path: string) => FoundOperation | undefined {
  const patterns = documents.operations
    .toSorted((one, other) => one.path.split('{').length - other.path.split('{').length)
    .map(({ method, path }) => ({ method, path, pattern: patternOf(path) }));
  return (method, path) => {
    const found = patterns.find((other) => other.method === method && other.pattern.test(path));
    const operation = found && documents.operation(found.method, found.path);
    if (found === undefined || operation === undefined) return undefined;
    const params = Object.entries(found.pattern.exec(path)?.groups ?? {}).map(([name, value]) => [
      name,
      decodeURIComponent(value),
    ]);
    return { operation, params: Object.fromEntries(params) as Record<string, string> };
  };
}

function patternOf(path: string): RegExp {
  // An artifact's path may span segments.
  const source = path
    .replaceAll(/[.*+?^$()|[\]\\]/g, '\\$&')
    .replaceAll('{artifactPath}', '(?<artifactPath>.+)')
    .replaceAll(/\{(\w+)\}/g, '(?<$1>[^/]+)');
  return new RegExp(`^${source}$`);
}

function contentTypeOf(method: string, options: ApiRequestOptions): string | undefined {
  if (options.contentType !== undefined) return options.contentType;
  if (options.body === undefined) return undefined;
  return method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
}

function headersOf(
  options: ApiRequestOptions,
  token: string | null,
  contentType: string | undefined,
): Record<string, string> {
  const bearer = options.token === undefined ? token : options.token;
  return {
    ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
    ...(contentType === undefined ? {} : { 'content-type': contentType }),
    ...options.headers,
  };
}

function bodyOf(options: ApiRequestOptions): RequestInit {
  if (options.content !== undefined)
    return {
      body: options.content,
      ...(options.content instanceof ReadableStream ? { duplex: 'half' } : {}),
    };
  return options.body === undefined ? {} : { body: JSON.stringify(options.body) };
}

function requireValidRequest(
  operation: Operation,
  params: Readonly<Record<string, string>>,
  url: URL,
  headers: Readonly<Record<string, string>>,
  body: unknown,
  contentType: string | undefined,
): void {
  const lowerCase = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const mediaType = contentType?.split(';', 1)[0];
  validateRequest(operation, { params, query: url.searchParams, headers: lowerCase, body, mediaType });
}

async function read(response: Response): Promise<ApiAnswer> {
  const headers = Object.fromEntries(response.headers.entries());
  const isJson = /[/+]json(;|$)/.test(headers['content-type'] ?? '');
  const text = await response.text();
  const body: unknown = isJson ? JSON.parse(text) : text === '' ? undefined : text;
  return { status: response.status, headers, body };
}

function requireConformance(
  operation: Operation | undefined,
  method: string,
  path: string,
  answer: ApiAnswer,
): void {
  const faults = operation === undefined ? [] : [...responseFaults(operation, answer)];
  if (answer.status >= 400 && answer.headers['content-type'] !== 'application/problem+json')
    faults.push(`${method} ${path} → ${answer.status} is not application/problem+json`);
  if (faults.length > 0)
    throw new Error(
      `the answer differs from its document:\n${faults.join('\n')}\n${JSON.stringify(answer.body)}`,
    );
}
