import { IotmanoError, messageOf, type Clock, type Logger } from '../../kernel/index.ts';
import type { VimDriver } from '../../vim-drivers/index.ts';
import {
  diagnosticRequest,
  type Backoff,
  type DiagnosticRequest,
  type PostChunk,
} from '../mco-client/index.ts';
import { openSource } from './open-source.ts';
import { runStream } from './run-stream.ts';

export interface DiagnosticsAgentOptions {
  readonly drivers: readonly VimDriver[];
  /** Where the chunks of a stream go. */
  readonly stream: (streamId: string) => PostChunk;
  readonly createBackoff: () => Backoff;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Carries out requests for as long as they stand. */
export interface DiagnosticsAgent {
  /** All that stand now, as they came: new ones begin, those that are no longer there end. */
  wanted(requests: readonly unknown[]): void;
  /** Ends all, and resolves when nothing of them is left. */
  close(): Promise<void>;
}

/** At one time; more are refused. */
const MOST_STREAMS = 16;

interface Running {
  readonly withdrawal: AbortController;
  readonly ended: Promise<void>;
  isOver: boolean;
}

export function createDiagnosticsAgent(options: DiagnosticsAgentOptions): DiagnosticsAgent {
  const { drivers, clock, log } = options;
  /** Those that stand, also when they are over: a request that still stands is not carried out again. */
  const standing = new Map<string, Running>();
  const ending = new Set<Promise<void>>();

  function begin(request: DiagnosticRequest): Running {
    const withdrawal = new AbortController();
    const isTooMany = [...standing.values()].filter(({ isOver }) => !isOver).length >= MOST_STREAMS;
    log.info({ streamId: request.streamId, kind: request.kind }, 'a diagnostic stream begins');
    const ended = runStream({
      request,
      open: async (input, signal) => {
        if (isTooMany) throw tooMany();
        return openSource(drivers, request, input, signal);
      },
      post: options.stream(request.streamId),
      backoff: options.createBackoff(),
      clock,
      log,
      signal: AbortSignal.any([withdrawal.signal, options.signal]),
    }).finally(() => {
      running.isOver = true;
      ending.delete(ended);
    });
    const running: Running = { withdrawal, ended, isOver: false };
    ending.add(ended);
    return running;
  }

  return {
    wanted: (requests) => {
      if (options.signal.aborted) return;
      const read = requests.flatMap((each) => readRequest(each, log));
      const ids = new Set(read.map(({ streamId }) => streamId));
      for (const [streamId, { withdrawal }] of standing) {
        if (ids.has(streamId)) continue;
        withdrawal.abort();
        standing.delete(streamId);
      }
      for (const request of read)
        if (!standing.has(request.streamId)) standing.set(request.streamId, begin(request));
    },
    close: async () => {
      for (const { withdrawal } of standing.values()) withdrawal.abort();
      await Promise.all(ending);
    },
  };
}

/** What cannot be read, of a later version perhaps, is left alone: whoever asked learns it by the silence. */
function readRequest(value: unknown, log: Logger): readonly DiagnosticRequest[] {
  try {
    return [diagnosticRequest(value, '')];
  } catch (error) {
    log.warn({ reason: messageOf(error) }, 'a diagnostic request cannot be read and is left alone');
    return [];
  }
}

function tooMany(): IotmanoError {
  return new IotmanoError(
    'conflict',
    `${MOST_STREAMS} diagnostic streams go on at this host, which is the most; end some`,
  );
}
