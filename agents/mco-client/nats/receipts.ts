import { IotmanoError } from '../../../kernel/index.ts';

/** What of the measurements of this boot the orchestrator has taken over. */
export interface Receipts {
  /** All before `nextSequence` are taken over. */
  take(bootId: string, nextSequence: number, ignored: number): void;
  /** Resolves once that number is taken over. @throws IotmanoError `timeout` or `unavailable` */
  wait(
    bootId: string,
    sequence: number,
    milliseconds: number,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly nextSequence: number; readonly ignored: number }>;
}

export function createReceipts(): Receipts {
  let newest = { bootId: '', nextSequence: 0, ignored: 0 };
  const listeners = new Set<() => void>();
  return {
    take: (bootId, nextSequence, ignored) => {
      // One that comes late says less than what is known.
      if (bootId === newest.bootId && nextSequence <= newest.nextSequence) return;
      newest = { bootId, nextSequence, ignored };
      for (const listener of listeners) listener();
    },
    wait: (bootId, sequence, milliseconds, signal) =>
      new Promise((resolve, reject) => {
        const end = (act: () => void): void => {
          clearTimeout(timer);
          listeners.delete(look);
          signal?.removeEventListener('abort', onAbort);
          act();
        };
        const look = (): void => {
          const { nextSequence, ignored } = newest;
          if (newest.bootId === bootId && nextSequence > sequence)
            end(() => resolve({ nextSequence: sequence + 1, ignored }));
        };
        const onAbort = (): void =>
          end(() => reject(new IotmanoError('unavailable', 'waiting for a receipt was given up')));
        const timer = setTimeout(
          () =>
            end(() =>
              reject(
                new IotmanoError(
                  'timeout',
                  `the orchestrator has not taken over measurements ${sequence} within ${milliseconds} ms; they are kept`,
                ),
              ),
            ),
          milliseconds,
        );
        listeners.add(look);
        signal?.addEventListener('abort', onAbort, { once: true });
        if (signal?.aborted === true) onAbort();
        else look();
      }),
  };
}
