import { IotmanoError, randomIds } from '../../kernel/index.ts';
import { DeviceClient } from '../../load/index.ts';

/** A device that asks again and again, whatever becomes of what it has asked before. */
export interface Probe {
  /**
   * When the first request that was sent after that time was answered, both by `performance.now()`.
   * @throws IotmanoError `unavailable` when none was for so long
   */
  firstAnswer(since: number, patienceSeconds: number): Promise<number>;
  /** Requests that ended since the last look, and how many of them failed. */
  count(): { readonly ended: number; readonly failed: number };
  stop(): void;
}

const EVERY_MILLISECONDS = 20;
const TIMEOUT_MILLISECONDS = 30_000;
const MOST_AT_ONCE = 2000;

interface Waiting {
  readonly since: number;
  readonly resolve: (answeredAt: number) => void;
}

/** Asks for the CSEBase, which takes gateway, broker, request processing and data storage. */
export function startProbe(url: string): Probe {
  const client = new DeviceClient({
    timeoutMilliseconds: TIMEOUT_MILLISECONDS,
    maxConnections: MOST_AT_ONCE,
  });
  const run = randomIds.uuid();
  const waiting = new Set<Waiting>([]);
  let number = 0;
  let tally = { ended: 0, failed: 0 };
  const ask = async (): Promise<void> => {
    number += 1;
    const sent = performance.now();
    const { fault } = await client.send(url, {
      method: 'GET',
      path: '/cse-in',
      originator: 'CAdmin',
      requestId: `${run}-${number}`,
    });
    const answered = performance.now();
    tally = { ended: tally.ended + 1, failed: tally.failed + (fault === undefined ? 0 : 1) };
    if (fault !== undefined) return;
    for (const one of waiting)
      if (sent >= one.since) {
        waiting.delete(one);
        one.resolve(answered);
      }
  };
  const timer = setInterval(() => void ask(), EVERY_MILLISECONDS);
  return {
    firstAnswer: (since, patienceSeconds) =>
      new Promise((resolve, reject) => {
        const one: Waiting = {
          since,
          resolve: (answeredAt) => {
            clearTimeout(patience);
            resolve(answeredAt);
          },
        };
        const patience = setTimeout(() => {
          waiting.delete(one);
          reject(new IotmanoError('unavailable', `no request was answered for ${patienceSeconds} s`));
        }, patienceSeconds * 1000);
        waiting.add(one);
      }),
    count: () => {
      const now = tally;
      tally = { ended: 0, failed: 0 };
      return now;
    },
    stop: () => {
      clearInterval(timer);
      client.close();
    },
  };
}
