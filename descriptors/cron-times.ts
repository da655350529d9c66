import { Cron } from 'croner';

/** Any time will do to see whether a pattern ever comes. */
const SOME_TIME = new Date('2024-01-01T00:00:00Z');

/** What is wrong with a cron pattern; undefined: nothing. */
export function faultOfCron(pattern: string): string | undefined {
  const fields = pattern.trim().split(/\s+/).length;
  if (fields !== 5 && fields !== 6) return `\`${pattern}\` is no cron pattern: it has ${fields} fields`;
  try {
    const comes = new Cron(pattern, { timezone: 'UTC' }).nextRun(SOME_TIME) !== null;
    return comes ? undefined : `\`${pattern}\` never comes`;
  } catch {
    return `\`${pattern}\` is no cron pattern`;
  }
}

/** What is wrong with the name of a time zone; undefined: nothing. */
export function faultOfTimeZone(name: string): string | undefined {
  try {
    const { timeZone } = new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions();
    return timeZone === '' ? `there is no time zone \`${name}\`` : undefined;
  } catch {
    return `there is no time zone \`${name}\``;
  }
}

/**
 * The latest time of a pattern up to and with a moment, both in milliseconds since the Unix epoch.
 * @param pattern one without a fault
 */
export function lastTime(pattern: string, timeZone: string, now: number): number | undefined {
  // What is asked for lies before the reference, in whole seconds.
  const reference = new Date((Math.floor(now / 1000) + 1) * 1000);
  const [time] = new Cron(pattern, { timezone: timeZone }).previousRuns(1, reference);
  return time?.getTime();
}

/** The first time of a pattern after a moment. */
export function nextTime(pattern: string, timeZone: string, now: number): number | undefined {
  return new Cron(pattern, { timezone: timeZone }).nextRun(new Date(now))?.getTime();
}
