import { IotmanoError, messageOf, type Logger } from '../../kernel/index.ts';
import type { Backoff, McoClient } from '../mco-client/index.ts';
import type { Wakeup } from '../wakeup.ts';
import type { ReportOutbox } from './report-outbox.ts';

export interface ReporterOptions {
  readonly client: McoClient;
  readonly outbox: ReportOutbox;
  readonly wakeup: Wakeup;
  readonly backoff: Backoff;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

export interface Reporter {
  /** Sends until there is nothing left to tell. @throws IotmanoError what the server answered, or the network did */
  flush(): Promise<void>;
  /** Sends what changes, until the signal is aborted. */
  run(): Promise<void>;
}

const LONGEST_PAUSE_MILLISECONDS = 15_000;
const IDLE_MILLISECONDS = 3_600_000;

/** Sends reports one at a time, in sequence. */
export function createReporter({ client, outbox, wakeup, backoff, log, signal }: ReporterOptions): Reporter {
  let sequence = 1;
  let flushing: Promise<void> | undefined;

  async function sendAll(): Promise<void> {
    for (let report = outbox.next(); report !== undefined; report = outbox.next()) {
      try {
        const { nextSequence } = await client.postReport(report, sequence, signal);
        outbox.acknowledged();
        sequence = Math.max(nextSequence, sequence + 1);
      } catch (error) {
        sequence = afterRefusal(error, sequence, outbox);
        throw error;
      }
    }
  }

  return {
    flush: () => (flushing ??= sendAll().finally(() => (flushing = undefined))),
    async run() {
      while (!signal.aborted) {
        await wakeup.wait(IDLE_MILLISECONDS, signal);
        while (!signal.aborted) {
          try {
            await this.flush();
            backoff.succeeded();
            break;
          } catch (error) {
            if (backoff.failures === 0)
              log.warn({ reason: messageOf(error) }, 'report not delivered, it is repeated');
            await backoff.wait(error, LONGEST_PAUSE_MILLISECONDS, signal);
          }
        }
      }
    },
  };
}

/** Answers after which the same report is not worth repeating. */
const REFUSALS: ReadonlySet<string> = new Set([
  'conflict',
  'malformed-request',
  'payload-too-large',
  'unprocessable',
]);

/** Where the orchestrator expects something else, the next report is full and has the number that it named. */
function afterRefusal(error: unknown, sequence: number, outbox: ReportOutbox): number {
  if (!(error instanceof IotmanoError) || !REFUSALS.has(error.code)) return sequence;
  outbox.refused();
  const expected = error.context['expectedSequence'];
  return typeof expected === 'number' ? expected : sequence;
}
