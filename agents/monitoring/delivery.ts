import { IotmanoError, isTransient, messageOf, type Logger } from '../../kernel/index.ts';
import type { DiskQueue, QueueEntry } from '../disk-queue/index.ts';
import type { Backoff } from '../mco-client/index.ts';
import type { Wakeup } from '../wakeup.ts';

export interface DeliveryOptions {
  readonly what: string;
  readonly queue: DiskQueue;
  /** Of one message. */
  readonly limit: { readonly entries: number; readonly bytes: number };
  /** Sends the entries as one message. @param dropped what was lost since the last message that was taken */
  readonly send: (
    entries: readonly QueueEntry[],
    sequence: number,
    dropped: number,
  ) => Promise<{ readonly nextSequence: number }>;
  readonly wakeup: Wakeup;
  readonly backoff: Backoff;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

const LONGEST_PAUSE_MILLISECONDS = 30_000;
const IDLE_MILLISECONDS = 3_600_000;

/**
 * Delivers a queue in order, one message at a time, for ever. A message is repeated unchanged, under its number, until it is
 * answered; its entries leave the disk only then. What the orchestrator refuses for good is dropped and logged, so that it does not block the rest.
 */
export async function runDelivery(options: DeliveryOptions): Promise<void> {
  const { queue, wakeup, backoff, log, signal, what } = options;
  let sequence = 1;
  let isSmall = false;
  let message: { readonly entries: readonly QueueEntry[]; readonly dropped: number } | undefined;
  while (!signal.aborted) {
    try {
      const { dropped, droppedTold, newest, acknowledged } = queue;
      if (message === undefined && newest === acknowledged) {
        await wakeup.wait(IDLE_MILLISECONDS, signal);
        continue;
      }
      message ??= {
        entries: await queue.peek(isSmall ? { ...options.limit, entries: 1 } : options.limit),
        dropped,
      };
      const { nextSequence } = await options.send(message.entries, sequence, message.dropped - droppedTold);
      sequence = Math.max(nextSequence, sequence + 1);
      await queue.acknowledge(message.entries.at(-1)?.sequence ?? newest, message.dropped);
      message = undefined;
      isSmall = false;
      backoff.succeeded();
    } catch (error) {
      if (signal.aborted) return;
      if (message !== undefined && isPoison(error)) {
        const { entries } = message;
        log.error(
          { what, entries: entries.length, reason: messageOf(error) },
          'the orchestrator refuses what was collected',
        );
        if (entries.length <= 1 || isSmall) await queue.acknowledge(entries.at(-1)?.sequence ?? queue.newest);
        isSmall = true;
        message = undefined;
      }
      if (backoff.failures === 0) log.debug({ what, reason: messageOf(error) }, 'not delivered, it is kept');
      await backoff.wait(error, LONGEST_PAUSE_MILLISECONDS, signal);
    }
  }
}

/** Refused for what it is, not for when it came. */
function isPoison(error: unknown): boolean {
  if (!(error instanceof IotmanoError) || isTransient(error)) return false;
  return error.kind === 'invalid';
}
