import { lastTime, nextTime } from '../../descriptors/index.ts';

/** Beyond that many nobody counts. */
const MOST_COUNTED = 1000;
/** A clock that is set back by more than that was wrong before; by less, what has run is not run again. As cron has it. */
const SET_BACK_MILLISECONDS = 3 * 3_600_000;

/** Times of a schedule between what is decided and now. Milliseconds since the Unix epoch. */
export interface DueTimes {
  readonly decidedUntil: number;
  /** The one that may still be made up for. */
  readonly latest?: number;
  /** Those before it, in order; the latest ones where there are very many. */
  readonly earlier: readonly number[];
}

/** Which times of a pattern have come after `decidedUntil`. Pure. */
export function dueTimes(cron: string, timeZone: string, decidedUntil: number, now: number): DueTimes {
  const since = decidedUntil > now + SET_BACK_MILLISECONDS ? now : decidedUntil;
  const latest = lastTime(cron, timeZone, now);
  if (latest === undefined || latest <= since) return { decidedUntil: since, earlier: [] };
  const earlier: number[] = [];
  for (let at = nextTime(cron, timeZone, since); at !== undefined && at < latest;) {
    earlier.push(at);
    if (earlier.length >= MOST_COUNTED) break;
    at = nextTime(cron, timeZone, at);
  }
  return { decidedUntil: since, latest, earlier };
}
