/** A route as data: what the pipeline checks before, and what the use case answers. */
import type { Readable } from 'node:stream';
import type { Caller, Role } from '../domain/index.ts';
import type { Write } from '../store/index.ts';

/** A certificate that a client has shown, signed by the authority for hosts. */
export interface ClientCertificate {
  readonly hostId: string;
  /** Of the JWK of its key. */
  readonly publicKeyX: string;
  /** Milliseconds since the epoch. */
  readonly validFrom: number;
  readonly validTo: number;
}

export interface ApiRequest {
  readonly method: string;
  /** Path as requested, without query. */
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Parsed and validated against the OpenAPI document (`bodyOf` gives it its type); undefined where the route takes none or takes a stream. */
  readonly body: unknown;
  /** The raw request, for routes with `body: 'stream'`. */
  readonly stream: Readable;
  readonly caller: Caller;
  /** Of the connection, where it is one of a host. */
  readonly clientCertificate?: ClientCertificate;
  /** Whether the token is good still: what lasts asks before it tells more. */
  isStillCaller(): boolean;
  /** Aborted when the client goes away or the process stops. */
  readonly signal: AbortSignal;
  /** `https://host:port` as the client addressed us, for Location and _links. */
  readonly origin: string;
  readonly requestId: string;
  /**
   * What makes the answer repeatable, empty without an Idempotency-Key. A use case that creates puts these into the commit that
   * creates, so that not even a crash in between can lead to a second creation. Where it does not, the pipeline commits them after it.
   */
  idempotencyWrites(response: ApiResponse): readonly Write[];
}

export interface ApiResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Instead of `body`, sent as it is; `headers` must hold its content type. */
  readonly text?: string;
  /** Instead of `body`, sent as it comes; `headers` must hold its content type. */
  readonly stream?: Readable;
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** In OpenAPI notation: `/vnflcm/v2/vnf_instances/{vnfInstanceId}`. */
  readonly path: string;
  /** Who may call: everybody, the host that a session token names (`{hostId}` in the path must be its own), or the roles listed. */
  readonly access: 'public' | 'host' | readonly Role[];
  /**
   * `json`: application/json; `merge-patch`: application/merge-patch+json; `form`: application/x-www-form-urlencoded, parsed to an object
   * of strings; `stream`: passed through unread; `none`: a body is refused.
   */
  readonly body: 'none' | 'json' | 'optional-json' | 'merge-patch' | 'form' | 'stream';
  /** Where larger than the default of 1 MiB, bytes. Not for streams, whose use cases bound themselves. */
  readonly maxBodyBytes?: number;
  /** Accepts an Idempotency-Key: the same key and request give the same answer, and one creation. */
  readonly idempotent?: boolean;
  /** The last path parameter, where it may span several segments, such as `artifactPath`. */
  readonly multiSegment?: string;
  handle(request: ApiRequest): Promise<ApiResponse>;
}

/** Everybody who may read what belongs to the tenant. */
export const READERS: readonly Role[] = ['viewer', 'operator', 'admin'];
/** Everybody who may change what belongs to the tenant. */
export const OPERATORS: readonly Role[] = ['operator', 'admin'];
export const ADMINS: readonly Role[] = ['admin'];

/** The body with the type that the OpenAPI document gives it: the pipeline has validated it before. */
export function bodyOf<Body>(request: ApiRequest): Body {
  return request.body as Body;
}
