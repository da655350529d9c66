import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import express, { type NextFunction, type Request, type Response, type Router } from 'express';
import type { ApiOptions } from './api-options.ts';
import { createIdempotency } from './idempotency.ts';
import { areaOf, groupByPath, requireDocumented, toExpressPath } from './route-table.ts';
import type { Endpoint, Pipeline } from './handle-request.ts';
import { pathOf } from './request-parts.ts';
import { runPipeline } from './pipeline.ts';
import { createRequestsUnderWay } from './requests-under-way.ts';

export interface Api {
  readonly listener: RequestListener;
  /** Aborts what is under way (long polls, event streams), so that the server can close. */
  stop(): void;
}

/**
 * The whole API as one request listener.
 * @throws IotmanoError `internal` where a route is not documented or is given twice
 */
export function createApi(options: ApiOptions): Api {
  const { documents } = options;
  requireDocumented(options.routes, documents);
  const pipeline: Pipeline = {
    ...options,
    idempotency: createIdempotency(options.store, options.clock),
    underWay: createRequestsUnderWay(),
  };
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('case sensitive routing', true);
  app.set('strict routing', true);
  // Query and body are parsed by the pipeline, strictly.
  app.set('query parser', false);
  // A router looks at its paths one after the other: a poll of an agent is not to pay for all the others.
  const areas = new Map<string, Router>();
  for (const [path, routes] of groupByPath(options.routes)) {
    const endpoint: Endpoint = {
      path,
      routes,
      operations: new Map(routes.map((route) => [route, documents.operation(route.method, path)])),
    };
    const area = areas.get(areaOf(path)) ?? express.Router({ caseSensitive: true, strict: true });
    areas.set(areaOf(path), area);
    area.all(toExpressPath(path, routes), (request: Request, response: Response) =>
      runPipeline(pipeline, request, response, { endpoint, params: paramsOf(request.params) }),
    );
  }
  app.use((request: Request, response: Response, next: NextFunction) => {
    const area = areas.get(areaOf(pathOf(request)));
    if (area === undefined) next();
    else area(request, response, next);
  });
  app.use((request: Request, response: Response) => runPipeline(pipeline, request, response, undefined));
  // express recognizes an error handler by its four parameters; here come only paths that cannot be decoded.
  app.use((error: unknown, request: Request, response: Response, _next: unknown) =>
    runPipeline(pipeline, request, response, { fault: error }),
  );
  return {
    listener: (request: IncomingMessage, response: ServerResponse) => app(request, response),
    stop: () => pipeline.underWay.stop(),
  };
}

/** A wildcard comes as a list of segments. */
function paramsOf(params: Record<string, string | string[]>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(params).map(([name, value]) => [name, Array.isArray(value) ? value.join('/') : value]),
  );
}
