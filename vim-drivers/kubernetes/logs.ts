import { isTransient, type Clock } from '../../kernel/index.ts';
import type { LogOptions } from '../contract.ts';
import { statusOf } from './api-error.ts';
import { pathOf, type KubeObject } from './objects.ts';
import { CONTAINER } from './pod-template.ts';
import type { ApiTransport } from './transport.ts';

type Pod = KubeObject<'pod'>;

const PAUSE_MILLISECONDS = 250;

export interface LogSource {
  readonly transport: ApiTransport;
  readonly clock: Clock;
  /** The pod of the slot now; undefined: the slot is gone. */
  podOf(): Pod | 'none-yet' | undefined;
}

/**
 * Output of a slot: of the run before the present one, as far as the machine keeps it, then of the present one; followed, also of those that come
 * after.
 */
export async function* readOutput(source: LogSource, options: LogOptions): AsyncGenerator<Uint8Array> {
  const signal = options.signal ?? new AbortController().signal;
  if (!options.follow) {
    yield* readOnce(source, options.tailLines, signal);
    return;
  }
  let { tailLines } = options;
  let done = '';
  while (!signal.aborted) {
    const pod = source.podOf();
    if (pod === undefined) return;
    const run = pod === 'none-yet' ? undefined : runOf(pod);
    if (pod === 'none-yet' || run === undefined || run === done) {
      await source.clock.sleep(PAUSE_MILLISECONDS, signal);
      continue;
    }
    yield* readRun(source.transport, pod, { follow: true, tailLines }, signal);
    done = run;
    tailLines = undefined;
  }
}

async function* readOnce(
  { transport, podOf }: LogSource,
  tailLines: number | undefined,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const pod = podOf();
  if (pod === undefined || pod === 'none-yet') return;
  const { restartCount = 0, state } = pod.status?.containerStatuses?.[0] ?? {};
  // Of a container that waits to be started again the last run is the present one.
  const hasEarlier = restartCount > 0 && state?.waiting === undefined;
  const earlier = hasEarlier ? readRun(transport, pod, { tailLines, previous: true }, signal) : [];
  const present = readRun(transport, pod, { tailLines }, signal);
  if (tailLines === undefined) {
    yield* earlier;
    yield* present;
    return;
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of earlier) chunks.push(chunk);
  for await (const chunk of present) chunks.push(chunk);
  yield lastLines(Buffer.concat(chunks), tailLines);
}

interface RunOptions {
  readonly follow?: boolean;
  readonly previous?: boolean;
  readonly tailLines?: number | undefined;
}

/** Output of one run; ends well also when the connection breaks or is ended, for what follows is looked at anew. */
async function* readRun(
  transport: ApiTransport,
  { metadata }: Pod,
  { follow = false, previous = false, tailLines }: RunOptions,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const query = {
    container: CONTAINER,
    follow: follow ? 'true' : undefined,
    previous: previous ? 'true' : undefined,
    tailLines: tailLines === undefined ? undefined : String(tailLines),
  };
  const path = `${pathOf('pod', metadata?.namespace, metadata?.name)}/log`;
  try {
    const response = await transport.open({ method: 'GET', path, query, signal });
    for await (const chunk of response) yield chunk as Uint8Array;
  } catch (error) {
    if (signal.aborted) return;
    // 400: the container has not begun, or there is no earlier one; 404: the pod is gone.
    if ([400, 404].includes(statusOf(error) ?? 0)) return;
    if (follow && !isTransient(error)) return;
    throw error;
  }
}

/** Which run of the program a pod is at, once it has begun. */
function runOf({ status }: Pod): string | undefined {
  const container = status?.containerStatuses?.[0];
  const hasBegun = container?.state?.running ?? container?.state?.terminated;
  return hasBegun === undefined ? undefined : container?.containerID;
}

export function lastLines(bytes: Uint8Array, count: number): Uint8Array {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (count <= 0) return new Uint8Array();
  let at = text.at(-1) === 10 ? text.length - 1 : text.length;
  for (let line = 0; line < count && at > 0; line += 1) at = text.lastIndexOf(10, at - 1);
  return text.subarray(at <= 0 ? Math.max(0, at) : at + 1);
}
