import { toTimestamp } from '../../kernel/index.ts';
import type { Absence, HostDocument } from './documents.ts';
import type { HostState } from './states.ts';

const HALF_LIFE_SECONDS = 7 * 86_400;
/** What an absence counts at the least: moving away and back costs more than the silence itself. */
const LEAST_ABSENCE_SECONDS = 600;
/** A host is judged by no less than a day: the first minutes say little. */
const LEAST_PAST_SECONDS = 86_400;

/** What is to be remembered of a host's absences once its state has become another one. */
export function absenceAfter(
  { state, absence }: Pick<HostDocument, 'state' | 'absence'>,
  next: HostState,
  now: number,
): Absence | undefined {
  const wasHere = state === 'READY' || state === 'DRAINING';
  if (wasHere && next === 'SUSPECT')
    return { ...countedAt(absence, now), at: toTimestamp(now), since: toTimestamp(now) };
  const isBack = next === 'READY' || next === 'DRAINING';
  if (absence?.since === undefined || !isBack) return absence;
  const { awaySeconds } = countedAt(absence, now);
  return { awaySeconds: awaySeconds + lengthOf(absence.since, now), at: toTimestamp(now) };
}

/** Share of the recent past for which the host was there, 0 to 1. @param now milliseconds since the epoch */
export function availabilityOf(
  { absence, enrolledAt }: Pick<HostDocument, 'absence' | 'enrolledAt'>,
  now: number,
): number {
  if (absence === undefined) return 1;
  const current = absence.since === undefined ? 0 : lengthOf(absence.since, now);
  const away = countedAt(absence, now).awaySeconds + current;
  const past = Math.max(LEAST_PAST_SECONDS, (now - Date.parse(enrolledAt)) / 1000);
  // What a host that was away all the time would have: seconds count the less the older they are.
  const whole = (HALF_LIFE_SECONDS / Math.LN2) * (1 - 2 ** (-past / HALF_LIFE_SECONDS));
  return Math.min(1, Math.max(0, 1 - away / whole));
}

function countedAt(absence: Absence | undefined, now: number): Pick<Absence, 'awaySeconds'> {
  if (absence === undefined) return { awaySeconds: 0 };
  const age = Math.max(0, now - Date.parse(absence.at)) / 1000;
  return { awaySeconds: absence.awaySeconds * 2 ** (-age / HALF_LIFE_SECONDS) };
}

function lengthOf(since: string, now: number): number {
  return Math.max(LEAST_ABSENCE_SECONDS, (now - Date.parse(since)) / 1000);
}
