import { readFile, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, toTimestamp, type Clock, type Logger } from '../../kernel/index.ts';
import { replaceFileDurably } from '../../vim-drivers/host-files/index.ts';
import type { ObservedWorkload } from '../../vim-drivers/index.ts';
import { STATE_FORMATS } from '../state-formats.ts';
import type { DiskQueue } from '../disk-queue/index.ts';
import type { Wakeup } from '../wakeup.ts';
import { alarmKey, evaluateConditions, instanceKey, planAlarms } from './alarm-rules.ts';
import type { Alarm } from './alarm.ts';

export interface AlarmWatchOptions {
  readonly dataDirectory: string;
  readonly observed: () => readonly ObservedWorkload[];
  readonly queue: DiskQueue;
  /** Woken when what is observed has changed. */
  readonly wakeup: Wakeup;
  readonly onQueued: () => void;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

const LOOK_MILLISECONDS = 60_000;
const CRASH_WINDOW_MILLISECONDS = 5 * 60_000;

/** Raises and clears what is seen locally, until the signal is aborted. What is raised is remembered over restarts, so that it is cleared some day. */
export async function runAlarmWatch(options: AlarmWatchOptions): Promise<void> {
  const { dataDirectory, clock, log, signal, wakeup } = options;
  const path = join(dataDirectory, 'alarms.json');
  let raised = await loadRaised(path);
  const restarts = new RestartHistory();
  while (!signal.aborted) {
    try {
      const observed = options.observed();
      const conditions = evaluateConditions({
        observed,
        freeShare: await freeShareOf(dataDirectory),
        earlierRestarts: restarts.earlier(observed, clock.monotonic()),
        isDiskAlarmed: raised.has('disk-full'),
      });
      const alarms = planAlarms(raised, conditions, toTimestamp(clock.now()));
      // Queued first: told twice is better than never.
      for (const alarm of alarms) await options.queue.append(Buffer.from(JSON.stringify(alarm)));
      if (alarms.length > 0) {
        raised = after(raised, alarms);
        options.onQueued();
        await replaceFileDurably(
          path,
          JSON.stringify({ schemaVersion: STATE_FORMATS.alarms, alarms: [...raised.values()] }),
        );
      }
    } catch (error) {
      log.warn({ reason: messageOf(error) }, 'looking for alarms failed');
    }
    await wakeup.wait(LOOK_MILLISECONDS, signal);
  }
}

function after(raised: ReadonlyMap<string, Alarm>, alarms: readonly Alarm[]): ReadonlyMap<string, Alarm> {
  const next = new Map(raised);
  for (const alarm of alarms) {
    if (alarm.severity === 'CLEARED') next.delete(alarmKey(alarm));
    else next.set(alarmKey(alarm), alarm);
  }
  return next;
}

async function freeShareOf(directory: string): Promise<number | undefined> {
  const { bavail, blocks } = await statfs(directory);
  return blocks > 0 ? bavail / blocks : undefined;
}

/** Anything unreadable counts as nothing raised: what holds is raised again. */
async function loadRaised(path: string): Promise<ReadonlyMap<string, Alarm>> {
  try {
    const { alarms } = JSON.parse(await readFile(path, 'utf8')) as { readonly alarms: readonly Alarm[] };
    return new Map(alarms.map((alarm) => [alarmKey(alarm), alarm]));
  } catch {
    return new Map();
  }
}

interface RestartCount {
  readonly at: number;
  readonly restarts: number;
}

/** How many restarts each instance had a window ago. */
class RestartHistory {
  #counts: ReadonlyMap<string, RestartCount> = new Map();

  earlier(observed: readonly ObservedWorkload[], now: number): ReadonlyMap<string, number> {
    const counts = new Map<string, RestartCount>();
    for (const workload of observed) {
      for (const { slot, epoch, restarts } of workload.instances) {
        const key = instanceKey(workload, slot, epoch);
        const known = this.#counts.get(key);
        const isFresh = known !== undefined && now - known.at < CRASH_WINDOW_MILLISECONDS;
        counts.set(key, isFresh ? known : { at: now, restarts });
      }
    }
    this.#counts = counts;
    return new Map([...counts].map(([key, { restarts }]) => [key, restarts]));
  }
}
