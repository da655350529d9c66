import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { fetchMetrics, metricsRequest } from './metrics.ts';

const PROXY = '/api/v1/namespaces/iotmano-acme/pods/broker:9090/proxy';

describe('the question for metrics', () => {
  it.each([
    ['/metrics', '/metrics', {}],
    ['metrics', '/metrics', {}],
    ['/a b/ü?name=x&y=1?2', '/a%20b/%C3%BC', { name: 'x', y: '1?2' }],
    ['/../../../../secrets', '/secrets', {}],
    ['/a/../../../other:9090/proxy/metrics', '/other%3A9090/proxy/metrics', {}],
    ['/%2e%2e/%2E%2E/x', '/%252e%252e/%252E%252E/x', {}],
    ['\\..\\..\\x', '/%5C..%5C..%5Cx', {}],
    ['/x#y', '/x%23y', {}],
  ])('never leaves the instance: %s', (path, inside, query) => {
    expect(metricsRequest(PROXY, path)).toEqual({ path: PROXY + inside, query });
    expect(new URL(`https://192.0.2.1${PROXY}${inside}`).pathname).toBe(PROXY + inside);
  });
});

describe('metrics by way of the API server', () => {
  const { signal } = new AbortController();
  const answering = (chunks: Iterable<Buffer>) => ({
    open: async () => Readable.from(chunks) as unknown as IncomingMessage,
  });

  it('are the whole body', async () => {
    const transport = answering([Buffer.from('up '), Buffer.from('1\n')]);
    expect(await fetchMetrics(transport, PROXY, '/metrics', signal)).toBe('up 1\n');
  });

  it('are none where an instance answers without end', async () => {
    let told = 0;
    function* endless() {
      for (;;) {
        told += 1;
        yield Buffer.alloc(64 * 1024);
      }
    }
    expect(await fetchMetrics(answering(endless()), PROXY, '/metrics', signal)).toBeUndefined();
    expect(told).toBeLessThan(100);
  });
});
