import type { IncomingMessage, ServerResponse } from 'node:http';
import { IotmanoError } from '../../kernel/index.ts';
import type { Caller } from '../domain/index.ts';
import { ANONYMOUS, isKnownCaller, requireAccess, requireCaller } from './access.ts';
import { mediaTypeOf, readBody } from './body.ts';
import type { ApiOptions } from './api-options.ts';
import { parseIdempotencyKey, type Idempotency } from './idempotency.ts';
import { validateRequest, type Operation } from './openapi/index.ts';
import type { ApiRequest, ApiResponse, Route } from './route-types.ts';
import { flatHeaders, isEncrypted, originOf, parseQuery, pathOf } from './request-parts.ts';
import { drain, sendProblem, sendResponse, setCommonHeaders } from './send.ts';
import { negotiateVersion } from './sol013/index.ts';

export interface Pipeline extends ApiOptions {
  readonly idempotency: Idempotency;
  readonly stopping: AbortSignal;
}

/** All methods of one path. */
export interface Endpoint {
  readonly path: string;
  readonly routes: readonly Route[];
  readonly operations: ReadonlyMap<Route, Operation | undefined>;
}

/** What the path of a request leads to; undefined: nothing. */
export type Target =
  | { readonly endpoint: Endpoint; readonly params: Readonly<Record<string, string>> }
  | { readonly fault: unknown }
  | undefined;

const DEFAULT_MAX_BODY_BYTES = 1024 * 1024;
const DEFAULT_MAX_BODY_MILLISECONDS = 15_000;

/** Takes one request through all steps and answers it, whatever happens. Never rejects. */
export async function runPipeline(
  pipeline: Pipeline,
  request: IncomingMessage,
  response: ServerResponse,
  target: Target,
): Promise<void> {
  const { clock, ids, store, stopping, log } = pipeline;
  const startedAt = clock.monotonic();
  const requestId = ids.uuid();
  setCommonHeaders(response, requestId, isEncrypted(request));
  const gone = new AbortController();
  response.once('close', () => {
    // A connection also closes, for this request, when all of the answer is sent.
    if (!response.writableFinished) gone.abort(new IotmanoError('unavailable', 'the client went away'));
  });
  const exchange = { pipeline, request, requestId, signal: AbortSignal.any([gone.signal, stopping]) };
  try {
    const answer = await answerTo(exchange, response, target);
    await store.whenDurable();
    await sendResponse(request, response, answer);
  } catch (error) {
    // An error may reflect what was accepted a moment ago just as an answer does.
    await store.whenDurable();
    await drain(request);
    sendProblem(request, response, error, requestId, log);
  }
  const route = target !== undefined && 'endpoint' in target ? target.endpoint.path : 'none';
  pipeline.onAnswer?.({
    method: request.method ?? '',
    route,
    status: response.statusCode,
    milliseconds: clock.monotonic() - startedAt,
  });
}

interface Exchange {
  readonly pipeline: Pipeline;
  readonly request: IncomingMessage;
  readonly requestId: string;
  readonly signal: AbortSignal;
}

async function answerTo(exchange: Exchange, response: ServerResponse, target: Target): Promise<ApiResponse> {
  const { pipeline, request } = exchange;
  const isPublic =
    target !== undefined &&
    'endpoint' in target &&
    target.endpoint.routes.some((route) => route.access === 'public' && route.method === request.method);
  const caller = isPublic ? ANONYMOUS : requireCaller(request.headers.authorization, pipeline.authenticate);
  if (target !== undefined && 'fault' in target) throw target.fault;
  const route = chooseRoute(request, target?.endpoint);
  const { endpoint, params } = target as Extract<Target, { endpoint: Endpoint }>;
  requireAccess(route, caller, params);
  const operation = endpoint.operations.get(route);
  if (operation !== undefined) {
    const version = negotiateVersion(
      flatHeaders(request)['version'],
      pipeline.documents.versionedApis,
      endpoint.path,
    );
    if (version !== undefined) response.setHeader('Version', version);
  }
  return await handle(exchange, route, operation, caller, params);
}

/** @throws IotmanoError `not-found` or `method-not-allowed` */
function chooseRoute(request: IncomingMessage, endpoint: Endpoint | undefined): Route {
  const path = pathOf(request);
  if (endpoint === undefined) {
    throw new IotmanoError(
      'not-found',
      `there is no resource ${JSON.stringify(path.slice(0, 200))}; check the path and the version in it`,
    );
  }
  const route = endpoint.routes.find(({ method }) => method === request.method);
  if (route !== undefined) return route;
  const allow = endpoint.routes
    .map(({ method }) => method)
    .toSorted()
    .join(', ');
  throw new IotmanoError(
    'method-not-allowed',
    `${String(request.method)} is not possible on ${endpoint.path}; use ${allow}`,
    { allow },
  );
}

async function handle(
  exchange: Exchange,
  route: Route,
  operation: Operation | undefined,
  caller: Caller,
  params: Readonly<Record<string, string>>,
): Promise<ApiResponse> {
  const { pipeline, request, requestId, signal } = exchange;
  const query = parseQuery(request);
  const headers = flatHeaders(request);
  const mediaType = mediaTypeOf(headers['content-type']);
  // Parameters before the body: a refusal then costs no transfer.
  if (operation !== undefined)
    validateRequest(operation, { params, query, headers, body: undefined, mediaType });
  if (route.body === 'stream') requireStreamType(operation, mediaType);
  const { raw, parsed } = await readBody(
    request,
    route,
    {
      maxBytes: route.maxBodyBytes ?? DEFAULT_MAX_BODY_BYTES,
      maxMilliseconds: pipeline.maxBodyMilliseconds ?? DEFAULT_MAX_BODY_MILLISECONDS,
    },
    signal,
  );
  if (operation !== undefined && parsed !== undefined)
    validateRequest(operation, { params, query, headers, body: parsed, mediaType });
  const apiRequest: ApiRequest = {
    method: route.method,
    path: pathOf(request),
    params,
    query,
    headers,
    body: parsed,
    stream: request,
    caller,
    isStillCaller: () =>
      route.access === 'public' || isKnownCaller(request.headers.authorization, pipeline.authenticate),
    signal,
    origin: originOf(request),
    requestId,
    idempotencyWrites: () => [],
  };
  const key = headers['idempotency-key'];
  if (route.idempotent !== true || key === undefined) return await route.handle(apiRequest);
  return await pipeline.idempotency.run(
    { key: parseIdempotencyKey(key), caller, method: route.method, target: request.url ?? '', rawBody: raw },
    (idempotencyWrites) => route.handle({ ...apiRequest, idempotencyWrites }),
  );
}

function requireStreamType(operation: Operation | undefined, mediaType: string | undefined): void {
  const allowed = operation?.bodies.map((content) => content.mediaType) ?? [];
  if (allowed.length === 0 || allowed.includes('*/*') || allowed.includes(mediaType ?? '')) return;
  throw new IotmanoError(
    'unsupported-media-type',
    `header Content-Type is ${JSON.stringify(mediaType ?? 'missing').slice(0, 100)}; send ${allowed.join(' or ')}`,
    { parameter: 'Content-Type' },
  );
}
