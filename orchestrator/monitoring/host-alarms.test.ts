import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { DEFAULT_TENANT, type HostId } from '../../kernel/index.ts';
import type { AlarmDocument } from '../domain/index.ts';
import { createMemoryStore, type StateStore } from '../store/index.ts';
import { followHostAlarms } from './host-alarms.ts';

const HOSTS = ['gw-1', 'gw-2', 'gw-3'];

/** Alarm ids by number; each is of one host, and every fourth of none. */
const step = fc.record({ alarm: fc.nat({ max: 11 }), isGone: fc.boolean(), isLookedAt: fc.boolean() });

function take(store: StateStore, alarm: number, isGone: boolean): void {
  const id = `alarm-${alarm}`;
  const known = store.get('alarm', id);
  const hostId = HOSTS[alarm % 4] as HostId | undefined;
  const document = { source: hostId === undefined ? {} : { hostId }, name: 'probe-failing' } as AlarmDocument;
  if (!isGone) store.commit([{ op: 'put', kind: 'alarm', id, tenant: DEFAULT_TENANT, document }]);
  else if (known !== undefined)
    store.commit([{ op: 'delete', kind: 'alarm', id, expectedRevision: known.revision }]);
}

it('finds the alarms of each host that a walk over all of them finds, whenever it is looked at', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const store = createMemoryStore();
      const alarmsOf = followHostAlarms(store);
      for (const { alarm, isGone, isLookedAt } of [...steps, { alarm: 0, isGone: false, isLookedAt: true }]) {
        take(store, alarm, isGone);
        if (!isLookedAt) continue;
        for (const hostId of HOSTS) {
          const walked = [...store.list('alarm')].filter(({ document }) => document.source.hostId === hostId);
          expect(new Set(alarmsOf(hostId as HostId))).toEqual(new Set(walked));
        }
      }
    }),
    { numRuns: 200 },
  );
});
