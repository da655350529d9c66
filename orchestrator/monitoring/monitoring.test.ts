import { Readable } from 'node:stream';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../../test/kit/fake-clock.ts';
import {
  DEFAULT_TENANT,
  IotmanoError,
  SYSTEM_TENANT,
  type HostId,
  type TenantId,
} from '../../kernel/index.ts';
import type { ApiRequest, Route } from '../api/route.ts';
import { assignmentId, vnfcInstanceId, type Caller } from '../domain/index.ts';
import { createMemoryStore, type MemoryStore } from '../store/index.ts';
import {
  createFunctionAlarms,
  createMonitoring,
  monitoringRoutes,
  type AlarmBatch,
  type MeasurementBatch,
  type Monitoring,
} from './index.ts';
import { assign, functionWith, host, HOST, key, VNF } from './testkit/records.ts';

type Point = MeasurementBatch['points'][number];
type Alarm = AlarmBatch['alarms'][number];

const START = Date.UTC(2030, 0, 1);
const OTHER_TENANT = 'other' as TenantId;

function setUp(): { store: MemoryStore; monitoring: Monitoring; clock: ReturnType<typeof createFakeClock> } {
  const store = createMemoryStore();
  const clock = createFakeClock(START);
  store.commit([host([]), assign(), ...functionWith([{ name: 'queue_depth' }])]);
  return { store, clock, monitoring: createMonitoring({ store, clock }) };
}

function message(sequence: number, bootId = 'boot-1') {
  return { bootId, sequence };
}

function point(secondsAfterStart: number, value: number, rest: Partial<Point> = {}): Point {
  const timestamp = new Date(START + secondsAfterStart * 1000).toISOString();
  return { metric: 'queue_depth', unit: '1', timestamp, value, subject: { ...key(), slot: 0 }, ...rest };
}

function alarm(severity: Alarm['severity'], rest: Partial<Alarm> = {}): Alarm {
  return { name: 'disk-full', severity, text: 'no room', changedAt: new Date(START).toISOString(), ...rest };
}

function caller(tenant: TenantId = DEFAULT_TENANT, role: Caller['role'] = 'viewer'): Caller {
  return { tenant, role, name: 'tester' };
}

async function get(route: Route | undefined, params: Record<string, string>, query: string, by: Caller) {
  const request: ApiRequest = {
    method: 'GET',
    path: route?.path ?? '',
    params,
    query: new URLSearchParams(query),
    headers: {},
    body: undefined,
    stream: Readable.from([]),
    caller: by,
    signal: new AbortController().signal,
    origin: 'http://localhost',
    requestId: 'r',
    isStillCaller: () => true,
    idempotencyWrites: () => [],
  };
  const answer = await route?.handle(request);
  return answer?.body as Record<string, unknown>[] & Record<string, unknown>;
}

function routesOf({ monitoring, store }: { monitoring: Monitoring; store: MemoryStore }) {
  const routes = monitoringRoutes(monitoring, store);
  const ending = (end: string) => routes.find(({ path }) => path.endsWith(end));
  return {
    measurements: ending('/measurements'),
    indicators: ending('/indicators'),
    alarms: ending('/alarms'),
    alarm: ending('/{alarmId}'),
  };
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return error instanceof IotmanoError ? error.code : 'none';
}

