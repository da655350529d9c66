import type { StreamReceipt } from '../mco-client/index.ts';

/** Standard input of a command, as it comes with receipts: one piece at a time, so that a command that does not read holds up who writes. */
export interface InputFeed {
  /** What has been taken of it, bytes. */
  readonly takenBytes: number;
  /** Whether more is to be asked for now: it goes on, and nothing waits for the command. */
  readonly isWanting: boolean;
  /** Takes what came, unless the piece before still waits: it then comes once more. @returns whether there was news */
  take(receipt: StreamReceipt): boolean;
  /** For the command: to the end of input, or of the stream. */
  pieces(): AsyncGenerator<Uint8Array>;
  close(): void;
}

/** @param onWanting called when the command has taken what there was */
export function createInputFeed(isOpen: boolean, onWanting: () => void): InputFeed {
  let takenBytes = 0;
  let piece: Uint8Array | undefined;
  let isEnded = !isOpen;
  let changed = Promise.withResolvers<void>();
  const tell = (): void => {
    changed.resolve();
    changed = Promise.withResolvers<void>();
  };
  const isIdle = (): boolean => piece === undefined && !isEnded;
  return {
    get takenBytes() {
      return takenBytes;
    },
    get isWanting() {
      return isIdle();
    },
    take: ({ input, isInputEnded = false }) => {
      if (isEnded || piece !== undefined || (input === undefined && !isInputEnded)) return false;
      const bytes = Buffer.from(input ?? '', 'base64');
      takenBytes += bytes.length;
      if (bytes.length > 0) piece = bytes;
      isEnded = isInputEnded;
      tell();
      return true;
    },
    pieces: async function* pieces() {
      for (;;) {
        while (isIdle()) await changed.promise;
        const next = piece;
        if (next === undefined) return;
        yield next;
        // The command has it only when it asks for more.
        piece = undefined;
        onWanting();
      }
    },
    close: () => {
      isEnded = true;
      piece = undefined;
      tell();
    },
  };
}
