import {
  connect,
  type Msg,
  type NatsConnection,
  type NodeConnectionOptions,
  type Subscription,
} from '@nats-io/transport-node';
import { IotmanoError, messageOf, systemClock } from '../../kernel/index.ts';
import type { RequiredService } from './bindings.ts';
import { nkeyPublicFromSeed, signWithSeed } from './nkey.ts';
import { inboxPrefixOf } from './subjects.ts';

export interface RequestOptions {
  readonly timeoutMilliseconds: number;
}

/** @param respond sends the answer; one that cannot be sent is reported, and is then missing to who asked */
type Handler = (message: Msg, respond: (body: string) => void) => void;

/** Requests that this function answers, for as long as it wants to, over whichever connection there is. */
interface Service {
  readonly subject: string;
  readonly queue: string;
  readonly handler: Handler;
  subscription?: Subscription;
}

const PAUSE_MILLISECONDS = 100;

/**
 * A function's connection to the message broker: authenticated with the key of its binding, reconnecting for ever, and
 * following the endpoints and the key of the bindings file.
 */
export class BrokerLink {
  #binding: RequiredService;
  #connection: NatsConnection | undefined;
  #isUp = false;
  #isReopening = false;
  #signal: AbortSignal | undefined;
  readonly #services = new Set<Service>([]);
  readonly #name: string;
  readonly #onNews: (event: string) => void;

  constructor(name: string, binding: RequiredService, onNews: (event: string) => void = () => undefined) {
    this.#name = name;
    this.#binding = binding;
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
    this.#signal = signal;
    void this.#connect().then((connection) => {
      if (connection === undefined) return;
      this.#adopt(connection);
      onOpen();
    });
  }

  /** Follows a changed binding: endpoints by moving the connection, a key by opening another one. */
  async rebind(binding: RequiredService): Promise<void> {
    const before = this.#binding;
    this.#binding = binding;
    const connection = this.#connection;
    if (connection === undefined || binding.endpoints.length === 0) return;
    if (before.credential?.seed !== binding.credential?.seed) {
      void this.#reopen();
    } else if (JSON.stringify(before.endpoints) !== JSON.stringify(binding.endpoints)) {
      connection.setServers(addressesOf(binding));
      await connection.reconnect();
    }
  }

  /** Connects under the key of the binding, which the broker may be told of later or never, then lets go of the connection under the old one. */
  async #reopen(): Promise<void> {
    if (this.#isReopening) return;
    this.#isReopening = true;
    for (;;) {
      const seed = this.#binding.credential?.seed;
      const fresh = await this.#connect();
      if (fresh === undefined) break;
      const old = this.#connection;
      this.#adopt(fresh);
      await old?.drain().catch(() => undefined);
      if (seed === this.#binding.credential?.seed) break;
    }
    this.#isReopening = false;
  }

  /** Answers requests on a subject; instances that name the same queue share them. */
  serve(subject: string, queue: string, handler: Handler): () => Promise<void> {
    const service: Service = { subject, queue, handler };
    this.#services.add(service);
    this.#subscribe(this.#connected(), service);
    return async () => {
      this.#services.delete(service);
      await service.subscription?.drain();
    };
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

  /** Tries until it is connected, or until the function stops. */
  async #connect(): Promise<NatsConnection | undefined> {
    while (this.#signal?.aborted === false) {
      try {
        const isBound = this.#binding.endpoints.length > 0 && this.#binding.credential !== undefined;
        if (isBound) return await connect(this.#options());
      } catch (error) {
        this.#onNews(messageOf(error));
      }
      await systemClock.sleep(PAUSE_MILLISECONDS, this.#signal);
    }
    return undefined;
  }

  #adopt(connection: NatsConnection): void {
    this.#connection = connection;
    this.#isUp = true;
    for (const service of this.#services) this.#subscribe(connection, service);
    void this.#watch(connection);
  }

  #subscribe(connection: NatsConnection, service: Service): void {
    service.subscription = connection.subscribe(service.subject, {
      queue: service.queue,
      callback: (error, message) => {
        if (error === null) service.handler(message, (body) => this.#respond(message, body));
      },
    });
  }

  #respond(message: Msg, body: string): void {
    try {
      message.respond(body);
    } catch (error) {
      this.#onNews(`an answer to ${message.subject} could not be sent: ${messageOf(error)}`);
    }
  }

  #options(): NodeConnectionOptions {
    const seed = this.#binding.credential?.seed ?? '';
    const nkey = nkeyPublicFromSeed(seed);
    return {
      name: this.#name,
      servers: addressesOf(this.#binding),
      inboxPrefix: inboxPrefixOf(nkey),
      authenticator: (nonce) => {
        return { nkey, sig: signWithSeed(seed, nonce ?? '') };
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
      if (connection !== this.#connection) return;
      if (status.type === 'disconnect') this.#isUp = false;
      if (status.type === 'reconnect') this.#isUp = true;
      if (status.type !== 'ping') this.#onNews(status.type);
    }
    if (connection === this.#connection) this.#isUp = false;
  }
}

function addressesOf(service: RequiredService): string[] {
  return service.endpoints.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`);
}
