import {
  IotmanoError,
  messageOf,
  toTimestamp,
  type HostId,
  type IdSource,
  type VimId,
} from '../../kernel/index.ts';
import { clearAlarm, raiseAlarm, type Inventory } from '../inventory/index.ts';
import {
  isCommandRunner,
  type CommandEvent,
  type CommandOptions,
  type DriverCapabilities,
  type HostInventory,
  type LogOptions,
  type WorkloadKey,
} from '../../vim-drivers/index.ts';
import { withinLimit } from './bounded-driver.ts';
import { remedyOf } from './explain-unreachable.ts';
import { openDriverOf, type DriverOpeningOptions, type OpenedDriver } from './opened-driver.ts';
import { createSiteOrders, type SiteOrders } from './site-orders.ts';
import { isNews, toFacts, type SiteFacts } from './site-facts.ts';
import type { SiteInventory, VimCheck, VimHealth } from './vim-health.ts';

export interface SiteOptions extends Omit<DriverOpeningOptions, 'contactMilliseconds' | 'signal'> {
  readonly ids: IdSource;
  readonly inventory: Inventory;
}

/** One VIM, driven by this process: asked again and again whether it answers, and told what is wanted there. */
export interface Site {
  readonly health: VimHealth;
  readonly lastInventory: SiteInventory | undefined;
  readonly capabilities: DriverCapabilities | undefined;
  /** Tries the connection now. Never rejects. */
  check(): Promise<VimCheck>;
  /** How many workloads of ours are there now. @throws IotmanoError `unavailable` where it does not say */
  countWorkloads(): Promise<number>;
  /** Bytes of stdout and stderr of an instance. @throws IotmanoError `unavailable` where the VIM was not reached yet */
  logs(key: WorkloadKey, options: LogOptions): AsyncIterable<Uint8Array>;
  /** A command beside an instance. @throws IotmanoError as `CommandRunner.exec`, `unavailable` as `logs`, `conflict` where the driver runs none */
  exec(key: WorkloadKey, options: CommandOptions): AsyncIterable<CommandEvent>;
  /** What is wanted there, or who may give orders, has changed, durably. */
  changed(): void;
  /** Lets go of it. What runs there runs on. Takes no longer than it must: a VIM that hangs is left alone. */
  close(): Promise<void>;
}

/** A look that takes longer has failed; where a function is less patient, sooner. */
const MOST_LIMIT_MILLISECONDS = 10_000;
const LEAST_LIMIT_MILLISECONDS = 5000;
const CLOSE_MILLISECONDS = 2000;
const MAX_TEXT = 2000;

interface Answer {
  readonly opened: OpenedDriver;
  readonly host: HostInventory;
}

export function openSite(options: SiteOptions): Site {
  return new VimSite(options);
}

class VimSite implements Site {
  readonly #options: SiteOptions;
  readonly #hostId: HostId;
  readonly #vimId: VimId;
  readonly #bootId: string;
  readonly #ending = new AbortController();
  readonly #running: Promise<void>;
  #pausing = new AbortController();
  #health: VimHealth;
  #lastInventory: SiteInventory | undefined;
  #opened: OpenedDriver | undefined;
  #opening: Promise<OpenedDriver> | undefined;
  #contact: Promise<VimCheck> | undefined;
  #facts: { readonly told: SiteFacts; readonly sequence: number } | undefined;
  readonly #orders: SiteOrders;

