import type { Clock } from '../../../kernel/index.ts';
import type { OutboxTake } from '../../shared/index.ts';
import type { Outbox } from './outbox.ts';

interface Waiting {
  readonly take: OutboxTake;
  readonly answer: (body: string) => void;
  readonly until: number;
}

const NOTHING = JSON.stringify({ entries: [], failures: 0, failingForMilliseconds: 0 });

/** Hands out what waits in the outbox; who asks when there is nothing waits here for it, up to the time it named. */
export class OutboxDesk {
  #waiting: Waiting[] = [];
  readonly #outbox: Outbox;
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #timer: NodeJS.Timeout;

  constructor(outbox: Outbox, signal: AbortSignal, clock: Pick<Clock, 'monotonic'>) {
    this.#outbox = outbox;
    this.#clock = clock;
    // A queue may fall due, and a wait may end, without anything being committed.
    this.#timer = setInterval(() => this.look(), 50);
    signal.addEventListener('abort', () => this.close());
  }

  ask(take: OutboxTake, answer: (body: string) => void): void {
    const wait = Math.min(Math.max(0, take.waitMilliseconds), 10_000);
    this.#waiting.push({ take, answer, until: this.#clock.monotonic() + wait });
    this.look();
  }

  /** Something may have come. Only called outside transactions: what is handed out is on disk. */
  look(): void {
    const now = this.#clock.monotonic();
    const still: Waiting[] = [];
    for (const waiting of this.#waiting) {
      const batch = this.#outbox.take(waiting.take.worker, waiting.take.max, now);
      if (batch !== undefined) waiting.answer(JSON.stringify(batch));
      else if (waiting.until <= now) waiting.answer(NOTHING);
      else still.push(waiting);
    }
    this.#waiting = still;
  }

  close(): void {
    clearInterval(this.#timer);
    for (const waiting of this.#waiting) waiting.answer(NOTHING);
    this.#waiting = [];
  }
}
