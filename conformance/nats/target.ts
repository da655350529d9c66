import { readFileSync } from 'node:fs';
import { IotmanoError, messageOf } from '../../kernel/index.ts';

/** Servers of one cluster. */
export interface NatsTarget {
  /** `host:port` */
  readonly servers: readonly string[];
  /** PEM; absent: plain; empty: the authorities of Node. */
  readonly ca?: string | undefined;
}

/**
 * Reads `nats://host:port` or `tls://host:port`, several separated by commas.
 * @throws IotmanoError `invalid-parameter`
 */
export function parseNatsTarget(text: string, caFile?: string): NatsTarget {
  const urls = text.split(',').map((each) => {
    const url = URL.canParse(each.trim()) ? new URL(each.trim()) : undefined;
    if (url !== undefined && ['nats:', 'tls:'].includes(url.protocol) && url.hostname !== '') return url;
    throw invalid(`for NATS --target wants URLs like nats://127.0.0.1:4222; got ${JSON.stringify(each)}`);
  });
  const isTls = urls[0]?.protocol === 'tls:';
  if (urls.some(({ protocol }) => (protocol === 'tls:') !== isTls))
    throw invalid('some servers of --target are named with tls:// and some with nats://; use one for all');
  const servers = urls.map(({ hostname, port }) => `${hostname}:${port === '' ? '4222' : port}`);
  return isTls ? { servers, ca: caFile === undefined ? '' : readPem(caFile) } : { servers };
}

function readPem(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw invalid(`--ca-file wants a PEM file that can be read; ${messageOf(error)}`);
  }
}

function invalid(message: string): IotmanoError {
  return new IotmanoError('invalid-parameter', message, { parameter: 'target' });
}
