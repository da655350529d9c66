import { IotmanoError, messageOf, type Clock } from '../../kernel/index.ts';
import type { DiagnosticEnd } from '../domain/index.ts';
import type { CommandEvent, CommandOptions, WorkloadKey } from '../../vim-drivers/index.ts';
import type { DiagnosticStream } from './stream.ts';
import type { Streams } from './streams.ts';

/** A VIM that this process drives. */
export interface CommandSite {
  exec(key: WorkloadKey, options: CommandOptions): AsyncIterable<CommandEvent>;
}

/** After so long it counts as begun, also where it says nothing: what fails sooner is a proper refusal. */
const BEGUN_MILLISECONDS = 1000;

/** Runs the command of a stream on a VIM, until either has ended. Never rejects. */
export async function runLocally(
  stream: DiagnosticStream,
  site: CommandSite,
  streams: Streams,
  clock: Clock,
): Promise<void> {
  const { order, ended } = stream;
  void clock.sleep(BEGUN_MILLISECONDS, ended).then(() => stream.begin());
  void clock.sleep(order.maxSeconds * 1000, ended).then(() => streams.end(stream, { reason: 'SECONDS' }));
  try {
    const events = site.exec(order.copy.key, {
      slot: order.copy.slot,
      command: order.command ?? [],
      signal: ended,
      ...(order.hasInput === true ? { input: stream.input.iterate(ended) } : {}),
    });
    streams.end(
      stream,
      (await passOn(stream, events)) ?? { reason: 'FAILED', detail: 'it ended without a word' },
    );
  } catch (error) {
    streams.end(stream, failureOf(error));
  }
}

/** How it has ended; the signal of the stream, which is aborted then, ends the command. */
async function passOn(
  stream: DiagnosticStream,
  events: AsyncIterable<CommandEvent>,
): Promise<DiagnosticEnd | undefined> {
  for await (const event of events) {
    if (event.type === 'exit') {
      const { type: _type, ...how } = event;
      return { reason: 'EXITED', ...how };
    }
    stream.begin();
    if (!stream.take([{ channel: event.type, bytes: event.bytes }])) return { reason: 'BYTES' };
    await stream.output.whenRoom(stream.ended);
  }
  return undefined;
}

function failureOf(error: unknown): DiagnosticEnd {
  const isRefusal = error instanceof IotmanoError && ['conflict', 'notFound'].includes(error.kind);
  return { reason: isRefusal ? 'REFUSED' : 'FAILED', detail: messageOf(error) };
}
