import type { Clock } from '../../kernel/index.ts';

/** Virtual time: stands still while something happens, and then jumps to when the next thing does. */
export interface Timeline extends Clock {
  readonly elapsedMilliseconds: number;
  /** When something is due next, up to the end; undefined: nothing is. */
  readonly nextMilliseconds: number | undefined;
  /** Something happens at that time since the start, or now where that has passed; what is due at one time, in the order in which it was told. */
  at(elapsedMilliseconds: number, act: () => void): void;
  after(milliseconds: number, act: () => void): void;
  /** Goes to the time of what is due next, and does all that is due then. */
  step(): void;
  /** Does what is due now, and was told since. Whether there was anything. */
  catchUp(): boolean;
}

interface Due {
  readonly time: number;
  readonly order: number;
  readonly act: () => void;
}

/** @param endMilliseconds what would be later does not happen */
export function createTimeline(endMilliseconds: number, startEpochMilliseconds: number): Timeline {
  const queue = new DueQueue();
  let elapsed = 0;
  let order = 0;

  function at(time: number, act: () => void): void {
    // Whole milliseconds, as timers have them: what falls together is done together.
    const due = Math.max(elapsed, Math.ceil(time));
    if (due <= endMilliseconds) queue.push({ time: due, order: order++, act });
  }

  function catchUp(): boolean {
    let hasActed = false;
    for (let due = queue.first; due !== undefined && due.time <= elapsed; due = queue.first) {
      queue.shift();
      due.act();
      hasActed = true;
    }
    return hasActed;
  }

  return {
    get elapsedMilliseconds() {
      return elapsed;
    },
    get nextMilliseconds() {
      return queue.first?.time;
    },
    now: () => startEpochMilliseconds + elapsed,
    monotonic: () => elapsed,
    sleep: (milliseconds, signal) => sleepUntil(at, elapsed + Math.max(0, milliseconds), signal),
    at,
    after: (milliseconds, act) => at(elapsed + milliseconds, act),
    step: () => {
      elapsed = queue.first?.time ?? elapsed;
      catchUp();
    },
    catchUp,
  };
}

function sleepUntil(at: Timeline['at'], time: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) {
      resolve();
      return;
    }
    function end(): void {
      signal?.removeEventListener('abort', end);
      resolve();
    }
    signal?.addEventListener('abort', end, { once: true });
    at(time, end);
  });
}

/** A binary heap by time, then by order of arrival. */
class DueQueue {
  readonly #heap: Due[] = [];

  get first(): Due | undefined {
    return this.#heap[0];
  }

  push(due: Due): void {
    const heap = this.#heap;
    let at = heap.push(due) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !isBefore(due, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = due;
  }

  shift(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const child = this.#earlierChild(at);
      const below = heap[child];
      if (below === undefined || !isBefore(below, last)) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = last;
  }

  #earlierChild(at: number): number {
    const [left, right] = [this.#heap[2 * at + 1], this.#heap[2 * at + 2]];
    return left !== undefined && right !== undefined && isBefore(right, left) ? 2 * at + 2 : 2 * at + 1;
  }
}

function isBefore(a: Due, b: Due): boolean {
  return a.time < b.time || (a.time === b.time && a.order < b.order);
}
