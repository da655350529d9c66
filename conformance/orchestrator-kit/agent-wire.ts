import type { Trace } from '../trace.ts';

/** A message of an agent, before a binding has carried it. */
export interface Message {
  /** operationId of the document. */
  readonly operation: string;
  readonly hostId: string;
  readonly bootId: string;
  readonly version: string;
  readonly spId?: string | undefined;
  readonly token?: string | undefined;
  readonly sequence?: number | undefined;
  /** The host's clock, RFC 3339. */
  readonly time?: string | undefined;
  readonly query?: Readonly<Record<string, string>>;
  readonly digest?: string;
  /** One range of bytes, as RFC 9110 writes it. */
  readonly range?: string;
  readonly body?: unknown;
  /** Sent as it is, instead of `body`. */
  readonly raw?: { readonly text: string; readonly mediaType: string };
}

export interface Answer {
  readonly operation: string;
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** JSON where it was JSON. */
  readonly body: unknown;
  readonly bytes: Buffer;
  /** What is wrong with it by the document. */
  readonly faults: readonly string[];
}

/** How messages of an agent travel: one implementation for each binding of Mco. */
export interface AgentWire {
  /**
   * @throws IotmanoError `unavailable` where no answer came
   */
  send(message: Message, trace: Trace, signal: AbortSignal): Promise<Answer>;
}
