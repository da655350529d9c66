import { IotmanoError } from '../../kernel/index.ts';

/** Standard input on its way to a command, by offsets, so that either side may repeat what it has said. Bounded. */
export interface InputBuffer {
  /** Of all input, from its beginning. */
  readonly receivedBytes: number;
  /** Has all of it, and whoever takes it has been told so. */
  readonly isEnded: boolean;
  /**
   * Takes as much as there is room for, and leaves out what it has already.
   * @throws IotmanoError `conflict` where something between is missing, or comes after the end
   */
  write(offset: number, bytes: Uint8Array, isEnd: boolean): void;
  /** What follows the first `offset` bytes, at most so much. What is before is forgotten: it has arrived. */
  readFrom(offset: number, maxBytes: number): { readonly bytes: Uint8Array; readonly isEnd: boolean };
  /** Resolves when there is room to write, or with the signal. */
  whenRoom(signal: AbortSignal): Promise<void>;
  /** For a command in this process: all of it, as it comes, until its end or the signal. */
  iterate(signal: AbortSignal): AsyncGenerator<Uint8Array>;
}

export function createInputBuffer(limitBytes: number): InputBuffer {
  let kept: Uint8Array = new Uint8Array();
  /** Offset of the first byte that is kept. */
  let start = 0;
  let isComplete = false;
  let changed = Promise.withResolvers<void>();
  const tell = (): void => {
    changed.resolve();
    changed = Promise.withResolvers<void>();
  };
  const end = (): number => start + kept.length;

  async function until(isDone: () => boolean, signal: AbortSignal): Promise<void> {
    const aborted = Promise.withResolvers<void>();
    const onAbort = (): void => aborted.resolve();
    signal.addEventListener('abort', onAbort, { once: true });
    while (!isDone() && !signal.aborted) await Promise.race([changed.promise, aborted.promise]);
    signal.removeEventListener('abort', onAbort);
  }

  function readFrom(offset: number, maxBytes: number): { bytes: Uint8Array; isEnd: boolean } {
    const from = Math.min(Math.max(offset, start), end());
    kept = kept.subarray(from - start);
    start = from;
    tell();
    const bytes = kept.subarray(0, maxBytes);
    return { bytes, isEnd: isComplete && bytes.length === kept.length };
  }

  return {
    get receivedBytes() {
      return end();
    },
    get isEnded() {
      return isComplete;
    },
    write: (offset, bytes, isEnd) => {
      if (offset > end())
        throw new IotmanoError(
          'conflict',
          `the input begins at byte ${offset}, and ${end()} have been taken; send again from there`,
          { parameter: 'offset' },
        );
      const news = bytes.subarray(end() - offset);
      if (isComplete && news.length > 0)
        throw new IotmanoError('conflict', 'the input is complete already; nothing can follow');
      const taken = news.subarray(0, Math.max(0, limitBytes - kept.length));
      if (taken.length > 0) kept = Buffer.concat([kept, taken]);
      if (isEnd && taken.length === news.length) isComplete = true;
      tell();
    },
    readFrom,
    whenRoom: (signal) => until(() => isComplete || kept.length < limitBytes, signal),
    iterate: async function* iterate(signal) {
      let offset = 0;
      for (;;) {
        await until(() => isComplete || end() > offset, signal);
        if (signal.aborted) return;
        const { bytes, isEnd } = readFrom(offset, limitBytes);
        offset += bytes.length;
        // What is handed out has arrived only when more is asked for.
        if (bytes.length > 0) yield bytes;
        if (isEnd) return;
      }
    },
  };
}
