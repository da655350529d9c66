/** Strict reading of quantities and durations; `undefined` for what the schema refuses. */

const BYTE_UNITS: Readonly<Record<string, number>> = {
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
};
const BIT_UNITS: Readonly<Record<string, number>> = { bit: 1, kbit: 1e3, Mbit: 1e6, Gbit: 1e9 };
const SECONDS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 };

/** `128Mi` → bytes. */
export function parseBytes(value: unknown): number | undefined {
  const match = typeof value === 'string' ? /^([0-9]{1,12})(Ki|Mi|Gi|Ti|k|M|G|T)$/.exec(value) : null;
  const unit = BYTE_UNITS[match?.[2] ?? ''];
  return match === null || unit === undefined ? undefined : Number(match[1]) * unit;
}

/** `256kbit` → bits per second. */
export function parseBitsPerSecond(value: unknown): number | undefined {
  const match = typeof value === 'string' ? /^([0-9]{1,9})(bit|kbit|Mbit|Gbit)$/.exec(value) : null;
  const unit = BIT_UNITS[match?.[2] ?? ''];
  return match === null || unit === undefined ? undefined : Number(match[1]) * unit;
}

/** `10s` → seconds. */
export function parseSeconds(value: unknown): number | undefined {
  const match = typeof value === 'string' ? /^([0-9]{1,9}(?:\.[0-9]{1,3})?)(ms|s|m|h|d)$/.exec(value) : null;
  const unit = SECONDS[match?.[2] ?? ''];
  if (match === null || unit === undefined) return undefined;
  return Math.round(Number(match[1]) * unit * 1e6) / 1e6;
}

/** `250m`, `2` or `0.5` → thousandths of a reference core. */
export function parseCpuMillis(value: unknown): number | undefined {
  if (typeof value === 'number') return Math.round(value * 1000);
  if (typeof value !== 'string') return undefined;
  if (/^[0-9]{1,9}m$/.test(value)) return Number(value.slice(0, -1));
  return /^[0-9]{1,6}(\.[0-9]{1,3})?$/.test(value) ? Math.round(Number(value) * 1000) : undefined;
}

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
