import { IotmanoError, isTransient, messageOf, type Clock, type Logger } from '../../kernel/index.ts';
import type { CommandEvent } from '../../vim-drivers/index.ts';
import type {
  Backoff,
  DiagnosticRequest,
  PostChunk,
  StreamChunk,
  StreamReceipt,
} from '../mco-client/index.ts';
import { createWakeup } from '../wakeup.ts';
import { createInputFeed, type InputFeed } from './input-feed.ts';
import { createOutputGatherer, type OutputGatherer, type StreamEnd } from './output-gatherer.ts';

export interface StreamOptions {
  readonly request: DiagnosticRequest;
  /** Finds what is to be shown; carries out nothing before it is read. @throws IotmanoError where it is refused */
  readonly open: (
    input: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ) => Promise<AsyncIterable<CommandEvent>>;
  readonly post: PostChunk;
  readonly backoff: Backoff;
  readonly clock: Clock;
  readonly log: Logger;
  /** The request was withdrawn, or the agent ends. */
  readonly signal: AbortSignal;
}

/** Output that comes within so long of each other goes into one chunk. */
const GATHER_MILLISECONDS = 50;
/** Sign of life. */
const ALIVE_MILLISECONDS = 15_000;
const FIRST_POLL_MILLISECONDS = 50;
const LONGEST_POLL_MILLISECONDS = 1000;
/** A link that is down for longer ends the stream: whoever reads has given up by then. */
const PATIENCE_MILLISECONDS = 30_000;
const MOST_CHUNK_BYTES = 262_144;

interface Running extends StreamOptions {
  readonly output: OutputGatherer;
  readonly input: InputFeed;
  /** Ends what is carried out. */
  readonly ending: AbortController;
  readonly wait: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  readonly wake: () => void;
}

/** One stream from its request to its end: carries it out and delivers what comes, one chunk at a time. Never rejects. */
export async function runStream(options: StreamOptions): Promise<void> {
  const wakeup = createWakeup(options.clock);
  const wake = (): void => wakeup.wake();
  const { request } = options;
  const running: Running = {
    ...options,
    output: createOutputGatherer(request.maxBytes, wake),
    input: createInputFeed(request.hasInput === true, wake),
    ending: new AbortController(),
    wait: (milliseconds, signal) => wakeup.wait(milliseconds, signal),
    wake,
  };
  const stop = (): void => running.ending.abort();
  options.signal.addEventListener('abort', stop, { once: true });
  if (options.signal.aborted) stop();
  let carrying: Promise<void> | undefined;
  try {
    const source = await openOrRefuse(running);
    await deliver(running, () => {
      carrying ??= source === undefined ? undefined : carryOut(running, source);
    });
  } catch (error) {
    options.log.info(
      { streamId: request.streamId, reason: messageOf(error) },
      'a diagnostic stream is given up',
    );
  } finally {
    options.signal.removeEventListener('abort', stop);
    running.ending.abort();
    running.input.close();
    await carrying;
  }
}

async function openOrRefuse({
  open,
  input,
  output,
  ending,
}: Running): Promise<AsyncIterable<CommandEvent> | undefined> {
  try {
    return await open(input.pieces(), ending.signal);
  } catch (error) {
    output.close(endOfError(error));
    return undefined;
  }
}

async function carryOut(running: Running, source: AsyncIterable<CommandEvent>): Promise<void> {
  const { output, clock, ending, request, wake } = running;
  const over = new AbortController();
  void clock.sleep(request.maxSeconds * 1000, AbortSignal.any([over.signal, ending.signal])).then(() => {
    if (over.signal.aborted || ending.signal.aborted) return;
    output.close({ reason: 'SECONDS' });
    ending.abort();
  });
  try {
    output.close((await gather(running, source)) ?? { reason: 'COMPLETE' });
  } catch (error) {
    output.close(endOfError(error));
  } finally {
    over.abort();
    wake();
  }
}

/** How the command has ended; undefined where there is no more output. */
async function gather(
  { output, clock, ending }: Running,
  source: AsyncIterable<CommandEvent>,
): Promise<StreamEnd | undefined> {
  for await (const event of source) {
    if (event.type === 'exit') {
      const { type: _type, ...how } = event;
      return { reason: 'EXITED', ...how };
    }
    output.push(event.type, event.bytes);
    if (output.end !== undefined) return output.end;
    while (output.isFull && !ending.signal.aborted) await clock.sleep(GATHER_MILLISECONDS, ending.signal);
    if (ending.signal.aborted) break;
  }
  return undefined;
}

/** @param begin called when the stream is known to be wanted: the first chunk was answered */
async function deliver(running: Running, begin: () => void): Promise<void> {
  const { output, input, signal } = running;
  let credit = 0;
  let pause = FIRST_POLL_MILLISECONDS;
  for (let number = 1; !signal.aborted; number += 1) {
    const chunk: StreamChunk = { number, inputBytes: input.takenBytes, ...output.take(credit) };
    const receipt = await postWithPatience(running, chunk);
    if (chunk.end !== undefined || receipt === undefined) return;
    begin();
    const isEmpty = chunk.stdout === undefined && chunk.stderr === undefined;
    credit = Math.min(receipt.creditBytes, MOST_CHUNK_BYTES);
    const isNews = input.take(receipt);
    pause = isNews || !isEmpty ? FIRST_POLL_MILLISECONDS : Math.min(pause * 2, LONGEST_POLL_MILLISECONDS);
    await untilDue(running, credit, pause);
  }
}

/** Until the next chunk is due: for output, for the end, for input, for room at the other side, or as a sign of life. */
async function untilDue(running: Running, credit: number, pause: number): Promise<void> {
  const { output, input, clock, wait, signal } = running;
  const until = clock.monotonic() + ALIVE_MILLISECONDS;
  const pollAt = clock.monotonic() + pause;
  for (;;) {
    const now = clock.monotonic();
    const isPolling = input.isWanting || (credit === 0 && output.bytes > 0);
    const dueAt = isPolling ? Math.min(pollAt, until) : until;
    if (signal.aborted || now >= dueAt || (output.end !== undefined && output.bytes === 0)) return;
    if (credit > 0 && output.bytes > 0) {
      if (output.end === undefined && !output.isFull) await clock.sleep(GATHER_MILLISECONDS, signal);
      return;
    }
    await wait(dueAt - now, signal);
  }
}

/** Sends the same chunk until it is answered; undefined where the request was withdrawn meanwhile. @throws IotmanoError where the stream is over */
async function postWithPatience(
  { post, backoff, clock, signal }: Running,
  chunk: StreamChunk,
): Promise<StreamReceipt | undefined> {
  const until = clock.monotonic() + PATIENCE_MILLISECONDS;
  while (!signal.aborted) {
    try {
      const receipt = await post(chunk, signal);
      backoff.succeeded();
      return receipt;
    } catch (error) {
      if (signal.aborted) return undefined;
      if (!isTransient(error) || clock.monotonic() > until) throw error;
      await backoff.wait(error, LONGEST_POLL_MILLISECONDS, signal);
    }
  }
  return undefined;
}

function endOfError(error: unknown): StreamEnd {
  const isRefusal = error instanceof IotmanoError && ['conflict', 'notFound'].includes(error.kind);
  return { reason: isRefusal ? 'REFUSED' : 'FAILED', detail: messageOf(error).slice(0, 2000) };
}
