import { IotmanoError, type Clock, type Logger } from '../../kernel/index.ts';
import { statusOf } from './api-error.ts';
import type { ObjectClient, WatchEvent } from './object-client.ts';
import type { Kind, KubeObject } from './objects.ts';

export interface ReflectorOptions<K extends Kind> {
  readonly client: ObjectClient;
  readonly kind: K;
  readonly labelSelector: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onChange: () => void;
}

const BACKOFF_MINIMUM_MILLISECONDS = 100;
const BACKOFF_MAXIMUM_MILLISECONDS = 3000;
/** A server that is there tells a bookmark within a minute or so; a watch that is silent for longer is begun anew. */
const SILENCE_MILLISECONDS = 100_000;
/** How many deleted objects are remembered, so that late news of them do not bring them back. */
const REMEMBERED_DELETIONS = 2000;

/**
 * The objects of one kind as they are: listed, then watched. A watch that breaks is taken up where it broke; one that ends, or whose place is
 * forgotten by the server (410), is followed by a new list. What the driver has written itself is known at once.
 */
export class Reflector<K extends Kind> {
  readonly #options: ReflectorOptions<K>;
  readonly #objects = new Map<string, KubeObject<K>>();
  readonly #deleted = new Set<string>();
  readonly #closing = new AbortController();
  #isConnected = false;
  #fault: unknown;
  #waiting: (() => void)[] = [];
  #pausing = new AbortController();

  constructor(options: ReflectorOptions<K>) {
    this.#options = options;
  }

  /** Listed, and watched now. */
  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** Why it is not connected. */
  get fault(): unknown {
    return this.#fault;
  }

  objects(): IterableIterator<KubeObject<K>> {
    return this.#objects.values();
  }

  get(namespace: string, name: string): KubeObject<K> | undefined {
    return this.#objects.get(`${namespace}/${name}`);
  }

  /** Takes over what the server has answered to a write of ours. */
  learn(object: KubeObject<K>): void {
    if (!this.#isNews(object)) return;
    this.#objects.set(nameOf(object), object);
    this.#options.onChange();
  }

  /** Takes over that the server has deleted it. */
  forget(object: KubeObject<K>): void {
    const uid = object.metadata?.uid ?? '';
    this.#deleted.add(uid);
    const [oldest] = this.#deleted;
    if (this.#deleted.size > REMEMBERED_DELETIONS && oldest !== undefined) this.#deleted.delete(oldest);
    if (this.#objects.get(nameOf(object))?.metadata?.uid === uid) this.#objects.delete(nameOf(object));
    this.#options.onChange();
  }

  /** Resolves when it is connected, or tries in vain. */
  async attempted(): Promise<void> {
    if (this.#isConnected) return;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Tries again at once, where it waits for that. */
  hurry(): void {
    this.#pausing.abort();
  }

  async run(): Promise<void> {
    const { clock } = this.#options;
    let version: string | undefined;
    for (let failures = 0; !this.#closing.signal.aborted;) {
      try {
        version ??= await this.#list();
        const events = await this.#watch(version);
        failures = 0;
        for await (const event of events) version = this.#take(event);
        version = undefined;
      } catch (error) {
        if (statusOf(error) === 410) version = undefined;
        else failures += 1;
        this.#pausing = new AbortController();
        this.#disconnected(error);
        if (failures > 0) await clock.sleep(backoffMilliseconds(failures), this.#pausing.signal);
      }
    }
  }

  close(): void {
    this.#closing.abort();
    this.#pausing.abort();
    this.#disconnected(new IotmanoError('unavailable', 'the driver is closed'));
  }

  async #list(): Promise<string> {
    const { client, kind, labelSelector } = this.#options;
    const { items, resourceVersion } = await client.list(kind, { labelSelector });
    const found = new Set(items.map(nameOf));
    for (const [name, object] of this.#objects)
      if (!found.has(name) && versionOf(object) <= Number(resourceVersion)) this.#objects.delete(name);
    for (const item of items) if (this.#isNews(item)) this.#objects.set(nameOf(item), item);
    this.#options.onChange();
    return resourceVersion;
  }

  async #watch(version: string): Promise<AsyncIterable<WatchEvent<K>>> {
    const { client, kind, labelSelector } = this.#options;
    const ending = new AbortController();
    const signal = AbortSignal.any([ending.signal, this.#closing.signal]);
    const events = await client.watch(kind, { labelSelector }, version, signal);
    this.#isConnected = true;
    this.#fault = undefined;
    this.#wakeWaiting();
    return endedBySilence(events, ending);
  }

  #take({ type, object }: WatchEvent<K>): string | undefined {
    if (type === 'ERROR') {
      const { code, message } = object as { readonly code?: number; readonly message?: string };
      throw new IotmanoError('unavailable', `the watch was ended: ${message ?? 'no reason given'}`, {
        status: code,
      });
    }
    if (type === 'DELETED') this.forget(object);
    else if (type !== 'BOOKMARK') this.learn(object);
    return object.metadata?.resourceVersion;
  }

  #isNews(object: KubeObject<K>): boolean {
    const known = this.#objects.get(nameOf(object));
    if (this.#deleted.has(object.metadata?.uid ?? '')) return false;
    return known === undefined || versionOf(known) < versionOf(object);
  }

  #disconnected(error: unknown): void {
    if (this.#isConnected && !this.#closing.signal.aborted)
      this.#options.log.info({ kind: this.#options.kind, err: error }, 'a watch of the cluster broke');
    this.#isConnected = false;
    this.#fault = error;
    this.#wakeWaiting();
    this.#options.onChange();
  }

  #wakeWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}

async function* endedBySilence<Event>(
  events: AsyncIterable<Event>,
  ending: AbortController,
): AsyncGenerator<Event> {
  const end = (): void => ending.abort(new Error('the watch was silent for too long'));
  let timer = setTimeout(end, SILENCE_MILLISECONDS);
  try {
    for await (const event of events) {
      clearTimeout(timer);
      yield event;
      timer = setTimeout(end, SILENCE_MILLISECONDS);
    }
  } finally {
    clearTimeout(timer);
    ending.abort();
  }
}

function backoffMilliseconds(failures: number): number {
  return Math.min(BACKOFF_MAXIMUM_MILLISECONDS, BACKOFF_MINIMUM_MILLISECONDS * 2 ** Math.min(10, failures));
}

function nameOf(object: {
  readonly metadata?: { readonly namespace?: string; readonly name?: string };
}): string {
  return `${object.metadata?.namespace ?? ''}/${object.metadata?.name ?? ''}`;
}

/** Versions are numbers of one sequence for the whole cluster. */
function versionOf(object: { readonly metadata?: { readonly resourceVersion?: string } }): number {
  return Number(object.metadata?.resourceVersion ?? 0);
}
