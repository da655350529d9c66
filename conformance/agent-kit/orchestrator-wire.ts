/** A message that an agent has sent, whatever carried it. */
export interface Received {
  /** Monotonic, milliseconds. */
  readonly at: number;
  /** operationId of the document; empty where it has none like that. */
  readonly operation: string;
  readonly hostId: string;
  readonly version: string;
  readonly spId: string | undefined;
  readonly bootId: string;
  readonly sequence: number | undefined;
  readonly token: string | undefined;
  readonly query: ReadonlyMap<string, string>;
  readonly digest: string | undefined;
  /** First byte that is asked for of an artifact. */
  readonly rangeFrom: number | undefined;
  readonly body: unknown;
  /** What is wrong with it by the document. */
  readonly faults: readonly string[];
}

/** What becomes of a message. */
export type Reply =
  | {
      readonly type: 'answer';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: unknown;
    }
  | {
      readonly type: 'bytes';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly bytes: Buffer;
      /** The connection is cut after so many. */ readonly cutAfter?: number;
    }
  /** Bytes without end; `onSent` is told how many the agent has taken so far. */
  | { readonly type: 'endless'; readonly onSent: (bytes: number) => void; readonly maxBytes: number }
  /** The connection is cut. */
  | { readonly type: 'cut' };

export type Handler = (received: Received) => Promise<Reply>;

/** How an agent reaches the kit: one implementation for each binding of Mco. */
export interface OrchestratorWire {
  /** What the agent is to be told. */
  readonly url: string;
  /** The most connections that were open at the same time: those that carried messages, and all. */
  connections(): { readonly carrying: number; readonly all: number };
  /** When it was there again after an absence, monotonic milliseconds: what was sent meanwhile never came. */
  readonly returns: readonly number[];
  /** Is not there for the agent any more: cuts what is open and refuses what comes. */
  disappear(): Promise<void>;
  appear(): Promise<void>;
  close(): Promise<void>;
}
