import type { Readable } from 'node:stream';
import { IotmanoError } from '../../kernel/index.ts';
import type { Caller } from '../domain/index.ts';
import { ANONYMOUS, isKnownCaller, requireAccess, requireCaller } from './access.ts';
import type { ApiOptions } from './api-options.ts';
import { mediaTypeOf, type BodyLimits } from './body.ts';
import { parseIdempotencyKey, type Idempotency } from './idempotency.ts';
import { validateBody, validateRequest, type Operation } from './openapi/index.ts';
import type { RequestsUnderWay } from './requests-under-way.ts';
import type { ApiRequest, ApiResponse, ClientCertificate, Route } from './route-types.ts';
import { negotiateVersion } from './sol013/index.ts';

export interface Pipeline extends ApiOptions {
  readonly idempotency: Idempotency;
  readonly underWay: RequestsUnderWay;
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

/** One request, whatever brought it. */
export interface Incoming {
  readonly method: string;
  /** Path as requested, without query. */
  readonly path: string;
  /** Path with query. */
  readonly url: string;
  /** Each as one text, by its name in small letters. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly origin: string;
  /** Unread, for routes with `body: 'stream'`. */
  readonly stream: Readable;
  /** @throws IotmanoError `malformed-request` */
  parseQuery(): URLSearchParams;
  /** What the route says that there is. @throws IotmanoError as `readBody` does */
  readBody(route: Route, limits: BodyLimits, signal: AbortSignal): Promise<Body>;
  /** Who sent it, where whatever brought it has found that out; else its access token says so. */
  readonly caller?: Caller;
  /** Of the connection, where it is one of a host. */
  readonly clientCertificate?: ClientCertificate;
}

export interface Body {
  readonly raw: Uint8Array;
  readonly parsed: unknown;
}

export interface Exchange {
  readonly pipeline: Pipeline;
  readonly incoming: Incoming;
  readonly requestId: string;
  /** Aborted when the client goes away or the process stops. */
  readonly signal: AbortSignal;
  /** The version of its API that the request has agreed on. */
  onVersion(version: string): void;
}

const DEFAULT_MAX_BODY_BYTES = 1024 * 1024;
const DEFAULT_MAX_BODY_MILLISECONDS = 15_000;

/**
 * Every step between a request and its answer but the sending: who asks, whether that one may, what the specification says, and the use case.
 * @throws IotmanoError where any of them refuses
 */
export async function answerTo(exchange: Exchange, target: Target): Promise<ApiResponse> {
  const { pipeline, incoming } = exchange;
  const isPublic =
    target !== undefined &&
    'endpoint' in target &&
    target.endpoint.routes.some((route) => route.access === 'public' && route.method === incoming.method);
  const caller = isPublic ? ANONYMOUS : callerOf(exchange);
  if (target !== undefined && 'fault' in target) throw target.fault;
  const route = chooseRoute(incoming, target?.endpoint);
  const { endpoint, params } = target as Extract<Target, { endpoint: Endpoint }>;
  requireAccess(route, caller, params);
  const operation = endpoint.operations.get(route);
  if (operation !== undefined) {
    const { versionedApis } = pipeline.documents;
    const version = negotiateVersion(incoming.headers['version'], versionedApis, endpoint.path);
    if (version !== undefined) exchange.onVersion(version);
  }
  return await handle(exchange, route, operation, caller, params);
}

function callerOf({ incoming, pipeline }: Exchange): Caller {
  const { caller, headers, clientCertificate } = incoming;
  return caller ?? requireCaller(headers['authorization'], pipeline.authenticate, clientCertificate);
}

/** @throws IotmanoError `not-found` or `method-not-allowed` */
function chooseRoute({ path, method }: Incoming, endpoint: Endpoint | undefined): Route {
  if (endpoint === undefined) {
    throw new IotmanoError(
      'not-found',
      `there is no resource ${JSON.stringify(path.slice(0, 200))}; check the path and the version in it`,
    );
  }
  const route = endpoint.routes.find((each) => each.method === method);
  if (route !== undefined) return route;
  const allow = endpoint.routes
    .map((each) => each.method)
    .toSorted()
    .join(', ');
  throw new IotmanoError(
    'method-not-allowed',
    `${method} is not possible on ${endpoint.path}; use ${allow}`,
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
  const { pipeline, incoming, requestId, signal } = exchange;
  const { headers, clientCertificate } = incoming;
  const query = incoming.parseQuery();
  const mediaType = mediaTypeOf(headers['content-type']);
  // Parameters before the body: a refusal then costs no transfer.
  if (operation !== undefined)
    validateRequest(operation, { params, query, headers, body: undefined, mediaType });
  if (route.body === 'stream') requireStreamType(operation, mediaType);
  const limits = {
    maxBytes: route.maxBodyBytes ?? DEFAULT_MAX_BODY_BYTES,
    maxMilliseconds: pipeline.maxBodyMilliseconds ?? DEFAULT_MAX_BODY_MILLISECONDS,
  };
  const { raw, parsed } = await incoming.readBody(route, limits, signal);
  if (operation !== undefined && parsed !== undefined) validateBody(operation, { body: parsed, mediaType });
  const apiRequest: ApiRequest = {
    ...(clientCertificate === undefined ? {} : { clientCertificate }),
    method: route.method,
    path: incoming.path,
    params,
    query,
    headers,
    body: parsed,
    stream: incoming.stream,
    caller,
    isStillCaller: () =>
      route.access === 'public' || isKnownCaller(headers['authorization'], pipeline.authenticate),
    signal,
    origin: incoming.origin,
    requestId,
    idempotencyWrites: () => [],
  };
  const key = headers['idempotency-key'];
  if (route.idempotent !== true || key === undefined) return await route.handle(apiRequest);
  return await pipeline.idempotency.run(
    { key: parseIdempotencyKey(key), caller, method: route.method, target: incoming.url, rawBody: raw },
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
