import { createHash } from 'node:crypto';
import { IotmanoError, toTimestamp, type Clock } from '../../kernel/index.ts';
import type { Caller } from '../domain/index.ts';
import type { StateStore, Write } from '../store/index.ts';
import type { ApiResponse } from './route-types.ts';

/** How long an answer is kept for repetitions. */
const KEEP_MILLISECONDS = 24 * 3600 * 1000;
const SWEEP_EVERY_MILLISECONDS = 60_000;

export interface IdempotentRequest {
  readonly key: string;
  readonly caller: Caller;
  readonly method: string;
  /** Path with query. */
  readonly target: string;
  readonly rawBody: Uint8Array;
}

export interface Idempotency {
  /**
   * Answers from memory where the same request was answered before; else handles it, once, however many come at the same time.
   * `handle` gets a maker of the writes that remember its answer. Only answers of success are remembered: a failure has changed nothing.
   * @throws IotmanoError `unprocessable` where the key belongs to another request, and whatever `handle` throws
   */
  run(
    request: IdempotentRequest,
    handle: (writesOf: (response: ApiResponse) => readonly Write[]) => Promise<ApiResponse>,
  ): Promise<ApiResponse>;
}

/** The header's value. @throws IotmanoError `invalid-parameter` */
export function parseIdempotencyKey(header: string): string {
  if (/^[\x21-\x7e]{1,200}$/.test(header)) return header;
  throw new IotmanoError(
    'invalid-parameter',
    'header Idempotency-Key must be 1 to 200 visible ASCII characters; use a UUID',
    { parameter: 'Idempotency-Key' },
  );
}

export function createIdempotency(store: StateStore, clock: Clock): Idempotency {
  const running = new Map<string, Promise<unknown>>();
  let sweptAt = clock.monotonic();

  function recall(id: string, requestHash: string): ApiResponse | undefined {
    const known = store.get('idempotency', id)?.document;
    if (known === undefined || Date.parse(known.expiresAt) <= clock.now()) return undefined;
    if (known.requestHash !== requestHash) {
      throw new IotmanoError(
        'unprocessable',
        'this Idempotency-Key was used for another request before; use a new key for a new request',
        { parameter: 'Idempotency-Key' },
      );
    }
    const { status, headers, body } = known;
    return { status, headers, ...(body === null ? {} : { body }) };
  }

  function sweep(): void {
    if (clock.monotonic() - sweptAt < SWEEP_EVERY_MILLISECONDS) return;
    sweptAt = clock.monotonic();
    const expired = [...store.list('idempotency')].filter(
      ({ document }) => Date.parse(document.expiresAt) <= clock.now(),
    );
    if (expired.length === 0) return;
    store.commit(
      expired.map(({ id, revision }) => ({
        op: 'delete' as const,
        kind: 'idempotency' as const,
        id,
        expectedRevision: revision,
      })),
    );
  }

  return {
    async run(request, handle) {
      const id = digest([request.caller.tenant, request.caller.name, request.key]);
      const requestHash = digest([request.method, request.target, digest([request.rawBody])]);
      while (running.has(id)) await running.get(id);
      const recalled = recall(id, requestHash);
      if (recalled !== undefined) return recalled;
      const writesOf = (response: ApiResponse): readonly Write[] => [
        {
          op: 'put',
          kind: 'idempotency',
          id,
          tenant: request.caller.tenant,
          document: {
            requestHash,
            status: response.status,
            headers: response.headers ?? {},
            body: response.body ?? null,
            expiresAt: toTimestamp(clock.now() + KEEP_MILLISECONDS),
          },
        },
      ];
      const handling = handle(writesOf);
      const settled = handling.then(
        (response) => {
          // The use case may have committed it together with what it created.
          if (response.status < 300 && recall(id, requestHash) === undefined)
            store.commit(writesOf(response));
          sweep();
        },
        () => undefined,
      );
      const forget = (): void => void running.delete(id);
      running.set(id, settled.then(forget, forget));
      await settled;
      return await handling;
    },
  };
}

function digest(parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex');
}
