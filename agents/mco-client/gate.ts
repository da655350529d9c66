import { IotmanoError } from '../../kernel/index.ts';

/** Lets so many act at a time, in the order in which they came. */
export interface Gate {
  /**
   * Acts once there is room. Who waits gives up with the signal: those that have the turn may take their time.
   * @throws IotmanoError as `requireOpen`; the reason of the signal; whatever `act` throws
   */
  run<T>(act: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** @throws IotmanoError `unavailable` after `close` */
  requireOpen(): void;
  /** Nobody gets a turn any more, and nobody waits for one. */
  close(): void;
}

interface Waiting {
  readonly begin: () => void;
  readonly giveUp: (reason: unknown) => void;
}

export function createGate(most: number): Gate {
  let taken = 0;
  let isClosed = false;
  const waiting = new Set<Waiting>();

  function requireOpen(): void {
    if (isClosed) throw closed();
  }

  async function wait(signal: AbortSignal | undefined): Promise<void> {
    const turn = Promise.withResolvers<void>();
    const own: Waiting = { begin: turn.resolve, giveUp: turn.reject };
    const onAbort = (): void => {
      waiting.delete(own);
      own.giveUp(signal?.reason);
    };
    waiting.add(own);
    signal?.addEventListener('abort', onAbort, { once: true });
    await turn.promise.finally(() => signal?.removeEventListener('abort', onAbort));
  }

  /** The turn itself is handed on, so that nobody comes in between. */
  function handOn(): void {
    const [next] = waiting;
    if (next === undefined) {
      taken -= 1;
      return;
    }
    waiting.delete(next);
    next.begin();
  }

  return {
    requireOpen,
    run: async (act, signal) => {
      requireOpen();
      signal?.throwIfAborted();
      if (taken >= most) await wait(signal);
      else taken += 1;
      try {
        return await act();
      } finally {
        handOn();
      }
    },
    close: () => {
      isClosed = true;
      for (const { giveUp } of waiting) giveUp(closed());
      waiting.clear();
    },
  };
}

function closed(): IotmanoError {
  return new IotmanoError('unavailable', 'the connections to the orchestrator are closed');
}
