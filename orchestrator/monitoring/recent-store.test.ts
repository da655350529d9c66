import { describe, expect, it } from 'vitest';
import type { HostId } from '../../kernel/index.ts';
import { createRecentStore } from './recent-store.ts';
import type { SeriesIdentity } from './series.ts';
import { key, VNF } from './testkit/records.ts';

function of(metric: string, hostId = 'h1', rest: Partial<SeriesIdentity> = {}): SeriesIdentity {
  return { hostId: hostId as HostId, metric, labels: {}, unit: '1', kind: 'gauge', ...rest };
}

function metricsOf(store: ReturnType<typeof createRecentStore>, selection = {}): string[] {
  return [...store.select(selection)]
    .map(({ identity }) => `${identity.hostId} ${identity.metric}`)
    .toSorted();
}

describe('the recent store', () => {
  it('tells series apart by host, subject, metric and labels, whatever the order of the labels', () => {
    const store = createRecentStore();
    const subject = { ...key(), slot: 0 };
    store.append(of('m', 'h1', { labels: { a: '1', b: '2' } }), { at: 1, value: 1 });
    store.append(of('m', 'h1', { labels: { b: '2', a: '1' } }), { at: 2, value: 1 });
    store.append(of('m', 'h1', { labels: { a: '1', b: '3' } }), { at: 1, value: 1 });
    store.append(of('m', 'h1', { subject }), { at: 1, value: 1 });
    store.append(of('m', 'h1', { subject: { ...subject, slot: 1 } }), { at: 1, value: 1 });
    store.append(of('m', 'h2'), { at: 1, value: 1 });
    expect(store.size).toBe(5);
    expect([...store.select({ vnfInstanceId: VNF })]).toHaveLength(2);
    expect(metricsOf(store, { hostId: 'h2' as HostId, metric: 'm' })).toEqual(['h2 m']);
  });

  it('lets the series of a host that was quiet the longest make room on that host', () => {
    const store = createRecentStore({ pointsPerSeries: 8, seriesPerHost: 2, series: 10 });
    store.append(of('old'), { at: 1, value: 1 });
    store.append(of('other', 'h2'), { at: 1, value: 1 });
    store.append(of('busy'), { at: 1, value: 1 });
    store.append(of('old'), { at: 2, value: 1 });
    store.append(of('new'), { at: 3, value: 1 });
    expect(metricsOf(store)).toEqual(['h1 new', 'h1 old', 'h2 other']);
    expect(store.evicted).toBe(1);
  });

  it('never holds more series than its bound', () => {
    const store = createRecentStore({ pointsPerSeries: 8, seriesPerHost: 5, series: 12 });
    const subject = key();
    for (let at = 0; at < 500; at += 1) {
      store.append(of(`m${at % 37}`, `h${at % 11}`, at % 3 === 0 ? { subject } : {}), { at, value: at });
      expect(store.size).toBeLessThanOrEqual(12);
      expect(metricsOf(store)).toHaveLength(store.size);
    }
    expect([...store.select({ vnfInstanceId: VNF })].length).toBeLessThanOrEqual(store.size);
  });
});
