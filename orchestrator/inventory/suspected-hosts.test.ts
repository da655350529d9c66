import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../../test/kit/fake-clock.ts';
import { createSimulatedHost } from '../../test/kit/simulated-host.ts';
import type { HostState } from '../domain/index.ts';
import { createMemoryStore } from '../store/index.ts';
import { createSuspectedHosts } from './suspected-hosts.ts';

describe('suspected hosts', () => {
  it('are those without a lease, whatever became of them since the last look', () => {
    const store = createMemoryStore();
    const clock = createFakeClock();
    const put = (hostId: string, state: HostState) =>
      createSimulatedHost({ hostId, clock, host: { state } }).enrol(store);
    put('early', 'LOST');
    const suspected = createSuspectedHosts(store);
    expect([...suspected()]).toEqual(['early']);
    put('a', 'READY');
    put('b', 'SUSPECT');
    put('early', 'DRAINING');
    expect([...suspected()]).toEqual(['b']);
    put('a', 'SUSPECT');
    put('b', 'READY');
    expect([...suspected()]).toEqual(['a']);
    const { revision } = store.get('host', 'a') ?? { revision: -1 };
    store.commit([{ op: 'delete', kind: 'host', id: 'a', expectedRevision: revision }]);
    expect([...suspected()]).toEqual([]);
  });
});
