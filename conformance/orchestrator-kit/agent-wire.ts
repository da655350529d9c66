import type { KeyObject } from 'node:crypto';
import type { Binding } from '../case.ts';
import type { Trace } from '../trace.ts';
import type { HostLink } from './host-link.ts';

/** A message of an agent, before a binding has carried it. */
export interface Message {
  /** operationId of the document. */
  readonly operation: string;
  readonly hostId: string;
  readonly bootId: string;
  readonly version: string;
  readonly spId?: string | undefined;
  /** Of the host, for bindings whose connections show it. */
  readonly key?: KeyObject;
  /** PEM: shown on the connection, for which `key` signs; over TLS only. */
  readonly certificate?: string | undefined;
  /** What the enrolment was given as its token, for bindings that need more than the token itself. */
  readonly credential?: string | undefined;
  readonly token?: string | undefined;
  readonly sequence?: number | undefined;
  /** The host's clock, RFC 3339. */
  readonly time?: string | undefined;
  readonly query?: Readonly<Record<string, string>>;
  readonly digest?: string;
  /** Of a chunk of a diagnostic stream. */
  readonly streamId?: string;
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
  /** What carries the messages did not take the host at all: no orchestrator has answered. */
  readonly isRefusedByServer?: boolean;
}

/** How messages of an agent travel: one implementation for each binding of Mco. */
export interface AgentWire {
  readonly binding: Binding;
  /** What the binding to NATS has alone. */
  readonly nats?: NatsSide;
  /** What the binding to HTTP has over TLS alone. */
  readonly tls?: TlsSide;
  /**
   * @throws IotmanoError `unavailable` where no answer came
   */
  send(message: Message, trace: Trace, signal: AbortSignal): Promise<Answer>;
  /** Whether there is somebody. @throws IotmanoError `unavailable` */
  reach(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

export interface TlsSide {
  /** A connection of its own that shows a certificate and stays open from one message to the next. It is opened by the first. */
  open(shown: ShownCertificate): KeptConnection;
}

export interface ShownCertificate {
  readonly key: KeyObject;
  /** PEM. */
  readonly certificate: string;
}

export interface KeptConnection {
  /** One message at a time. @throws IotmanoError `unavailable` where no answer came */
  send: AgentWire['send'];
  /** Whether it was opened, and nobody has ended it. */
  isOpen(): boolean;
  close(): void;
}

export interface NatsSide {
  /** The user that the host was given. */
  jwtOf(hostId: string, key: KeyObject): string | undefined;
  /** Lets the host connect with another one from now on. */
  giveJwt(hostId: string, key: KeyObject, jwt: string): void;
  /** One more connection of an enrolled host, for what an agent would not do. @throws UserRefused, CaseFailure */
  openLink(hostId: string, key: KeyObject): Promise<HostLink>;
}
