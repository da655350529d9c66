import type { Clock } from '../../../kernel/index.ts';
import type { NotifyReply, OutboxBatch, OutboxSettle } from '../../shared/index.ts';

export interface DeliverySettings {
  readonly retryMinMilliseconds: number;
  readonly retryMaxMilliseconds: number;
  /** A target that has failed this often in a row and for this long loses its subscription. */
  readonly removeAfterFailures: number;
  readonly removeAfterMilliseconds: number;
}

/** Notices of deletion are not worth more than that. */
const NOTICE_TRIES = 3;

/** What is to be told to the data storage after a batch was tried: pure, so that the rules can be read and tested. */
export function computeSettlement(
  batch: OutboxBatch & { readonly queue: string },
  { accepted, hasFailed }: Delivery,
  worker: string,
  settings: DeliverySettings,
): OutboxSettle {
  const base = { worker, queue: batch.queue };
  const failed = batch.entries.filter(({ id }) => !accepted.includes(id));
  const [first] = failed;
  if (!hasFailed || first === undefined) return { ...base, done: accepted };
  const failures = accepted.length > 0 ? 1 : batch.failures + 1;
  if (first.event.sud === true && failures >= NOTICE_TRIES) return { ...base, done: [...accepted, first.id] };
  const isGivenUp =
    accepted.length === 0 &&
    failures >= settings.removeAfterFailures &&
    batch.failingForMilliseconds >= settings.removeAfterMilliseconds;
  const backoff = Math.min(
    settings.retryMaxMilliseconds,
    settings.retryMinMilliseconds * 2 ** Math.min(failures - 1, 20),
  );
  const retry = { ...base, done: accepted, retryAfterMilliseconds: backoff };
  return isGivenUp ? { ...retry, removeSubscription: first.event.sub } : retry;
}

/** A batch is handed back after this long, well before the storage gives its worker up. */
const BATCH_MILLISECONDS = 8_000;

export interface Delivery {
  /** Ids of the entries that their target took. */
  readonly accepted: readonly number[];
  readonly hasFailed: boolean;
}

/** Sends a batch in order, some at a time; after the first failure, and when it takes too long, nothing more is begun. */
export async function deliverBatch(
  batch: OutboxBatch,
  atOnce: number,
  send: (entry: OutboxBatch['entries'][number]) => Promise<NotifyReply>,
  isAccepted: (reply: NotifyReply) => boolean,
  clock: Clock,
): Promise<Delivery> {
  const accepted: number[] = [];
  const end = clock.monotonic() + BATCH_MILLISECONDS;
  let next = 0;
  let hasFailed = false;
  const lane = async (): Promise<void> => {
    while (!hasFailed && clock.monotonic() < end) {
      const entry = batch.entries[next];
      if (entry === undefined) return;
      next += 1;
      if (isAccepted(await send(entry))) accepted.push(entry.id);
      else hasFailed = true;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return { accepted, hasFailed };
}
