/** Quantities as people write them, in descriptors and on the command line: read strictly, `undefined` for what is none. */

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
