/** A wanted state, or the news that there is one. */
export interface Push {
  readonly bootId: string;
  /** What its changes build on. */
  readonly since: number;
  readonly revision: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Empty: it has to be asked for. */
  readonly body: Buffer;
}

export interface Pushes {
  receive(push: Push): void;
  /** Something may have been missed: whoever waits has to ask. */
  interrupt(): void;
  /**
   * The next push of this boot that is newer than the revision, also one that came a moment ago; `ask` where some may have been missed;
   * `nothing` after that long, or when the signal is aborted.
   */
  next(
    bootId: string,
    revision: number,
    milliseconds: number,
    signal?: AbortSignal,
  ): Promise<Push | 'ask' | 'nothing'>;
}

export function createPushes(): Pushes {
  let newest: Push | undefined;
  let interruptions = 0;
  const listeners = new Set<() => void>();
  const tellAll = (): void => {
    for (const listener of listeners) listener();
  };
  return {
    receive: (push) => {
      newest = push;
      tellAll();
    },
    interrupt: () => {
      interruptions += 1;
      tellAll();
    },
    next: (bootId, revision, milliseconds, signal) =>
      new Promise((resolve) => {
        const before = interruptions;
        const end = (result: Push | 'ask' | 'nothing'): void => {
          clearTimeout(timer);
          listeners.delete(look);
          signal?.removeEventListener('abort', onAbort);
          resolve(result);
        };
        const look = (): void => {
          const isNews = newest !== undefined && newest.bootId === bootId && newest.revision > revision;
          if (isNews && newest !== undefined) end(newest);
          else if (interruptions !== before) end('ask');
        };
        const onAbort = (): void => end('nothing');
        const timer = setTimeout(() => end('nothing'), milliseconds);
        listeners.add(look);
        signal?.addEventListener('abort', onAbort, { once: true });
        if (signal?.aborted === true) onAbort();
        else look();
      }),
  };
}
