/** Strict reading of what only descriptors have; `undefined` for what the schema refuses. */
import { parseSeconds } from '../../kernel/index.ts';

/** `10%` → 0.1. */
export function parseShare(value: unknown): number | undefined {
  const match = typeof value === 'string' ? /^(100|[0-9]{1,2}(?:\.[0-9]{1,3})?)%$/.exec(value) : null;
  return match === null ? undefined : Math.round(Number(match[1]) * 1e5) / 1e7;
}

/** A part of each day, `02:00/2h local`: `local` is the clock of whoever is meant. */
export interface DailyWindow {
  /** After midnight. */
  readonly fromSeconds: number;
  readonly forSeconds: number;
  readonly clock: 'local' | 'utc';
}

export function parseDailyWindow(value: unknown): DailyWindow | undefined {
  const match =
    typeof value === 'string'
      ? /^([01][0-9]|2[0-3]):([0-5][0-9])\/([0-9]{1,4}[mh]) (local|utc)$/.exec(value)
      : null;
  const forSeconds = parseSeconds(match?.[3]);
  if (match === null || forSeconds === undefined) return undefined;
  return {
    fromSeconds: Number(match[1]) * 3600 + Number(match[2]) * 60,
    forSeconds,
    clock: match[4] === 'local' ? 'local' : 'utc',
  };
}

/** `1s..30s` → two numbers of seconds. */
export function parseSecondsRange(value: unknown): readonly [number, number] | undefined {
  const [from, to, more] = typeof value === 'string' ? value.split('..') : [];
  const low = parseSeconds(from);
  const high = parseSeconds(to);
  return low === undefined || high === undefined || more !== undefined ? undefined : [low, high];
}
