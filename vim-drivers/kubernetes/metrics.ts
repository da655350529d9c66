import { normalize } from 'node:path/posix';
import type { ApiTransport } from './transport.ts';

/** More is no answer to a question for metrics; who gives it must not fill the memory of the orchestrator. */
const MAXIMUM_BYTES = 2 * 1024 * 1024;
const TIME_MILLISECONDS = 5000;

/**
 * The body of a good answer of an instance, by way of the API server; undefined where it cannot be had now, whatever the reason.
 * @param proxy path of the proxy to the port of the instance
 * @param path of the descriptor, with its query
 */
export async function fetchMetrics(
  transport: Pick<ApiTransport, 'open'>,
  proxy: string,
  path: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(TIME_MILLISECONDS)]);
  try {
    const response = await transport.open({ method: 'GET', ...metricsRequest(proxy, path), signal: limit });
    const chunks: Buffer[] = [];
    let size = 0;
    // Leaving the loop early ends the connection.
    for await (const chunk of response) {
      size += (chunk as Buffer).length;
      if (size > MAXIMUM_BYTES) return undefined;
      chunks.push(chunk as Buffer);
    }
    return Buffer.concat(chunks).toString();
  } catch {
    return undefined;
  }
}

/** What to ask the API server for. A path of a descriptor leads nowhere but to the instance: not to another's, nor to the cluster itself. */
export function metricsRequest(
  proxy: string,
  path: string,
): { readonly path: string; readonly query: Readonly<Record<string, string>> } {
  const at = path.indexOf('?');
  const [plain, search] = at === -1 ? [path, ''] : [path.slice(0, at), path.slice(at + 1)];
  const inside = normalize(`/${plain}`)
    .split('/')
    .map((part) => encodeURIComponent(part));
  return { path: proxy + inside.join('/'), query: Object.fromEntries(new URLSearchParams(search)) };
}
