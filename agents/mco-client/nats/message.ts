import { NATS_OPERATIONS, type NatsOperation } from '../../../api-specs/generated/mco-nats.ts';
import { IotmanoError } from '../../../kernel/index.ts';
import type { TransportRequest } from '../transport.ts';

/** A request as a message: the operation names its subject. */
export interface NatsRequest {
  readonly operation: NatsOperation;
  /** By the names that they have on the wire. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** How long the answer to `wanted` may wait for news, milliseconds: of this side only. */
  readonly waitMilliseconds: number;
}

/** What HTTP says in header fields and a message does not need to. */
const HTTP_ONLY = new Set(['accept', 'content-type']);

const PATTERNS = NATS_OPERATIONS.map((operation) => ({
  operation,
  pattern: new RegExp(`^${operation.path.replaceAll(/\{\w+\}/g, '([^/]+)')}$`),
  names: [...operation.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? ''),
}));

/**
 * The message that stands for a request of the binding to HTTP: parameters of path and query are headers.
 * @throws IotmanoError `internal` for a request that is no operation of Mco
 */
export function toNatsRequest({ method, path, headers, body }: TransportRequest): NatsRequest {
  const [plain = '', search = ''] = path.split('?', 2);
  const query = new URLSearchParams(search);
  for (const { operation, pattern, names } of PATTERNS) {
    const match = operation.method === method ? pattern.exec(plain) : null;
    if (match === null) continue;
    const parameters = [
      ...names.map((name, index) => [name, match[index + 1]] as const).filter(([name]) => name !== 'hostId'),
      ...operation.query.map((name) => [name, query.get(name)] as const),
    ].flatMap(([name, value]) =>
      typeof value === 'string' ? [[headerName(`mco-${dashed(name)}`), value]] : [],
    );
    const own = Object.entries(headers).filter(([name]) => !HTTP_ONLY.has(name));
    return {
      operation: operation.name,
      headers: Object.fromEntries([
        ...own.map(([name, value]) => [headerName(name), value]),
        ...(parameters as [string, string][]),
      ]),
      body: body ?? new Uint8Array(),
      waitMilliseconds: Number(query.get('wait') ?? 0) * 1000,
    };
  }
  throw new IotmanoError('internal', `${method} ${plain} is no operation of Mco over NATS`);
}

/** `streamId` is `stream-id` in names of headers. */
function dashed(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** `mco-boot-id` is `Mco-Boot-Id` on the wire, where names are told apart by case. */
function headerName(name: string): string {
  return name.replaceAll(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());
}
