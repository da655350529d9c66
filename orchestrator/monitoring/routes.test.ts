import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toTimestamp } from '../../kernel/index.ts';
import { createFakeClock } from '../../test/kit/fake-clock.ts';
import { startTestApi, type TestApi } from '../../test/kit/api-server.ts';
import { createMemoryStore } from '../store/index.ts';
import { createMonitoring, monitoringRoutes } from './index.ts';
import { assign, functionWith, host, HOST, key, VNF } from './testkit/records.ts';

let api: TestApi;

beforeAll(async () => {
  const store = createMemoryStore();
  const clock = createFakeClock();
  const monitoring = createMonitoring({ store, clock });
  store.commit([host([]), assign(), ...functionWith([{ name: 'queue_depth' }])]);
  const subject = { ...key(), slot: 0 };
  const timestamp = toTimestamp(clock.now());
  monitoring.ingestMeasurements(
    HOST,
    { bootId: 'boot', sequence: 1 },
    {
      points: [
        { metric: 'queue_depth', unit: '1', timestamp, value: 4, subject, labels: { queue: 'a' } },
        { metric: 'host_cpu_used_ratio', unit: '1', timestamp, value: 0.25 },
      ],
    },
  );
  const alarms = [
    { name: 'crash-loop', severity: 'MAJOR', text: 'again', changedAt: timestamp, subject } as const,
  ];
  monitoring.ingestAlarms(HOST, { bootId: 'boot', sequence: 1 }, { alarms });
  api = await startTestApi({ store, clock, routes: () => monitoringRoutes(monitoring, store) });
});
afterAll(() => api.close());

describe('the read side of monitoring, over the whole pipeline', () => {
  it('answers as its OpenAPI document says', async () => {
    const viewer = api.clientFor('viewer');
    const measurements = await viewer.get('/iotmano/v1/measurements', { query: { latest: 'true' } });
    expect(measurements.body).toHaveLength(2);
    const query = { from: '2029-12-31T00:00:00Z', to: '2030-01-02T00:00:00Z', vnfInstanceId: VNF };
    const narrowed = await viewer.get('/iotmano/v1/measurements', { query });
    expect(narrowed.body).toMatchObject([
      { metric: 'queue_depth', labels: { queue: 'a' }, points: [{ value: 4 }] },
    ]);
    const indicators = await viewer.get(`/iotmano/v1/vnf_instances/${VNF}/indicators`);
    expect(indicators.body).toMatchObject([{ name: 'queue_depth', value: 4 }]);
    const alarms = await viewer.get<{ id: string }[]>('/iotmano/v1/alarms');
    expect(alarms.body).toMatchObject([{ name: 'crash-loop', perceivedSeverity: 'MAJOR' }]);
    const alarm = await viewer.get(`/iotmano/v1/alarms/${alarms.body[0]?.id ?? ''}`);
    expect(alarm.body).toEqual(alarms.body[0]);
  });

  it('shows nothing of a function to another tenant, and nothing to nobody', async () => {
    const foreign = api.clientFor('admin', 'other');
    const measurements = await foreign.get('/iotmano/v1/measurements');
    expect(measurements.body).toMatchObject([{ metric: 'host_cpu_used_ratio' }]);
    expect((await foreign.get('/iotmano/v1/alarms')).body).toEqual([]);
    expect((await foreign.get(`/iotmano/v1/vnf_instances/${VNF}/indicators`)).status).toBe(404);
    expect((await foreign.get('/iotmano/v1/alarms', { token: null })).status).toBe(401);
  });

  it('answers bad questions with what is wrong with them', async () => {
    const viewer = api.clientFor('viewer');
    for (const question of [
      'measurements?from=yesterday',
      'measurements?to=2030-13-45T00:00:00Z',
      'measurements?latest=perhaps',
      'measurements?hostId=..%2F..%2Fetc',
      'measurements?vnfcInstanceId=%00',
      'alarms?filter=(what',
      'alarms?nextpage_opaque_marker=forged',
      'alarms/UPPER',
      'vnf_instances/%E2%98%83/indicators',
    ]) {
      const { status, body } = await viewer.get<{ detail: string }>(`/iotmano/v1/${question}`, {
        isInvalid: true,
      });
      expect([question, status]).toEqual([question, 400]);
      expect(body.detail.length).toBeGreaterThan(10);
    }
    expect((await viewer.get('/iotmano/v1/alarms/absent')).status).toBe(404);
  });
});
