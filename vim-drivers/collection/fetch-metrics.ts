import { get } from 'node:http';

const TIMEOUT_MILLISECONDS = 5000;
const MAX_BYTES = 2 * 1024 * 1024;

/** Where the metrics of an instance are shown. */
export interface MetricsPlace {
  readonly host: string;
  readonly port: number;
  readonly path: string;
}

/** The text that is shown there; undefined where it cannot be had, whatever the reason. Bounded in time and size. */
export function fetchMetrics(place: MetricsPlace, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve) => {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MILLISECONDS)]);
    const call = get({ ...place, agent: false, signal: limit }, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_BYTES) response.destroy();
        else chunks.push(chunk);
      });
      response.once('error', () => resolve(undefined));
      response.once('close', () => {
        const isWhole = response.complete && response.statusCode === 200;
        resolve(isWhole ? Buffer.concat(chunks).toString('utf8') : undefined);
      });
    });
    call.once('error', () => resolve(undefined));
  });
}
