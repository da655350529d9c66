import type { HostId } from '../../../kernel/index.ts';
import { matchesLabels, parseExpression, type UpgradeWave } from '../../../descriptors/index.ts';
import type {
  IndicatorComparison,
  IndicatorLimit,
  RolloutPolicy,
  RolloutRecord,
  RolloutWindow,
} from '../../domain/index.ts';
import type { UnitCounts } from '../levels.ts';
import type { RolloutPart } from './rollout-types.ts';

/** A host as far as waves choose among hosts. */
export interface WaveHost {
  readonly hostId: HostId;
  readonly labels: Readonly<Record<string, string>>;
}

/** The part that has the new version first: all waves up to the one that is under way. Undefined once it is the turn of all. */
export function partOf(
  {
    policy: { waves = [] },
    wavesDone = 0,
  }: Pick<RolloutRecord, 'wavesDone'> & { readonly policy: Pick<RolloutPolicy, 'waves'> },
  counts: UnitCounts,
  hosts: readonly WaveHost[] | undefined,
): RolloutPart | undefined {
  if (wavesDone >= waves.length) return undefined;
  const begun = waves.slice(0, wavesDone + 1);
  if (hosts === undefined)
    return {
      counts: Object.fromEntries(
        Object.entries(counts).map(([unit, count]) => [
          unit,
          Math.max(...begun.map((wave) => sizeOf(wave, count))),
        ]),
      ),
    };
  return { counts, hosts: new Set(begun.flatMap((wave) => hostsIn(wave, hosts))) };
}

/** At least one, where there is any. */
function sizeOf({ count, share = 1 }: UpgradeWave, total: number): number {
  return Math.min(total, Math.max(1, count ?? Math.ceil(share * total)));
}

function hostsIn(wave: UpgradeWave, hosts: readonly WaveHost[]): readonly HostId[] {
  if (wave.label === undefined) return hosts.slice(0, sizeOf(wave, hosts.length)).map(({ hostId }) => hostId);
  const { expression } = parseExpression(wave.label);
  return hosts
    .filter(({ labels }) => expression !== undefined && matchesLabels(expression, labels))
    .map(({ hostId }) => hostId);
}

/**
 * Whether a host may be touched at a time of its day.
 * @param now milliseconds since the epoch
 * @param timezone IANA name; unknown ones count as UTC
 */
export function isOpen(
  { fromSeconds, forSeconds, clock }: RolloutWindow,
  now: number,
  timezone: string | undefined,
): boolean {
  const second = secondOfDay(now, clock === 'local' ? timezone : undefined);
  const day = 86_400;
  return (second - fromSeconds + day) % day < forSeconds;
}

function secondOfDay(now: number, timezone = 'UTC'): number {
  const [hour = 0, minute = 0, second = 0] = clockOf(timezone)
    .formatToParts(now)
    .filter(({ type }) => type === 'hour' || type === 'minute' || type === 'second')
    .map(({ value }) => Number(value));
  return hour * 3600 + minute * 60 + second;
}

const clocks = new Map<string, Intl.DateTimeFormat>();
/** There are some 600 zones; what hosts call theirs has no end. */
const MOST_CLOCKS = 1000;

/** Dear to make, and each host is asked at each look: made once for each zone. */
function clockOf(timezone: string): Intl.DateTimeFormat {
  const known = clocks.get(timezone);
  if (known !== undefined) return known;
  if (clocks.size >= MOST_CLOCKS) clocks.clear();
  const made = makeClock(timezone);
  clocks.set(timezone, made);
  return made;
}

function makeClock(timeZone: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat('en-GB', {
      timeZone,
      hourCycle: 'h23',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch (error) {
    if (error instanceof RangeError && timeZone !== 'UTC') return makeClock('UTC');
    throw error;
  }
}

/** Values of one indicator by the version of the instance that has it. */
export interface VersionValues {
  readonly old: readonly number[];
  readonly fresh: readonly number[];
}

/** Compares what both versions show: what is higher in the new one than it may be, is worse. */
export function compareVersions(
  limits: readonly IndicatorLimit[],
  valuesOf: (indicator: string) => VersionValues,
): readonly IndicatorComparison[] {
  return limits.map((limit) => {
    const { old, fresh } = valuesOf(limit.indicator);
    const [before, now] = [meanOf(old), meanOf(fresh)];
    const most = before === undefined ? limit.floor : Math.max(limit.floor, before * (1 + limit.tolerance));
    return {
      ...limit,
      ...(before === undefined ? {} : { old: before }),
      ...(now === undefined ? {} : { fresh: now }),
      isWorse: now !== undefined && now > most,
    };
  });
}

/** Without a figure of both versions nothing is known. */
export function isUndecided({ old, fresh }: IndicatorComparison): boolean {
  return old === undefined || fresh === undefined;
}

export function describeComparison({ indicator, old, fresh }: IndicatorComparison): string {
  const text = (value: number | undefined): string =>
    value === undefined ? 'no figure' : String(Number(value.toPrecision(4)));
  return `${indicator}: ${text(old)} in the old version, ${text(fresh)} in the new one`;
}

function meanOf(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
}
