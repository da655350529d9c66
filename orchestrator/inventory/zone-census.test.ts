import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { createFakeClock } from '../../test/kit/fake-clock.ts';
import { createSimulatedHost } from '../../test/kit/simulated-host.ts';
import { createMemoryStore, type StateStore } from '../store/index.ts';
import { countMember, zoneOf, type ZoneCount } from './brake.ts';
import { createZoneCensus } from './zone-census.ts';

function countAll(store: StateStore): ReadonlyMap<string, ZoneCount> {
  const zones = new Map<string, ZoneCount>();
  for (const { id, document } of store.list('host'))
    countMember(zones, { zone: zoneOf(store.get('host-facts', id)?.document), state: document.state }, 1);
  return zones;
}

const change = fc.record({
  hostId: fc.constantFrom('a', 'b', 'c', 'd'),
  state: fc.constantFrom('READY', 'SUSPECT', 'LOST', 'DRAINING', 'ENROLLED', undefined),
  zone: fc.constantFrom('x', 'y'),
  isLookedAt: fc.boolean(),
});

it('counts the hosts of each zone as they are, whatever became of them since the last look', () => {
  const clock = createFakeClock();
  fc.assert(
    fc.property(fc.array(change, { maxLength: 20 }), (changes) => {
      const store = createMemoryStore();
      const census = createZoneCensus(store);
      const looks: (readonly [ReadonlyMap<string, ZoneCount>, ReadonlyMap<string, ZoneCount>])[] = [];
      for (const { hostId, state, zone, isLookedAt } of changes) {
        const known = store.get('host', hostId);
        if (state !== undefined)
          createSimulatedHost({ hostId, clock, host: { state }, facts: { labels: { zone } } }).enrol(store);
        else if (known !== undefined)
          store.commit([{ op: 'delete', kind: 'host', id: hostId, expectedRevision: known.revision }]);
        if (isLookedAt) looks.push([new Map(census()), countAll(store)]);
      }
      looks.push([census(), countAll(store)]);
      expect(looks.map(([found]) => found)).toEqual(looks.map(([, counted]) => counted));
    }),
    { numRuns: 300 },
  );
});
