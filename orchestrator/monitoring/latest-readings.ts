import type { VnfcInstanceId } from '../../kernel/index.ts';
import { vnfcInstanceId } from '../domain/index.ts';
import { computeIndicators, type DeclaredIndicator } from './indicators.ts';
import { newestPoint, type Series } from './series.ts';

export interface LatestQuery {
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  /** Copies that count: what others have told, who may be gone, does not. */
  readonly copies: ReadonlySet<VnfcInstanceId>;
  /** What is told longer ago than that is not told. */
  readonly staleAfterSeconds: number;
  /** Over which an indicator is averaged, beside its newest value. */
  readonly windowSeconds: number;
  /** How often the metrics of a unit are read: within a few of these readings a copy has to have told something. */
  readonly everySecondsOf: (unit: string) => number;
}

/** What an indicator of one unit is, for whoever acts on it. */
export interface LatestReading {
  readonly unit: string;
  readonly name: string;
  /** The larger of what it is now and what it was over the window: a sudden load counts at once, a short lull does not. */
  readonly value: number;
  /** How many of the copies have told it lately. */
  readonly instances: number;
}

/** A reading may be late by so many periods. */
const LATE_PERIODS = 2.5;

/** @param series of one function */
export function readLatest(
  declared: readonly DeclaredIndicator[],
  series: readonly Series[],
  query: LatestQuery,
): readonly LatestReading[] {
  const own = series.filter(({ identity: { hostId, subject } }) => {
    if (subject?.slot === undefined) return false;
    return query.copies.has(vnfcInstanceId(hostId, subject, subject.slot));
  });
  return declared.flatMap((indicator) => {
    const metric = indicator.quantile === undefined ? indicator.name : `${indicator.name}_bucket`;
    const ofIndicator = own.filter(
      ({ identity }) => identity.metric === metric && identity.subject?.unit === indicator.unit,
    );
    return readOne(indicator, ofIndicator, query) ?? [];
  });
}

function readOne(
  indicator: DeclaredIndicator,
  series: readonly Series[],
  { now, staleAfterSeconds, windowSeconds, everySecondsOf }: LatestQuery,
): LatestReading | undefined {
  const newest = Math.max(...series.map((one) => newestPoint(one)?.at ?? -Infinity));
  if (!(newest >= now - staleAfterSeconds * 1000)) return undefined;
  const recently = Math.min(staleAfterSeconds, everySecondsOf(indicator.unit) * LATE_PERIODS) * 1000;
  const tellers = new Set(
    series.filter((one) => hasTold(one, newest - recently)).map(({ identity }) => subjectOf(identity)),
  );
  if (tellers.size === 0) return undefined;
  const [here] = computeIndicators([indicator], series, newest, recently);
  const over = Math.max(windowSeconds * 1000, recently);
  const [before] = computeIndicators([indicator], series, newest, over, 'mean');
  // A quantile of nothing: told, and nothing was asked of it.
  const value = Math.max(here?.value ?? 0, before?.value ?? 0);
  return { unit: indicator.unit, name: indicator.name, value, instances: tellers.size };
}

/** What counts up says something from its second point on. */
function hasTold(series: Series, from: number): boolean {
  const isFresh = (newestPoint(series)?.at ?? -Infinity) >= from;
  return isFresh && (series.identity.kind === 'gauge' || series.length > 1);
}

function subjectOf({ hostId, subject }: Series['identity']): string {
  return `${hostId} ${subject?.generation ?? ''} ${subject?.slot ?? ''}`;
}
