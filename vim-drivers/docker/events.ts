import type { Readable } from 'node:stream';
import { messageOf, type Clock, type Logger } from '../../kernel/index.ts';
import type { Engine } from './engine.ts';
import { KIND_LABEL, SCOPE_LABEL } from './labels.ts';

export interface EngineEvent {
  readonly containerId: string;
  readonly action: string;
}

/** What of a container's life is worth a look; what probes do inside is not. */
const ACTIONS = ['create', 'start', 'die', 'oom', 'destroy', 'rename', 'pause', 'unpause'];
const BACKOFF_MILLISECONDS = { first: 100, last: 5000 };

export interface EventListener {
  onEvent(event: EngineEvent): void;
  /** The stream is there; whatever came before it was not heard. Rejects when the engine went away again meanwhile. */
  onConnected(): Promise<void>;
  onLost(): void;
}

/** Listens to the engine for as long as the signal lets it, over any number of interruptions. */
export async function listen(
  engine: Engine,
  scope: string,
  listener: EventListener,
  clock: Clock,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  let backoff = BACKOFF_MILLISECONDS.first;
  while (!signal.aborted) {
    let stream: Readable | undefined;
    try {
      stream = await engine.stream({
        method: 'GET',
        path: '/events',
        query: {
          filters: {
            label: [`${SCOPE_LABEL}=${scope}`, `${KIND_LABEL}=instance`],
            type: ['container'],
            event: ACTIONS,
          },
        },
        what: 'listen to its events',
        signal,
      });
      // Read from the first moment on: what happens while the others are looked at must not be missed.
      const reading = readEvents(stream, listener);
      reading.catch(() => undefined);
      await listener.onConnected();
      backoff = BACKOFF_MILLISECONDS.first;
      await reading;
    } catch (error) {
      if (!signal.aborted)
        log.debug({ engine: engine.name, err: messageOf(error) }, 'no events from an engine');
    } finally {
      stream?.destroy(); // it may be well, where only the look that follows it failed
    }
    if (signal.aborted) return;
    listener.onLost();
    await clock.sleep(backoff, signal);
    backoff = Math.min(BACKOFF_MILLISECONDS.last, backoff * 2);
  }
}

async function readEvents(stream: AsyncIterable<unknown>, listener: EventListener): Promise<void> {
  let rest = '';
  for await (const chunk of stream) {
    rest += String(chunk);
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const event = parseEvent(line);
      if (event !== undefined) listener.onEvent(event);
    }
  }
}

/** One line of the stream of events. */
export function parseEvent(line: string): EngineEvent | undefined {
  if (line.trim() === '') return undefined;
  try {
    const { Type, Action, Actor } = JSON.parse(line) as {
      readonly Type?: string;
      readonly Action?: string;
      readonly Actor?: { readonly ID?: string };
    };
    if (Type !== 'container' || Action === undefined || Actor?.ID === undefined) return undefined;
    return { containerId: Actor.ID, action: Action };
  } catch {
    return undefined;
  }
}
