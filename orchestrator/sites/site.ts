import {
  IotmanoError,
  messageOf,
  toTimestamp,
  type Clock,
  type HostId,
  type IdSource,
  type Logger,
  type VimId,
} from '../../kernel/index.ts';
import type { HostDocument } from '../domain/index.ts';
import { clearAlarm, raiseAlarm, type Inventory } from '../inventory/index.ts';
import type { StateStore, StoredRecord } from '../store/index.ts';
import type {
  DriverCapabilities,
  HostInventory,
  ObservedWorkload,
  VimDriver,
} from '../../vim-drivers/index.ts';
import { createSiteController, type SiteController } from '../../vim-drivers/site-controller/index.ts';
import { boundDriver, withinLimit, withoutSecrets } from './bounded-driver.ts';
import { remedyOf } from './explain-unreachable.ts';
import type { SecretBox } from './secret-box.ts';
import { createSiteOrders, type SiteOrders } from './site-orders.ts';
import { reportObserved } from './site-report.ts';
import { isNews, toFacts, type SiteFacts } from './site-facts.ts';
import { redactor, type OpenDriver } from './vim-access.ts';
import type { SiteInventory, VimCheck, VimHealth } from './vim-health.ts';

export interface SiteOptions {
  readonly store: StateStore;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly log: Logger;
  readonly inventory: Inventory;
  readonly secrets: SecretBox;
  readonly openDriver: OpenDriver;
  /** What is driven. Durable; another version of it is another site. */
  readonly connection: StoredRecord<'vim-connection'>;
  /** A driver was opened, with what there is to be measured with it. @returns the end of it */
  readonly onOpened: (driver: VimDriver, observed: () => readonly ObservedWorkload[]) => () => void;
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
  /** What is wanted there, or who may give orders, has changed, durably. */
  changed(): void;
  /** Lets go of it. What runs there runs on. Takes no longer than it must: a VIM that hangs is left alone. */
  close(): Promise<void>;
}

/** A look that takes longer has failed; where a function is less patient, sooner. */
const MOST_LIMIT_MILLISECONDS = 10_000;
const LEAST_LIMIT_MILLISECONDS = 5000;
/** A VIM that is back is put right without much delay. */
const RETRY_MAXIMUM_MILLISECONDS = 5000;
const CLOSE_MILLISECONDS = 2000;
const MAX_TEXT = 2000;

interface Opened {
  readonly driver: ReturnType<typeof boundDriver>;
  controller: SiteController;
  readonly capabilities: DriverCapabilities;
  readonly end: () => void;
}

interface Answer {
  readonly opened: Opened;
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
  #opened: Opened | undefined;
  #opening: Promise<Opened> | undefined;
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
      controller: () => this.#opened?.controller,
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

  changed(): void {
    this.#pausing.abort();
    this.#orders.give();
  }

  async close(): Promise<void> {
    this.#ending.abort();
    this.#pausing.abort();
    const opened = this.#opened;
    opened?.end();
    const enough = new AbortController();
    const closing = Promise.allSettled([this.#running, opened?.controller.close(), opened?.driver.close?.()]);
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
    if (this.#ending.signal.aborted || this.#host() === undefined) return result;
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

  async #open(): Promise<Opened> {
    if (this.#opened !== undefined) return this.#opened;
    // One at a time, however long it takes: who waits for it is not kept by it.
    this.#opening ??= this.#openDriver().finally(() => (this.#opening = undefined));
    return await this.#opening;
  }

  async #openDriver(): Promise<Opened> {
    const { clock, secrets, openDriver, connection, onOpened } = this.#options;
    const { sealedAccess, ...document } = connection.document;
    const accessInfo = sealedAccess === undefined ? {} : await secrets.open(this.#vimId, sealedAccess);
    const { vimType, scope, interfaceInfo, extra } = document;
    const redact = redactor(accessInfo);
    const opening = { vimId: this.#vimId, vimType, scope, interfaceInfo, accessInfo, extra };
    const opened = await openDriver(opening).catch((error: unknown) => {
      throw withoutSecrets(error, redact);
    });
    const contactMilliseconds = (): number => this.#limitMilliseconds();
    const driver = boundDriver(opened, { clock, contactMilliseconds, redact });
    try {
      const capabilities = await driver.capabilities();
      this.#ending.signal.throwIfAborted();
      const controller = this.#control(driver);
      const end = onOpened(driver, () => this.#opened?.controller.observed() ?? []);
      this.#opened = { driver, controller, capabilities, end };
    } catch (error) {
      // Not waited for: what does not answer may not let itself be closed either.
      void driver.close?.().catch(() => undefined);
      throw error;
    }
    this.changed();
    return this.#opened;
  }

  #control(driver: VimDriver): SiteController {
    const { store, clock, log } = this.#options;
    return createSiteController({
      driver,
      clock,
      log,
      onObserved: (observed, fence) => {
        if (!this.#ending.signal.aborted) reportObserved(store, clock, this.#hostId, observed, fence);
      },
      retryMaximumMilliseconds: RETRY_MAXIMUM_MILLISECONDS,
    });
  }

  /** What was refused for good while it was away, for want of rights or of anything else, is tried again. */
  #beginAnew(opened: Opened): void {
    void opened.controller.close();
    opened.controller = this.#control(opened.driver);
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
    if (this.#health.state === 'UNREACHABLE') this.#beginAnew(opened);
    this.#health = { state: 'REACHABLE', since: isNew ? now : this.#health.since, lastContactAt: now };
    this.#lastInventory = { takenAt: now, host };
    if (isNew) log.info({ vimId: this.#vimId }, 'VIM is reached');
    this.#tellFacts(toFacts(host, opened.capabilities, this.#options.connection.document.extra));
    inventory.renewLease(this.#hostId);
    store.commit(clearAlarm(store, 'vim-unreachable', { hostId: this.#hostId }, clock.now()));
    if (isNew) this.changed();
    await opened.controller.renewed(sentAt);
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

  #host(): HostDocument | undefined {
    return this.#options.store.get('host', this.#hostId)?.document;
  }

  #now(): string {
    return toTimestamp(this.#options.clock.now());
  }
}
