/** What came on one of the two channels of a stream. */
export interface Output {
  readonly channel: 'stdout' | 'stderr';
  readonly bytes: Uint8Array;
}

/** Output on its way to the one who reads it, bounded: whoever writes asks for its room first. */
export interface OutputQueue {
  /** Bytes that there is room for. */
  readonly roomBytes: number;
  push(output: Output): void;
  /** Nothing more comes. What is there is still read, unless it is dropped. */
  close(mustDrop: boolean): void;
  /** The next output, in order; `closed` when all is read and nothing more comes; `waiting` where nothing has come by the signal. */
  next(signal: AbortSignal): Promise<Output | 'closed' | 'waiting'>;
  /** Resolves when there is room, when it is closed, or with the signal. */
  whenRoom(signal: AbortSignal): Promise<void>;
}

export function createOutputQueue(limitBytes: number): OutputQueue {
  let items: Output[] = [];
  let bytes = 0;
  let isClosed = false;
  const listeners = new Set<() => void>();
  const tell = (): void => {
    for (const listener of listeners) listener();
  };
  const until = (isDone: () => boolean, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!isDone() && !signal.aborted) return;
        listeners.delete(look);
        signal.removeEventListener('abort', look);
        resolve();
      };
      listeners.add(look);
      signal.addEventListener('abort', look);
      look();
    });
  const roomBytes = (): number => Math.max(0, limitBytes - bytes);
  return {
    get roomBytes() {
      return roomBytes();
    },
    push: (output) => {
      if (isClosed || output.bytes.length === 0) return;
      items.push(output);
      bytes += output.bytes.length;
      tell();
    },
    close: (mustDrop) => {
      isClosed = true;
      if (mustDrop) {
        items = [];
        bytes = 0;
      }
      tell();
    },
    next: async (signal) => {
      await until(() => items.length > 0 || isClosed, signal);
      const item = items.shift();
      if (item === undefined) return isClosed ? 'closed' : 'waiting';
      bytes -= item.bytes.length;
      tell();
      return item;
    },
    whenRoom: (signal) => until(() => isClosed || roomBytes() > 0, signal),
  };
}
