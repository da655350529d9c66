import {
  IotmanoError,
  parseId,
  toTimestamp,
  type HostId,
  type TenantId,
  type VnfInstanceId,
} from '../../kernel/index.ts';
import { compareText, vnfcInstanceId } from '../domain/index.ts';
import type { StateView } from '../store/index.ts';
import type { RecentStore, Selection } from './recent-store.ts';
import { newestPoint, pointsBetween, type Series } from './series.ts';
import { maySeeSeries } from './visibility.ts';

/** Series in one answer; who asks for more has to narrow the question. */
const MAX_SERIES = 1000;

export interface MeasurementQuery extends Selection {
  readonly vnfcInstanceId?: string;
  /** Milliseconds since the Unix epoch, both included. */
  readonly from: number;
  readonly to: number;
  /** Only the newest point of each series. */
  readonly isLatestOnly: boolean;
}

/** @throws IotmanoError `invalid-parameter` */
export function parseMeasurementQuery(query: URLSearchParams): MeasurementQuery {
  const metric = query.get('metric');
  const hostId = query.get('hostId');
  const vnfInstanceId = query.get('vnfInstanceId');
  const vnfc = query.get('vnfcInstanceId');
  return {
    from: parseTime(query.get('from'), 'from', -Infinity),
    to: parseTime(query.get('to'), 'to', Infinity),
    isLatestOnly: parseFlag(query.get('latest'), 'latest'),
    ...(metric === null ? {} : { metric }),
    ...(hostId === null ? {} : { hostId: parseId<HostId>(hostId, 'hostId') }),
    ...(vnfInstanceId === null
      ? {}
      : { vnfInstanceId: parseId<VnfInstanceId>(vnfInstanceId, 'vnfInstanceId') }),
    ...(vnfc === null ? {} : { vnfcInstanceId: vnfc }),
  };
}

function parseTime(text: string | null, parameter: string, absent: number): number {
  if (text === null) return absent;
  const time = /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(time)) return time;
  throw new IotmanoError(
    'invalid-parameter',
    `query parameter ${parameter} must be a time such as 2030-01-01T00:00:00Z; got ${JSON.stringify(text.slice(0, 60))}`,
    { parameter },
  );
}

function parseFlag(text: string | null, parameter: string): boolean {
  if (text === null || text === 'false') return false;
  if (text === 'true') return true;
  throw new IotmanoError('invalid-parameter', `query parameter ${parameter} must be true or false`, {
    parameter,
  });
}

/**
 * What the tenant may see of what matches, in order of metric and host.
 * @throws IotmanoError `invalid-parameter` when there are too many series for one answer
 */
export function queryMeasurements(
  recent: RecentStore,
  state: StateView,
  tenant: TenantId,
  query: MeasurementQuery,
) {
  const found: ReturnType<typeof present>[] = [];
  for (const series of recent.select(query)) {
    if (!maySeeSeries(state, tenant, series.identity)) continue;
    if (query.vnfcInstanceId !== undefined && vnfcOf(series) !== query.vnfcInstanceId) continue;
    const presented = present(series, query);
    if (presented.points.length === 0) continue;
    if (found.length === MAX_SERIES) throw tooMany();
    found.push(presented);
  }
  return found.toSorted(
    (a, b) =>
      compareText(a.metric, b.metric) ||
      compareText(a.hostId, b.hostId) ||
      compareText(a.vnfcInstanceId ?? '', b.vnfcInstanceId ?? ''),
  );
}

function tooMany(): IotmanoError {
  return new IotmanoError(
    'invalid-parameter',
    `more than ${MAX_SERIES} series match; narrow it by metric, hostId, vnfInstanceId or vnfcInstanceId`,
    { parameter: 'metric' },
  );
}

function present(series: Series, { from, to, isLatestOnly }: MeasurementQuery) {
  const { hostId, subject, metric, labels, unit, kind } = series.identity;
  const vnfc = vnfcOf(series);
  const points = isLatestOnly ? latest(series, from, to) : pointsBetween(series, from, to);
  return {
    metric,
    unit,
    kind,
    hostId,
    ...(subject === undefined ? {} : { vnfInstanceId: subject.vnfInstanceId, vduId: subject.unit }),
    ...(vnfc === undefined ? {} : { vnfcInstanceId: vnfc }),
    labels,
    points: points.map(({ at, value }) => ({ timestamp: toTimestamp(at), value })),
  };
}

function latest(series: Series, from: number, to: number) {
  const newest = newestPoint(series);
  if (newest !== undefined && newest.at >= from && newest.at <= to) return [newest];
  return pointsBetween(series, from, to).slice(-1);
}

function vnfcOf({ identity: { hostId, subject } }: Series): string | undefined {
  return subject?.slot === undefined ? undefined : vnfcInstanceId(hostId, subject, subject.slot);
}