describe('measurements', () => {
  // MCO-M-005
  it('are taken once, however often a batch is sent', async () => {
    const parts = setUp();
    const batch = { points: [point(0, 1), point(10, 2)] };
    expect(parts.monitoring.ingestMeasurements(HOST, message(1), batch)).toEqual({
      nextSequence: 2,
      ignored: 0,
    });
    expect(parts.monitoring.ingestMeasurements(HOST, message(1), { points: [point(20, 3)] })).toEqual({
      nextSequence: 2,
      ignored: 0,
    });
    expect(parts.monitoring.ingestMeasurements(HOST, message(1, 'boot-2'), batch).nextSequence).toBe(2);
    const [series] = await get(routesOf(parts).measurements, {}, '', caller());
    expect(series).toMatchObject({
      metric: 'queue_depth',
      hostId: HOST,
      vnfInstanceId: VNF,
      vduId: 'processor',
      vnfcInstanceId: vnfcInstanceId(HOST, key(), 0),
      points: [{ value: 1 }, { value: 2 }],
    });
    expect(parts.monitoring.statistics()).toMatchObject({ series: 1, points: 2 });
  });

  // MCO-M-006
  it('may leave gaps in the sequence, since an agent drops the oldest when its queue is full', () => {
    const { monitoring } = setUp();
    monitoring.ingestMeasurements(HOST, message(1), { points: [point(0, 1)] });
    expect(monitoring.ingestMeasurements(HOST, message(5), { points: [point(10, 1)], dropped: 30 })).toEqual({
      nextSequence: 6,
      ignored: 0,
    });
    expect(monitoring.statistics().droppedByAgents).toBe(30);
  });

  // MCO-M-007
  it('of what is neither assigned to the host nor seen there, or of a foreign tenant, are ignored', () => {
    const { monitoring } = setUp();
    const points = [
      point(0, 1),
      point(0, 1, { subject: { ...key({ unit: 'foreign' }), slot: 0 } }),
      point(0, 1, { subject: { ...key(), tenant: OTHER_TENANT, slot: 0 } }),
    ];
    expect(monitoring.ingestMeasurements(HOST, message(1), { points }).ignored).toBe(2);
    expect(monitoring.ingestMeasurements('gw-2' as HostId, message(1), { points }).ignored).toBe(3);
  });

  it('of a host that says how its clock is off have the right time, the same however often they are told', async () => {
    const parts = setUp();
    const { monitoring } = parts;
    const tell = (sequence: number, clockOffsetMilliseconds: number, points: ReturnType<typeof point>[]) =>
      monitoring.ingestMeasurements(HOST, { ...message(sequence), clockOffsetMilliseconds }, { points });
    tell(1, -3_600_000, [point(-3600, 1), point(-3590, 2)]);
    // Over a slower way, and with one point more than before.
    tell(2, -3_600_900, [point(-3600, 1), point(-3590, 2), point(-3580, 3)]);
    tell(3, 20, [point(30, 4)]);
    const [series] = await get(routesOf(parts).measurements, {}, '', caller());
    expect(series?.['points']).toMatchObject([
      { timestamp: '2030-01-01T00:00:00.000Z', value: 1 },
      { timestamp: '2030-01-01T00:00:10.000Z', value: 2 },
      { timestamp: '2030-01-01T00:00:20.000Z', value: 3 },
      { timestamp: '2030-01-01T00:00:30.000Z', value: 4 },
    ]);
  });

  // MCO-M-008
  it('of a host whose clock is ahead do not lie in the future', async () => {
    const parts = setUp();
    parts.monitoring.ingestMeasurements(HOST, message(1), { points: [point(86_390, 1), point(86_400, 2)] });
    parts.monitoring.ingestMeasurements(HOST, message(2), { points: [point(10, 3)] });
    const [series] = await get(routesOf(parts).measurements, {}, '', caller());
    expect(series?.['points']).toMatchObject([
      { timestamp: '2029-12-31T23:59:50.000Z', value: 1 },
      { timestamp: '2030-01-01T00:00:00.000Z', value: 2 },
      { timestamp: '2030-01-01T00:00:10.000Z', value: 3 },
    ]);
  });

  it('are found by metric, host, function, instance and time', async () => {
    const parts = setUp();
    const { measurements } = routesOf(parts);
    const ofHost = { metric: 'host_cpu_used_ratio', subject: undefined };
    const { subject: _, ...hostPoint } = { ...point(0, 0.5), ...ofHost };
    const points = [hostPoint, point(0, 1), point(10, 2), point(10, 9, { subject: { ...key(), slot: 1 } })];
    parts.monitoring.ingestMeasurements(HOST, message(1), { points });
    const valuesOf = async (query: string) =>
      (await get(measurements, {}, query, caller())).map((series) =>
        (series['points'] as { value: number }[]).map(({ value }) => value),
      );
    expect(await valuesOf('metric=host_cpu_used_ratio')).toEqual([[0.5]]);
    expect(await valuesOf(`hostId=${HOST}`)).toHaveLength(3);
    expect(await valuesOf('hostId=another')).toEqual([]);
    expect(await valuesOf(`vnfInstanceId=${VNF}`)).toHaveLength(2);
    expect(await valuesOf(`vnfcInstanceId=${vnfcInstanceId(HOST, key(), 0)}`)).toEqual([[1, 2]]);
    expect(await valuesOf(`vnfcInstanceId=${vnfcInstanceId(HOST, key(), 0)}&latest=true`)).toEqual([[2]]);
    expect(await valuesOf(`vnfInstanceId=${VNF}&to=2030-01-01T00:00:05Z`)).toEqual([[1]]);
    for (const query of ['from=yesterday', 'to=1', 'latest=maybe', 'hostId=../x']) {
      expect(await codeOf(valuesOf(query))).toBe('invalid-parameter');
    }
  });

  it('are seen by the tenant of the function only, and those of a host by the tenants that it serves', async () => {
    const parts = setUp();
    const { measurements, indicators } = routesOf(parts);
    const { subject: _, ...hostPoint } = point(0, 0.5, { metric: 'host_cpu_used_ratio' });
    parts.monitoring.ingestMeasurements(HOST, message(1), { points: [hostPoint, point(0, 1)] });
    const metrics = async (by: Caller) => (await get(measurements, {}, '', by)).map(({ metric }) => metric);
    expect(await metrics(caller())).toEqual(['host_cpu_used_ratio', 'queue_depth']);
    expect(await metrics(caller(OTHER_TENANT))).toEqual(['host_cpu_used_ratio']);
    parts.store.commit([host([DEFAULT_TENANT])]);
    expect(await metrics(caller(OTHER_TENANT))).toEqual([]);
    const params = { vnfInstanceId: VNF };
    expect(await get(indicators, params, '', caller())).toMatchObject([
      { name: 'queue_depth', value: 1, vduId: 'processor' },
    ]);
    expect(await codeOf(get(indicators, params, '', caller(OTHER_TENANT)))).toBe('not-found');
    expect(await codeOf(get(indicators, { vnfInstanceId: 'absent' }, '', caller()))).toBe('not-found');
  });
});

