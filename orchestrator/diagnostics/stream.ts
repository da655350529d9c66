import type { HostId, VnfcInstanceId } from '../../kernel/index.ts';
import type { Caller, DiagnosticEnd } from '../domain/index.ts';
import type { WorkloadKey } from '../../vim-drivers/index.ts';
import { createInputBuffer, type InputBuffer } from './input-buffer.ts';
import { createOutputQueue, type Output, type OutputQueue } from './output-queue.ts';
import type { DiagnosticKind } from './switches.ts';

/** A running copy of a function, as its host has reported it. */
export interface Copy {
  readonly vnfcInstanceId: VnfcInstanceId;
  readonly hostId: HostId;
  readonly key: WorkloadKey;
  readonly slot: number;
}

/** What somebody wants to see. */
export interface StreamOrder {
  readonly kind: DiagnosticKind;
  readonly copy: Copy;
  /** Of `exec`. */
  readonly command?: readonly string[];
  readonly hasInput?: boolean;
  /** Of `logs`. */
  readonly follow?: boolean;
  readonly tailLines?: number;
  readonly maxBytes: number;
  readonly maxSeconds: number;
}

/** Output and input that lie here at most, of one stream, bytes. */
const OUTPUT_BYTES = 1024 * 1024;
const INPUT_BYTES = 256 * 1024;

/** One use of diagnostics: in memory only, of one reader. */
export class DiagnosticStream {
  readonly id: string;
  readonly caller: Caller;
  readonly order: StreamOrder;
  readonly auditId: string;
  /** Monotonic. */
  readonly openedAt: number;
  readonly output: OutputQueue = createOutputQueue(OUTPUT_BYTES);
  readonly input: InputBuffer = createInputBuffer(INPUT_BYTES);
  outputBytes = 0;
  readonly #ending = new AbortController();
  readonly #begun = Promise.withResolvers<void>();
  #end: DiagnosticEnd | undefined;

  constructor(given: Pick<DiagnosticStream, 'id' | 'caller' | 'order' | 'auditId' | 'openedAt'>) {
    this.id = given.id;
    this.caller = given.caller;
    this.order = given.order;
    this.auditId = given.auditId;
    this.openedAt = given.openedAt;
    // Nobody sends any: it is complete from the beginning.
    if (given.order.hasInput !== true) this.input.write(0, new Uint8Array(), true);
  }

  /** How it has ended; undefined while it goes on. */
  get end(): DiagnosticEnd | undefined {
    return this.#end;
  }

  /** Aborted when it ends. */
  get ended(): AbortSignal {
    return this.#ending.signal;
  }

  /** Resolves when the host has taken it up, or when it has ended before. */
  get begun(): Promise<void> {
    return this.#begun.promise;
  }

  begin(): void {
    this.#begun.resolve();
  }

  /** Passes on what came. @returns false where its bound is reached with this: what is beyond it is left out */
  take(outputs: readonly Output[]): boolean {
    for (const { channel, bytes } of outputs) {
      const taken = bytes.subarray(0, this.order.maxBytes - this.outputBytes);
      this.outputBytes += taken.length;
      this.output.push({ channel, bytes: taken });
      if (taken.length < bytes.length) return false;
    }
    return true;
  }

  /** Once. @param mustDrop what was not read yet is not to be read any more */
  finish(end: DiagnosticEnd, mustDrop: boolean): void {
    this.#end = end;
    this.output.close(mustDrop);
    this.#begun.resolve();
    this.#ending.abort();
  }
}
