import { connect, type Msg, type NatsConnection, type NodeConnectionOptions } from '@nats-io/transport-node';
import { IotmanoError, messageOf } from '../../kernel/index.ts';
import type { RequiredService } from './bindings.ts';
import { nkeyPublicFromSeed, signWithSeed } from './nkey.ts';
import { inboxPrefixOf } from './subjects.ts';

export interface RequestOptions {
  readonly timeoutMilliseconds: number;
}

type Handler = (message: Msg) => void;

/**
 * A function's connection to the message broker: authenticated with the key of its binding, reconnecting for ever, and
 * following the endpoints of the bindings file.
 */
export class BrokerLink {
  #service: RequiredService;
  #connection: NatsConnection | undefined;
  #isUp = false;
  readonly #name: string;
  readonly #onNews: (event: string) => void;

  constructor(name: string, service: RequiredService, onNews: (event: string) => void = () => undefined) {
    this.#name = name;
    this.#service = service;
    this.#onNews = onNews;
  }

  get isConnected(): boolean {
    return this.#isUp;
  }

  /**
   * Connects in the background, however long the broker takes to come and to know this client.
   * @param onOpen called once, when connected for the first time: the place to start serving
   */
  start(signal: AbortSignal, onOpen: () => void): void {
    void this.#open(signal).then(() => {
      if (this.#isUp) onOpen();
    });
  }

  async #open(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.#connection === undefined) {
      if (this.#service.endpoints.length === 0 || this.#service.credential === undefined) {
        await delay(100);
        continue;
      }
      try {
        this.#connection = await connect(this.#options());
      } catch (error) {
        this.#onNews(messageOf(error));
        await delay(100);
      }
    }
    if (this.#connection === undefined) return;
    this.#isUp = true;
    void this.#watch(this.#connection);
  }

  /** Follows changed endpoints or a changed key, without losing what is under way where that is possible. */
  async rebind(service: RequiredService): Promise<void> {
    const before = JSON.stringify(this.#service);
    this.#service = service;
    if (this.#connection === undefined || before === JSON.stringify(service)) return;
    if (service.endpoints.length === 0) return;
    this.#connection.setServers(addressesOf(service));
    await this.#connection.reconnect();
  }

  /** Answers requests on a subject; instances that name the same queue share them. */
  serve(subject: string, queue: string, handler: Handler): () => Promise<void> {
    const subscription = this.#connected().subscribe(subject, {
      queue,
      callback: (error, message) => {
        if (error === null) handler(message);
      },
    });
    return () => subscription.drain();
  }

  /**
   * Sends a request and gives the bytes of the answer.
   * @throws IotmanoError `unavailable` when nobody serves the subject or the broker is away, `timeout` when no answer came in time
   */
  async request(subject: string, body: string | Uint8Array, options: RequestOptions): Promise<Uint8Array> {
    if (!this.#isUp) throw new IotmanoError('unavailable', 'the message broker is not connected');
    try {
      const answer = await this.#connected().request(subject, body, { timeout: options.timeoutMilliseconds });
      return answer.data;
    } catch (error) {
      const isTimeout = error instanceof Error && error.name === 'TimeoutError';
      throw new IotmanoError(
        isTimeout ? 'timeout' : 'unavailable',
        `${subject}: ${messageOf(error)}`,
        {},
        error,
      );
    }
  }

  async close(): Promise<void> {
    await this.#connection?.drain().catch(() => undefined);
  }

  #connected(): NatsConnection {
    if (this.#connection === undefined) {
      throw new IotmanoError('unavailable', 'the message broker is not connected yet');
    }
    return this.#connection;
  }

  #options(): NodeConnectionOptions {
    const seed = this.#service.credential?.seed ?? '';
    return {
      name: this.#name,
      servers: addressesOf(this.#service),
      inboxPrefix: inboxPrefixOf(nkeyPublicFromSeed(seed)),
      authenticator: (nonce) => {
        const current = this.#service.credential?.seed ?? seed;
        return { nkey: nkeyPublicFromSeed(current), sig: signWithSeed(current, nonce ?? '') };
      },
      reconnectTimeWait: 50,
      reconnectJitter: 50,
      maxReconnectAttempts: -1,
      // The broker may learn of this client's key after the client starts.
      ignoreAuthErrorAbort: true,
      timeout: 2_000,
      pingInterval: 5_000,
      maxPingOut: 2,
      noAsyncTraces: true,
    };
  }

  async #watch(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status()) {
      if (status.type === 'disconnect') this.#isUp = false;
      if (status.type === 'reconnect') this.#isUp = true;
      if (status.type !== 'ping') this.#onNews(status.type);
    }
    this.#isUp = false;
  }
}

function addressesOf(service: RequiredService): string[] {
  return service.endpoints.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`);
}

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