describe('collection jobs of a host', () => {
  // MCO-M-002
  it('are the host, the usage of each workload, and the declared indicators of those with metrics', () => {
    const { store, monitoring } = setUp();
    store.commit(functionWith([{ name: 'queue_depth' }, { name: 'request_seconds', quantile: 0.99 }]));
    store.commit([assign(key(), 'gw-10' as HostId)]);
    expect(monitoring.collectionJobsFor(HOST)).toEqual([
      { jobId: 'host', source: 'host', everySeconds: 10 },
      { jobId: 'usage.vnf-1-processor-g1', source: 'usage', workload: key(), everySeconds: 10 },
      {
        jobId: 'scrape.vnf-1-processor-g1',
        source: 'scrape',
        workload: key(),
        metrics: ['queue_depth', 'request_seconds_bucket', 'request_seconds_sum', 'request_seconds_count'],
        everySeconds: 10,
      },
    ]);
    expect(monitoring.collectionJobsFor('empty' as HostId)).toHaveLength(1);
  });
});

describe('alarms', () => {
  function standing(store: MemoryStore) {
    return [...store.list('alarm')].filter(({ document }) => document.clearedAt === undefined);
  }

  // MCO-M-010
  it('are raised once and cleared once, whatever is repeated', () => {
    const { store, monitoring } = setUp();
    const before = store.acceptedRevision;
    expect(monitoring.ingestAlarms(HOST, message(1), { alarms: [alarm('MAJOR')] })).toEqual({
      nextSequence: 2,
      ignored: 0,
    });
    monitoring.ingestAlarms(HOST, message(1), { alarms: [alarm('CLEARED')] });
    monitoring.ingestAlarms(HOST, message(2), { alarms: [alarm('MAJOR')] });
    expect(store.acceptedRevision).toBe(before + 1);
    expect(standing(store)).toMatchObject([
      { tenant: SYSTEM_TENANT, document: { name: 'disk-full', severity: 'MAJOR', source: { hostId: HOST } } },
    ]);
    const later = new Date(START + 5000).toISOString();
    monitoring.ingestAlarms(HOST, message(3), { alarms: [alarm('CLEARED', { changedAt: later })] });
    monitoring.ingestAlarms(HOST, message(4), { alarms: [alarm('CLEARED')] });
    expect(store.acceptedRevision).toBe(before + 2);
    expect([...store.list('alarm')]).toMatchObject([{ document: { severity: 'CLEARED', clearedAt: later } }]);
  });

  it('come to the same whether a batch comes once or several times', () => {
    const arbitraryAlarm = fc.record({
      name: fc.constantFrom('disk-full', 'crash-loop'),
      severity: fc.constantFrom<Alarm['severity'][]>('MAJOR', 'MINOR', 'CLEARED'),
      isOfFunction: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(arbitraryAlarm, { maxLength: 20 }), (list) => {
        const alarms = list.map(({ name, severity, isOfFunction }) =>
          alarm(severity, { name, ...(isOfFunction ? { subject: { ...key(), slot: 0 } } : {}) }),
        );
        const once = setUp();
        once.monitoring.ingestAlarms(HOST, message(1), { alarms });
        const often = setUp();
        for (const boot of ['a', 'b']) often.monitoring.ingestAlarms(HOST, message(1, boot), { alarms });
        const visible = ({ store }: { store: MemoryStore }) =>
          standing(store).map(({ id, tenant, document }) => ({ id, tenant, severity: document.severity }));
        expect(visible(often)).toEqual(visible(once));
      }),
      { numRuns: 50 },
    );
  });

  it('of functions belong to their tenant, and are cleared when the function leaves the host', async () => {
    const { store, monitoring } = setUp();
    const subject = { ...key(), slot: 0 };
    const foreign = { ...key({ unit: 'foreign' }), slot: 0 };
    const taken = monitoring.ingestAlarms(HOST, message(1), {
      alarms: [alarm('MINOR', { subject }), alarm('MINOR', { subject: foreign }), alarm('MAJOR')],
    });
    expect(taken.ignored).toBe(1);
    expect(
      standing(store)
        .map(({ tenant }) => tenant)
        .toSorted(),
    ).toEqual([DEFAULT_TENANT, SYSTEM_TENANT]);
    const id = assignmentId(HOST, key());
    const revision = store.get('assignment', id)?.revision ?? 0;
    store.commit([{ op: 'delete', kind: 'assignment', id, expectedRevision: revision }]);
    await store.whenDurable();
    expect(standing(store).map(({ tenant }) => tenant)).toEqual([SYSTEM_TENANT]);
    monitoring.close();
  });

  it('that the orchestrator itself has raised stay until it clears them', async () => {
    const { store, monitoring, clock } = setUp();
    const own = createFunctionAlarms(store, clock);
    own.raise({ vnfInstanceId: VNF, hostId: HOST, name: 'restarts', text: 'too many' });
    own.raise({ vnfInstanceId: VNF, hostId: HOST, name: 'restarts', text: 'too many' });
    const id = assignmentId(HOST, key());
    const revision = store.get('assignment', id)?.revision ?? 0;
    store.commit([{ op: 'delete', kind: 'assignment', id, expectedRevision: revision }]);
    await store.whenDurable();
    expect(standing(store)).toMatchObject([{ tenant: DEFAULT_TENANT, document: { name: 'restarts' } }]);
    own.clear(VNF, ['another']);
    expect(standing(store)).toHaveLength(1);
    own.clear(VNF, ['another', 'restarts']);
    expect(standing(store)).toEqual([]);
    monitoring.close();
  });

  // MCO-M-012
  it('of one host are bounded: the oldest cleared ones make room, and then further ones are ignored', () => {
    const { store, monitoring } = setUp();
    const named = (from: number, count: number, severity: Alarm['severity']) =>
      Array.from({ length: count }, (_, at) => alarm(severity, { name: `condition-${from + at}` }));
    monitoring.ingestAlarms(HOST, message(1), { alarms: named(0, 300, 'MINOR') });
    monitoring.ingestAlarms(HOST, message(2), { alarms: named(0, 300, 'CLEARED') });
    expect(monitoring.ingestAlarms(HOST, message(3), { alarms: named(1000, 450, 'MINOR') }).ignored).toBe(0);
    expect(store.count('alarm')).toBe(500);
    expect(monitoring.ingestAlarms(HOST, message(4), { alarms: named(2000, 100, 'MINOR') }).ignored).toBe(50);
    expect(store.count('alarm')).toBe(500);
    expect(standing(store)).toHaveLength(500);
  });

  it('are listed and shown to those who may see their source', async () => {
    const parts = setUp();
    const { store, monitoring } = parts;
    monitoring.ingestAlarms(HOST, message(1), {
      alarms: [alarm('MAJOR'), alarm('MINOR', { name: 'crash-loop', subject: { ...key(), slot: 0 } })],
    });
    const { alarms, alarm: one } = routesOf(parts);
    const names = async (by: Caller) =>
      (await get(alarms, {}, '', by)).map(({ name }) => String(name)).toSorted();
    expect(await names(caller())).toEqual(['crash-loop', 'disk-full']);
    expect(await names(caller(OTHER_TENANT))).toEqual(['disk-full']);
    store.commit([host([DEFAULT_TENANT])]);
    expect(await names(caller(OTHER_TENANT))).toEqual([]);
    const id = standing(store).find(({ tenant }) => tenant === DEFAULT_TENANT)?.id ?? '';
    expect(await get(one, { alarmId: id }, '', caller())).toMatchObject({
      id,
      name: 'crash-loop',
      perceivedSeverity: 'MINOR',
      source: { hostId: HOST, vnfInstanceId: VNF, vnfcInstanceId: vnfcInstanceId(HOST, key(), 0) },
    });
    expect(await codeOf(get(one, { alarmId: id }, '', caller(OTHER_TENANT)))).toBe('not-found');
    const filtered = await get(alarms, {}, 'filter=(eq,perceivedSeverity,MAJOR)', caller());
    expect(filtered.map(({ name }) => name)).toEqual(['disk-full']);
  });
});
