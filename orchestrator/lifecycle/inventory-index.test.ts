import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_TENANT, type HostId, type VnfInstanceId } from '../../kernel/index.ts';
import { buildFunction } from '../../test/kit/descriptor-builder.ts';
import { createLifecycleBench, type LifecycleBench } from '../../test/kit/lifecycle-bench.ts';
import { onboardFunction } from '../../test/kit/simulated-host.ts';
import { toWantedUnits } from '../domain/index.ts';
import { HostIndex } from '../placement/index.ts';
import type { WantedOverride } from './snapshot-inventory.ts';
import { snapshotInventory } from './testkit/snapshot-inventory.ts';

const HOSTS = ['h1', 'h2', 'h3'] as const;
const FUNCTIONS = ['a', 'b'] as const;

type Event =
  | { readonly type: 'drain'; readonly host: (typeof HOSTS)[number]; readonly draining: boolean }
  | { readonly type: 'relabel'; readonly host: (typeof HOSTS)[number]; readonly zone: string }
  | { readonly type: 'leave'; readonly host: (typeof HOSTS)[number] }
  | {
      readonly type: 'want';
      readonly name: (typeof FUNCTIONS)[number];
      readonly on: readonly (typeof HOSTS)[number][];
    };

const host = fc.constantFrom(...HOSTS);
const event: fc.Arbitrary<Event> = fc.oneof(
  fc.record({ type: fc.constant('drain' as const), host, draining: fc.boolean() }),
  fc.record({ type: fc.constant('relabel' as const), host, zone: fc.constantFrom('x', 'y') }),
  { weight: 1, arbitrary: fc.record({ type: fc.constant('leave' as const), host }) },
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant('want' as const),
      name: fc.constantFrom(...FUNCTIONS),
      on: fc.array(host, { maxLength: 4 }),
    }),
  },
);

function wantedOn(hosts: readonly string[]): WantedOverride['wanted'] {
  return toWantedUnits(
    hosts.map((hostId, slot) => ({ unit: 'main', generation: 1, hostId: hostId as HostId, slot, epoch: 1 })),
  );
}

/** Two functions that can be wanted anywhere. @returns their ids by name */
function createFunctions({ store, lifecycle }: LifecycleBench): Readonly<Record<string, VnfInstanceId>> {
  return Object.fromEntries(
    FUNCTIONS.map((name) => {
      onboardFunction(store, buildFunction(name));
      return [name, lifecycle.vnf.create(DEFAULT_TENANT, { vnfdId: `vnfd-${name}` }).id as VnfInstanceId];
    }),
  );
}

function carryOut(
  { store }: LifecycleBench,
  ids: Readonly<Record<string, VnfInstanceId>>,
  each: Event,
): void {
  if (each.type === 'want') {
    const record = store.get('vnf-instance', ids[each.name] ?? '');
    if (record === undefined) return;
    const { kind, id, tenant, document } = record;
    store.commit([{ op: 'put', kind, id, tenant, document: { ...document, wanted: wantedOn(each.on) } }]);
    return;
  }
  const record = store.get('host', each.host);
  const facts = store.get('host-facts', each.host);
  if (record === undefined || facts === undefined) return;
  const { kind, id, tenant, document, revision } = record;
  if (each.type === 'leave') store.commit([{ op: 'delete', kind, id, expectedRevision: revision }]);
  else if (each.type === 'drain')
    store.commit([{ op: 'put', kind, id, tenant, document: { ...document, draining: each.draining } }]);
  else
    store.commit([
      {
        op: 'put',
        kind: 'host-facts',
        id,
        tenant,
        document: { ...facts.document, labels: { zone: each.zone } },
      },
    ]);
}

/** All that placement can tell of an index. */
function told(index: HostIndex): unknown {
  return HOSTS.map((hostId) => {
    const row = index.rowOf(hostId);
    if (row === undefined) return undefined;
    const on = index.occupancy.functionsOn(row).toSorted();
    return {
      free: [index.cpu.free[row], index.memory.free[row], index.storage.free[row]],
      zone: index.labels.text(row, 'zone'),
      isReady: index.isReady(row),
      isDraining: index.isDraining(row),
      on: on.map((id) => [id, index.occupancy.rowsOf(id).get(row)]),
    };
  });
}

describe('the kept inventory', () => {
  it('is the one that a look at the whole store makes, whatever has changed and whoever changed it', () => {
    fc.assert(
      fc.property(
        fc.array(event, { maxLength: 25 }),
        fc.array(host, { maxLength: 3 }),
        (events, elsewhere) => {
          const bench = createLifecycleBench(HOSTS.map((hostId) => ({ hostId })));
          const ids = createFunctions(bench);
          const { state, catalog, inventory } = bench.lifecycle.context;
          const [id = '' as VnfInstanceId] = Object.values(ids);
          for (const each of events) {
            carryOut(bench, ids, each);
            expect(inventory.look(told)).toEqual(told(HostIndex.of(snapshotInventory(state, catalog))));
            const vnfPkgId = state.get('vnf-instance', id)?.document.vnfPkgId;
            if (vnfPkgId === undefined) continue;
            const overrides = [{ id, vnfPkgId, wanted: wantedOn(elsewhere) }];
            expect(inventory.look(told, overrides)).toEqual(
              told(HostIndex.of(snapshotInventory(state, catalog, overrides))),
            );
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('counts a silent host as lost for one look only', () => {
    const bench = createLifecycleBench(HOSTS.map((hostId) => ({ hostId })));
    const { inventory } = bench.lifecycle.context;
    for (const hostId of HOSTS) bench.liveness.silence.set(hostId as HostId, 1);
    const lost = (index: HostIndex): readonly string[] =>
      HOSTS.filter((hostId) => index.isLost(index.rowOf(hostId) ?? -1));
    expect(inventory.look(lost, [], (hostId) => hostId === 'h2')).toEqual(['h2']);
    expect(inventory.look(lost)).toEqual([]);
  });
});