  constructor(options: SiteOptions) {
    this.#options = options;
    this.#vimId = options.connection.id as VimId;
    this.#hostId = options.connection.id as HostId;
    this.#bootId = options.ids.uuid();
    this.#health = { state: 'UNKNOWN', since: this.#now() };
    this.#orders = createSiteOrders({
      store: options.store,
      log: options.log,
      hostId: this.#hostId,
      controller: () => this.#opened?.controller(),
      signal: this.#ending.signal,
    });
    this.#running = this.#run();
  }

  get health(): VimHealth {
    return this.#health;
  }

  get lastInventory(): SiteInventory | undefined {
    return this.#lastInventory;
  }

  get capabilities(): DriverCapabilities | undefined {
    return this.#opened?.capabilities;
  }

  check(): Promise<VimCheck> {
    return (this.#contact ??= this.#makeContact().finally(() => (this.#contact = undefined)));
  }

  async countWorkloads(): Promise<number> {
    try {
      const { driver } = await this.#open();
      return (await driver.list()).length;
    } catch (error) {
      const text = `VIM ${this.#vimId} does not say what is there: ${messageOf(error)}; try again`;
      throw new IotmanoError('unavailable', text, {}, error);
    }
  }

  logs(key: WorkloadKey, options: LogOptions): AsyncIterable<Uint8Array> {
    return this.#requireOpened().driver.logs(key, options);
  }

  exec(key: WorkloadKey, options: CommandOptions): AsyncIterable<CommandEvent> {
    const { driver, capabilities } = this.#requireOpened();
    if (isCommandRunner(driver)) return driver.exec(key, options);
    throw new IotmanoError('conflict', `the driver ${capabilities.driver} runs no commands beside functions`);
  }

  #requireOpened(): OpenedDriver {
    if (this.#opened !== undefined) return this.#opened;
    throw new IotmanoError('unavailable', `VIM ${this.#vimId} was not reached yet; try again in a second`);
  }

  changed(): void {
    this.#pausing.abort();
    this.#orders.give();
  }

  async close(): Promise<void> {
    this.#ending.abort();
    this.#pausing.abort();
    const enough = new AbortController();
    const closing = Promise.all([this.#running, this.#opened?.close()]);
    await Promise.race([closing, this.#options.clock.sleep(CLOSE_MILLISECONDS, enough.signal)]);
    enough.abort();
  }

  async #run(): Promise<void> {
    const { clock, inventory } = this.#options;
    const heartbeat = (): number => inventory.leaseTerms(this.#hostId).heartbeatSeconds * 1000;
    while (!this.#ending.signal.aborted) {
      const startedAt = clock.monotonic();
      await this.check();
      // The lease was granted for what was there then; what comes meanwhile may be less patient, what goes makes it no longer.
      const granted = heartbeat();
      for (;;) {
        const rest = startedAt + Math.min(granted, heartbeat()) - clock.monotonic();
        if (rest <= 0 || this.#ending.signal.aborted) break;
        this.#pausing = new AbortController();
        await clock.sleep(rest, this.#pausing.signal);
      }
    }
  }

  /** One attempt: only its success renews the lease of the host. */
  async #makeContact(): Promise<VimCheck> {
    const { clock, log, connection } = this.#options;
    const sentAt = clock.monotonic();
    const found = await this.#ask();
    const milliseconds = Math.round(clock.monotonic() - sentAt);
    const result: VimCheck =
      'host' in found
        ? { isReachable: true, milliseconds }
        : {
            isReachable: false,
            milliseconds,
            reason: found.reason,
            remedy: remedyOf(found.reason, connection.document.vimType),
          };
    // It may have been removed, or replaced, meanwhile.
    if (this.#ending.signal.aborted || this.#options.store.get('host', this.#hostId) === undefined)
      return result;
    try {
      if ('host' in found) await this.#reached(found, sentAt);
      else this.#missed(found.reason, result.remedy ?? '');
    } catch (error) {
      log.error({ vimId: this.#vimId, err: error }, 'what a VIM said could not be taken over');
    }
    return result;
  }

  async #ask(): Promise<Answer | { readonly reason: string }> {
    const { clock } = this.#options;
    try {
      const opened = await withinLimit(this.#open(), clock, this.#limitMilliseconds());
      const [host] = await opened.driver.inventory();
      return host === undefined ? { reason: 'it says nothing of itself' } : { opened, host };
    } catch (error) {
      return { reason: messageOf(error).slice(0, MAX_TEXT) };
    }
  }

  async #open(): Promise<OpenedDriver> {
    if (this.#opened !== undefined) return this.#opened;
    // One at a time, however long it takes: who waits for it is not kept by it.
    this.#opening ??= this.#openOnce().finally(() => (this.#opening = undefined));
    return await this.#opening;
  }

  async #openOnce(): Promise<OpenedDriver> {
    const { signal } = this.#ending;
    const contactMilliseconds = (): number => this.#limitMilliseconds();
    const opened = await openDriverOf({ ...this.#options, contactMilliseconds, signal });
    if (signal.aborted) {
      void opened.close();
      throw new IotmanoError('unavailable', `VIM ${this.#vimId} was let go of; try again in a second`);
    }
    this.#opened = opened;
    this.changed();
    return opened;
  }

  /** Patience of the least patient function there, as far as that makes sense. */
  #limitMilliseconds(): number {
    const { leaseSeconds } = this.#options.inventory.leaseTerms(this.#hostId);
    return Math.min(MOST_LIMIT_MILLISECONDS, Math.max(LEAST_LIMIT_MILLISECONDS, leaseSeconds * 1000));
  }

  async #reached({ opened, host }: Answer, sentAt: number): Promise<void> {
    const { store, clock, log, inventory } = this.#options;
    const now = this.#now();
    const isNew = this.#health.state !== 'REACHABLE';
    if (this.#health.state === 'UNREACHABLE') opened.beginAnew();
    this.#health = { state: 'REACHABLE', since: isNew ? now : this.#health.since, lastContactAt: now };
    this.#lastInventory = { takenAt: now, host };
    if (isNew) log.info({ vimId: this.#vimId }, 'VIM is reached');
    this.#tellFacts(toFacts(host, opened.capabilities, this.#options.connection.document.extra));
    inventory.renewLease(this.#hostId);
    store.commit(clearAlarm(store, 'vim-unreachable', { hostId: this.#hostId }, clock.now()));
    if (isNew) this.changed();
    await opened.controller().renewed(sentAt);
  }

  #missed(reason: string, remedy: string): void {
    const { store, clock, log } = this.#options;
    const isNew = this.#health.state !== 'UNREACHABLE';
    const { lastContactAt } = this.#health;
    this.#health = {
      state: 'UNREACHABLE',
      since: isNew ? this.#now() : this.#health.since,
      reason: `${reason}; ${remedy}`,
      ...(lastContactAt === undefined ? {} : { lastContactAt }),
    };
    if (isNew) log.warn({ vimId: this.#vimId, reason }, 'VIM cannot be reached');
    const text = `VIM ${this.#vimId} cannot be reached: ${reason}; ${remedy}`;
    store.commit(raiseAlarm(store, 'vim-unreachable', { hostId: this.#hostId }, text, clock.now()));
  }

  #tellFacts(facts: SiteFacts): void {
    if (!isNews(this.#facts?.told, facts)) return;
    const sequence = (this.#facts?.sequence ?? 0) + 1;
    this.#options.inventory.putFacts(this.#hostId, { bootId: this.#bootId, sequence, facts });
    this.#facts = { told: facts, sequence };
  }

  #now(): string {
    return toTimestamp(this.#options.clock.now());
  }
}
