import type { HostId, VnfInstanceId } from '../../kernel/index.ts';
import { compareText } from '../domain/index.ts';
import { appendPoint, newSeries, type Point, type Series, type SeriesIdentity } from './series.ts';

export interface RecentStoreLimits {
  /** Of each series; the oldest make room for the newest. */
  readonly pointsPerSeries: number;
  /** Of each host: the one that was quiet the longest makes room. */
  readonly seriesPerHost: number;
  /** Of all hosts together: the one that was quiet the longest makes room. */
  readonly series: number;
}

/**
 * At 10 s a point, the last 20 minutes. Full, with all series at their longest, it takes 49 MiB (measured: 2.5 KiB a series with two short labels).
 */
export const DEFAULT_LIMITS: RecentStoreLimits = {
  pointsPerSeries: 120,
  seriesPerHost: 2000,
  series: 20_000,
};

/** Recent measurements, bounded in memory. They are not part of the durable state: after a restart they come in anew. */
export interface RecentStore {
  /** @returns false for a repetition */
  append(identity: SeriesIdentity, point: Point): boolean;
  /** All series that match, in no particular order. */
  select(selection: Selection): Iterable<Series>;
  readonly size: number;
  /** Series that had to make room for others so far. */
  readonly evicted: number;
}

export interface Selection {
  readonly metric?: string;
  readonly hostId?: HostId;
  readonly vnfInstanceId?: VnfInstanceId;
}

export function createRecentStore(limits: RecentStoreLimits = DEFAULT_LIMITS): RecentStore {
  // All maps in order of the last point: the first is the one that was quiet the longest.
  const all = new Map<string, Series>();
  const byHost = new Map<HostId, Map<string, Series>>();
  const byFunction = new Map<VnfInstanceId, Map<string, Series>>();
  let evicted = 0;

  function indexesOf({ hostId, subject }: SeriesIdentity): Map<string, Series>[] {
    const indexes = [all, ofKey(byHost, hostId)];
    if (subject !== undefined) indexes.push(ofKey(byFunction, subject.vnfInstanceId));
    return indexes;
  }

  function evictOldest(from: Map<string, Series>): void {
    const [oldest] = from;
    if (oldest === undefined) return;
    const [key, { identity }] = oldest;
    for (const index of indexesOf(identity)) index.delete(key);
    if (byHost.get(identity.hostId)?.size === 0) byHost.delete(identity.hostId);
    const { subject } = identity;
    if (subject !== undefined && byFunction.get(subject.vnfInstanceId)?.size === 0) {
      byFunction.delete(subject.vnfInstanceId);
    }
    evicted += 1;
  }

  function add(key: string, identity: SeriesIdentity): Series {
    const ofHost = byHost.get(identity.hostId);
    if (ofHost !== undefined && ofHost.size >= limits.seriesPerHost) evictOldest(ofHost);
    if (all.size >= limits.series) evictOldest(all);
    const series = newSeries(identity);
    for (const index of indexesOf(identity)) index.set(key, series);
    return series;
  }

  return {
    append: (identity, point) => {
      const key = keyOf(identity);
      const known = all.get(key);
      if (known === undefined) return appendPoint(add(key, identity), point, limits.pointsPerSeries);
      if (!appendPoint(known, point, limits.pointsPerSeries)) return false;
      all.delete(key);
      all.set(key, known);
      const ofHost = byHost.get(identity.hostId);
      ofHost?.delete(key);
      ofHost?.set(key, known);
      return true;
    },
    *select({ metric, hostId, vnfInstanceId }) {
      const candidates =
        vnfInstanceId !== undefined
          ? byFunction.get(vnfInstanceId)
          : hostId === undefined
            ? all
            : byHost.get(hostId);
      for (const series of candidates?.values() ?? []) {
        const { identity } = series;
        if (metric !== undefined && identity.metric !== metric) continue;
        if (hostId !== undefined && identity.hostId !== hostId) continue;
        yield series;
      }
    },
    get size() {
      return all.size;
    },
    get evicted() {
      return evicted;
    },
  };
}

function ofKey<Key>(index: Map<Key, Map<string, Series>>, key: Key): Map<string, Series> {
  let found = index.get(key);
  if (found === undefined) {
    found = new Map();
    index.set(key, found);
  }
  return found;
}

function keyOf({ hostId, subject, metric, labels }: SeriesIdentity): string {
  const of =
    subject === undefined
      ? ''
      : `${subject.vnfInstanceId} ${subject.unit} ${subject.generation} ${subject.slot ?? ''}`;
  return `${hostId}\0${of}\0${metric}${labelKey(labels)}`;
}

function labelKey(labels: Readonly<Record<string, string>>): string {
  const names = Object.keys(labels);
  if (names.length > 1) names.sort(compareText); // oxlint-disable-line unicorn/no-array-sort -- our own array, on the hottest path
  let key = '';
  for (const name of names) key += `\0${name}\0${labels[name] ?? ''}`;
  return key;
}
