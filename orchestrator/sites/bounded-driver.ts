import { IotmanoError, messageOf, type Clock } from '../../kernel/index.ts';
import {
  isClosable,
  isCommandRunner,
  isLeaseKeeper,
  isMetricsReader,
  type Closable,
  type CommandRunner,
  type LeaseKeeper,
  type MetricsReader,
  type VimDriver,
} from '../../vim-drivers/index.ts';

/** Other calls that only look: a platform with much on it, or much to do, takes its time. What changes something takes as long as it takes. */
const LOOK_MILLISECONDS = 30_000;

export interface BoundedDriverOptions {
  readonly clock: Clock;
  /** For the call that tells whether the platform is there. */
  readonly contactMilliseconds: () => number;
  /** Takes secrets out of the texts of errors. */
  readonly redact: (text: string) => string;
}

/**
 * The driver with an end to every look, so that a platform that accepts calls and never answers is told from one that works, and with errors that
 * hold no secrets: what a driver throws ends in logs, observed problems and answers.
 */
export function boundDriver(
  driver: VimDriver,
  options: BoundedDriverOptions,
): VimDriver & Partial<LeaseKeeper & MetricsReader & CommandRunner & Closable> {
  const { clock, contactMilliseconds } = options;
  const look = <Value>(call: Promise<Value>, limit = LOOK_MILLISECONDS): Promise<Value> =>
    clean(withinLimit(call, clock, limit));
  const clean = async <Value>(call: Promise<Value>): Promise<Value> => {
    try {
      return await call;
    } catch (error) {
      throw withoutSecrets(error, options.redact);
    }
  };
  return {
    capabilities: () => look(driver.capabilities()),
    inventory: () => look(driver.inventory(), contactMilliseconds()),
    list: () => look(driver.list()),
    usage: (key) => look(driver.usage(key)),
    apply: (workload, fence) => clean(driver.apply(workload, fence)),
    remove: (key, fence, removal) => clean(driver.remove(key, fence, removal)),
    watch: (onChange) => driver.watch(onChange),
    logs: (key, logOptions) => cleaned(driver.logs(key, logOptions), options.redact),
    ...(isLeaseKeeper(driver) ? { renewed: (at?: number) => clean(driver.renewed(at)) } : {}),
    ...(isMetricsReader(driver)
      ? {
          readMetrics: (...args: Parameters<MetricsReader['readMetrics']>) =>
            look(driver.readMetrics(...args)),
        }
      : {}),
    ...(isCommandRunner(driver)
      ? {
          exec: (...args: Parameters<CommandRunner['exec']>) => cleaned(driver.exec(...args), options.redact),
        }
      : {}),
    ...(isClosable(driver) ? { close: () => clean(driver.close()) } : {}),
  };
}

async function* cleaned<Item>(
  items: AsyncIterable<Item>,
  redact: (text: string) => string,
): AsyncGenerator<Item> {
  try {
    yield* items;
  } catch (error) {
    throw withoutSecrets(error, redact);
  }
}

/** @throws IotmanoError `timeout` where the call takes longer; it is left to itself then */
export async function withinLimit<Value>(
  call: Promise<Value>,
  clock: Clock,
  milliseconds: number,
): Promise<Value> {
  const over = new AbortController();
  try {
    return await Promise.race([
      call,
      clock.sleep(milliseconds, over.signal).then((): never => {
        throw new IotmanoError('timeout', `it did not answer within ${milliseconds / 1000} s`);
      }),
    ]);
  } finally {
    over.abort();
  }
}

/** The same error for whoever decides by it; its cause, of whatever library, stays behind. */
export function withoutSecrets(error: unknown, redact: (text: string) => string): IotmanoError {
  if (error instanceof IotmanoError)
    return new IotmanoError(error.code, redact(error.message), error.context);
  return new IotmanoError('driver-failed', redact(messageOf(error)));
}
