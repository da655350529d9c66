import type { X509Certificate } from 'node:crypto';
import type { Binding } from '../case.ts';
import type { KitAuthority } from '../kit-authority.ts';
import type { KitServers } from '../nats/servers.ts';

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
  /** Of a chunk of a diagnostic stream. */
  readonly streamId?: string | undefined;
  /** First byte that is asked for of an artifact. */
  readonly rangeFrom: number | undefined;
  /** Last byte that is asked for; absent: all of the rest. */
  readonly rangeTo?: number | undefined;
  /** What tells its repetition apart on its way. */
  readonly messageId?: string | undefined;
  /** Whose it is follows from how it came: it needs no session. */
  readonly isKnownBySubject?: boolean;
  /** What the connection has shown: a certificate of the kit's authority that was good when it was opened. */
  readonly certificate?: X509Certificate | undefined;
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

/** Changes of the wanted state that are sent without a question. */
export interface Push {
  readonly hostId: string;
  readonly bootId: string;
  /** The revision that they build on. */
  readonly since: number;
  readonly revision: number;
  readonly wanted: unknown;
}

/** What the binding to NATS has alone. */
export interface NatsSide {
  /** Keys of users that were connected at any time. */
  readonly users: ReadonlySet<string>;
  /** Name of the server that a user is connected to. */
  serverOf(user: string): string | undefined;
  readonly servers: KitServers;
  push(push: Push): void;
}

export type Handler = (received: Received) => Promise<Reply>;

/** How an agent reaches the kit: one implementation for each binding of Mco. */
export interface OrchestratorWire {
  readonly binding: Binding;
  readonly nats?: NatsSide;
  /** Over TLS: what issues certificates to hosts. */
  readonly authority?: KitAuthority | undefined;
  /** The host that the agent has to be; absent: any. */
  readonly hostId?: string;
  /** What the agent is to enrol with. */
  credential(token: string): Promise<string>;
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
