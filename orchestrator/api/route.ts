/** A route as data: what the pipeline checks before, and what the use case answers. Independent of express. */
import type { Readable } from 'node:stream';
import type { Caller, Role } from '../domain/index.ts';

export interface ApiRequest {
  readonly method: string;
  /** Path as requested, without query. */
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Parsed and validated JSON; undefined where the route takes none or takes a stream. */
  readonly body: unknown;
  /** The raw request, for routes with `body: 'stream'`. */
  readonly stream: Readable;
  readonly caller: Caller;
  /** Aborted when the client goes away or the process stops. */
  readonly signal: AbortSignal;
  /** `https://host:port` as the client addressed us, for Location and _links. */
  readonly origin: string;
}

export interface ApiResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON unless `stream` is given. */
  readonly body?: unknown;
  /** Sent as it is; `headers` must hold its content type. */
  readonly stream?: Readable;
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** In OpenAPI notation: `/vnflcm/v2/vnf_instances/{vnfInstanceId}`. */
  readonly path: string;
  /** Who may call: everybody, the host that a session token names (`{hostId}` in the path must be its own), or the roles listed. */
  readonly access: 'public' | 'host' | readonly Role[];
  /** `json`: application/json; `merge-patch`: application/merge-patch+json; `stream`: passed through unread; `none`: a body is refused. */
  readonly body: 'none' | 'json' | 'optional-json' | 'merge-patch' | 'stream';
  /** Where larger than the default of 1 MiB, bytes. Not for streams, whose use cases bound themselves. */
  readonly maxBodyBytes?: number;
  /** Accepts an Idempotency-Key: the same key and request give the same answer, and one creation. */
  readonly idempotent?: boolean;
  handle(request: ApiRequest): Promise<ApiResponse>;
}
