import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { Caller } from '../domain/index.ts';
import type { ApiOptions } from './api-options.ts';
import { parseMessageBody } from './body.ts';
import { answerTo, type Endpoint, type Exchange, type Incoming, type Pipeline } from './handle-request.ts';
import { createIdempotency } from './idempotency.ts';
import { problemHeaders, toProblem } from './problem.ts';
import { createRequestsUnderWay } from './requests-under-way.ts';
import { groupByPath, requireDocumented } from './route-table.ts';
import type { ApiResponse } from './route-types.ts';

/** A request that came as one message, over something else than HTTP. */
export interface MessageRequest {
  readonly method: string;
  /** Of the route, in OpenAPI notation. */
  readonly route: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  /** By names in small letters. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array<ArrayBuffer>;
  /** Who sent it, where the way it came says so; else its access token does. */
  readonly caller?: Caller;
}

export interface MessageAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface Dispatcher {
  /**
   * Takes the request through the steps that one over HTTP goes through, and resolves when all that the answer reflects is durable.
   * Never rejects: a refusal is an answer.
   */
  dispatch(request: MessageRequest): Promise<MessageAnswer>;
  /** Aborts what is under way. */
  stop(): void;
}

const ORIGIN = 'message:';

/**
 * The pipeline for bindings that bring whole messages.
 * @throws IotmanoError `internal` where a route is not documented or is given twice
 */
export function createDispatcher(options: ApiOptions): Dispatcher {
  const { documents, routes } = options;
  requireDocumented(routes, documents);
  const pipeline: Pipeline = {
    ...options,
    idempotency: createIdempotency(options.store, options.clock),
    underWay: createRequestsUnderWay(),
  };
  const endpoints = new Map<string, Endpoint>(
    [...groupByPath(routes)].map(([path, grouped]) => {
      const operations = new Map(grouped.map((route) => [route, documents.operation(route.method, path)]));
      return [path, { path, routes: grouped, operations }];
    }),
  );
  return {
    dispatch: (request) => dispatch(pipeline, endpoints.get(request.route), request),
    stop: () => pipeline.underWay.stop(),
  };
}

async function dispatch(
  pipeline: Pipeline,
  endpoint: Endpoint | undefined,
  request: MessageRequest,
): Promise<MessageAnswer> {
  const { clock, ids, store, underWay, log } = pipeline;
  const startedAt = clock.monotonic();
  const requestId = ids.uuid();
  const controller = underWay.begin();
  const exchange: Exchange = {
    pipeline,
    incoming: incomingOf(request),
    requestId,
    signal: controller.signal,
    onVersion: () => {},
  };
  const target = endpoint === undefined ? undefined : { endpoint, params: request.params };
  let answer: MessageAnswer;
  try {
    const response = await answerTo(exchange, target);
    await store.whenDurable();
    answer = { status: response.status, headers: response.headers ?? {}, body: await bytesOf(response) };
  } catch (error) {
    await store.whenDurable();
    const problem = toProblem(error, requestId, log);
    const headers = { ...problemHeaders(error), 'Content-Type': 'application/problem+json' };
    answer = { status: problem.status, headers, body: Buffer.from(JSON.stringify(problem)) };
  }
  underWay.end(controller);
  pipeline.onAnswer?.({
    method: request.method,
    route: request.route,
    status: answer.status,
    milliseconds: clock.monotonic() - startedAt,
  });
  return answer;
}

function incomingOf({ method, route, params, query, headers, body, caller }: MessageRequest): Incoming {
  const path = route.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ''));
  return {
    method,
    path,
    url: path,
    headers: { 'content-type': 'application/json', ...headers },
    origin: ORIGIN,
    stream: Readable.from([]),
    parseQuery: () => new URLSearchParams(query),
    readBody: (into, limits) => parseMessageBody(body, into, headers['content-encoding'], limits),
    ...(caller === undefined ? {} : { caller }),
  };
}

async function bytesOf({ body, text, stream }: ApiResponse): Promise<Uint8Array> {
  if (stream !== undefined) return await buffer(stream);
  if (text !== undefined) return Buffer.from(text);
  return body === undefined ? new Uint8Array() : Buffer.from(JSON.stringify(body));
}
