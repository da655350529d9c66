import { createHash } from 'node:crypto';
import { SYSTEM_TENANT, randomIds, silentLogger, type HostId } from '../../../kernel/index.ts';
import { createFakeClock, type FakeClock } from '../../../test/kit/fake-clock.ts';
import type { HostDocument, HostFactsDocument } from '../../domain/index.ts';
import { createMemoryStore, type MemoryStore, type Write } from '../../store/index.ts';
import { createInventory, type Inventory } from '../index.ts';

export interface Fleet {
  readonly store: MemoryStore;
  readonly clock: FakeClock;
  readonly inventory: Inventory;
  stateOf(hostId: string): HostDocument['state'] | undefined;
  /** Time passes while these hosts send heartbeats, once a second; everybody is judged four times a second. */
  pass(seconds: number, heard?: readonly string[]): Promise<void>;
}

/** Bytes that are the same in every run. */
function countingBytes(): (size: number) => Buffer {
  let count = 0;
  return (size) => {
    count += 1;
    const digest = createHash('sha512').update(String(count)).digest();
    return Buffer.concat([digest, digest]).subarray(0, size);
  };
}

export function createFleet(
  store: MemoryStore = createMemoryStore(),
  clock: FakeClock = createFakeClock(),
): Fleet {
  const inventory = createInventory({
    store,
    clock,
    ids: randomIds,
    random: countingBytes(),
    log: silentLogger,
  });
  return {
    store,
    clock,
    inventory,
    stateOf: (hostId) => store.get('host', hostId)?.document.state,
    pass: async (seconds, heard = []) => {
      for (let tick = 0; tick < seconds * 4; tick += 1) {
        if (tick % 4 === 0) for (const hostId of heard) inventory.renewLease(hostId as HostId);
        await clock.advance(250);
        inventory.judge();
      }
    },
  };
}

/** Hosts that have enrolled and told their facts. */
export function addHosts(store: MemoryStore, hostIds: readonly string[], zone?: string): void {
  store.commit(hostIds.flatMap((hostId) => hostWrites(hostId, zone)));
}

function hostWrites(id: string, zone: string | undefined): Write[] {
  const host: HostDocument = {
    state: 'ENROLLED',
    roles: ['orchestration', 'monitoring'],
    publicKey: { kty: 'OKP', crv: 'Ed25519', x: '' },
    enrolledAt: '2030-01-01T00:00:00.000Z',
    tenants: [],
    draining: false,
    disputed: false,
    boots: [],
  };
  return [
    { op: 'create', kind: 'host', id, tenant: SYSTEM_TENANT, document: host },
    { op: 'create', kind: 'host-facts', id, tenant: SYSTEM_TENANT, document: factsIn(zone) },
  ];
}

function factsIn(zone: string | undefined): HostFactsDocument {
  return {
    sequence: 1,
    architecture: 'x64',
    tier: 'device-edge',
    labels: zone === undefined ? {} : { zone },
    drivers: [],
    cpu: { cores: 1, score: 1, allocatableMillis: 1000 },
    memory: { totalBytes: 1, allocatableBytes: 1 },
    storage: { totalBytes: 1, allocatableBytes: 1, medium: 'ssd' },
    address: '192.0.2.1',
    devices: [],
    latencies: [],
    cses: [],
    agentVersion: 'test',
  };
}
