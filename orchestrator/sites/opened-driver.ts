import type { Clock, HostId, Logger, VimId } from '../../kernel/index.ts';
import { faultOfTimeZone } from '../../descriptors/index.ts';
import type { StateStore, StoredRecord } from '../store/index.ts';
import type { DriverCapabilities, ObservedWorkload, VimDriver } from '../../vim-drivers/index.ts';
import { createSiteController, type SiteController } from '../../vim-drivers/site-controller/index.ts';
import { boundDriver, withoutSecrets } from './bounded-driver.ts';
import type { SecretBox } from './secret-box.ts';
import { createScheduleBook } from './schedule-book.ts';
import { reportObserved } from './site-report.ts';
import { redactor, type OpenDriver } from './vim-access.ts';

export interface DriverOpeningOptions {
  readonly store: StateStore;
  readonly clock: Clock;
  readonly log: Logger;
  readonly secrets: SecretBox;
  readonly openDriver: OpenDriver;
  /** What is driven. Durable; another version of it is another site. */
  readonly connection: StoredRecord<'vim-connection'>;
  /** A driver was opened, with what there is to be measured with it. @returns the end of it */
  readonly onOpened: (driver: VimDriver, observed: () => readonly ObservedWorkload[]) => () => void;
  /** How long the platform may take to say that it is there. */
  readonly contactMilliseconds: () => number;
  /** Whoever opened it has gone: nothing more is told. */
  readonly signal: AbortSignal;
}

/** A driver that has answered, and the controller that brings about with it what is wanted. */
export interface OpenedDriver {
  readonly driver: VimDriver;
  readonly capabilities: DriverCapabilities;
  controller(): SiteController;
  /** What was refused for good while the platform was away, for want of rights or of anything else, is tried again. */
  beginAnew(): void;
  /** What runs there runs on. */
  close(): Promise<void>;
}

/** Opens the driver of a connection, with its credentials. @throws IotmanoError without secrets in its message */
export async function openDriverOf(options: DriverOpeningOptions): Promise<OpenedDriver> {
  const { clock, secrets, openDriver, connection } = options;
  const vimId = connection.id as VimId;
  const { sealedAccess, vimType, scope, interfaceInfo, extra } = connection.document;
  const accessInfo = sealedAccess === undefined ? {} : await secrets.open(vimId, sealedAccess);
  const redact = redactor(accessInfo);
  const opening = { vimId, vimType, scope, interfaceInfo, accessInfo, extra };
  const opened = await openDriver(opening).catch((error: unknown) => {
    throw withoutSecrets(error, redact);
  });
  const driver = boundDriver(opened, { clock, contactMilliseconds: options.contactMilliseconds, redact });
  try {
    const capabilities = await driver.capabilities();
    return driveWith(driver, capabilities, options);
  } catch (error) {
    // Not waited for: what does not answer may not let itself be closed either.
    void driver.close?.().catch(() => undefined);
    throw error;
  }
}

function driveWith(
  driver: ReturnType<typeof boundDriver>,
  capabilities: DriverCapabilities,
  options: DriverOpeningOptions,
): OpenedDriver {
  let controller = control(driver, options);
  const endMeasuring = options.onOpened(driver, () => controller.observed());
  return {
    driver,
    capabilities,
    controller: () => controller,
    beginAnew: () => {
      void controller.close();
      controller = control(driver, options);
    },
    close: async () => {
      endMeasuring();
      await Promise.allSettled([controller.close(), driver.close?.()]);
    },
  };
}

/** A VIM that is back is put right without much delay. */
const RETRY_MAXIMUM_MILLISECONDS = 5000;

function control(
  driver: VimDriver,
  { store, clock, log, connection, signal }: DriverOpeningOptions,
): SiteController {
  return createSiteController({
    driver,
    clock,
    log,
    schedules: createScheduleBook(store, connection.id as HostId),
    localTimeZone: () => zoneOf(connection.document.extra),
    onObserved: (observed, fence) => {
      if (!signal.aborted) reportObserved(store, clock, connection.id as HostId, observed, fence);
    },
    retryMaximumMilliseconds: RETRY_MAXIMUM_MILLISECONDS,
  });
}

/** A VIM has the zone that its label says; what is no zone counts as UTC, as everywhere. */
function zoneOf({ labels }: StoredRecord<'vim-connection'>['document']['extra']): string {
  const name = labels?.['timezone'] ?? 'UTC';
  return faultOfTimeZone(name) === undefined ? name : 'UTC';
}
