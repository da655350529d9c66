import { beforeEach, describe, expect, it, vi } from 'vitest';
import { DEFAULT_TENANT, toTimestamp } from '../../kernel/index.ts';
import { createFakeClock, type FakeClock } from '../../test/kit/fake-clock.ts';
import { createMemoryStore, type MemoryStore } from '../store/index.ts';
import { createConditionAlarms, createFunctionAlarms, createMonitoring, watchConditions } from './index.ts';
import { assign, functionWith, host, HOST, key, VNF } from './testkit/records.ts';

const ALARMS = [
  { name: 'overloaded', when: 'queue_depth > 500 for 30s', severity: 'CRITICAL' },
  { name: 'idle', when: 'queue_depth <= 1', severity: 'WARNING' },
];

let store: MemoryStore;
let clock: FakeClock;
let sequence: number;
let monitoring: ReturnType<typeof createMonitoring>;
let endWatch: () => void;

beforeEach(() => {
  store = createMemoryStore();
  clock = createFakeClock();
  sequence = 0;
  monitoring = createMonitoring({ store, clock });
  store.commit([host([]), assign(), ...functionWith([{ name: 'queue_depth' }])]);
  const descriptor = store.get('vnf-package', 'pkg-1')?.document.descriptor;
  setDocument('vnf-package', 'pkg-1', { descriptor: { ...descriptor, alarms: ALARMS } });
  setDocument('vnf-instance', VNF, { vnfPkgId: 'pkg-1', instantiationState: 'INSTANTIATED' });
  endWatch = watch();
});

function watch(): () => void {
  return watchConditions({ store, clock, monitoring, alarms: createConditionAlarms(store, clock) });
}

function setDocument(kind: 'vnf-package' | 'vnf-instance', id: string, document: object): void {
  store.commit([{ op: 'put', kind, id, tenant: DEFAULT_TENANT, document: document as never }]);
}

async function tell(value: number, afterSeconds = 10): Promise<void> {
  await clock.advance(afterSeconds * 1000);
  const timestamp = toTimestamp(clock.now());
  const point = { metric: 'queue_depth', unit: '1', timestamp, value, subject: { ...key(), slot: 0 } };
  sequence += 1;
  monitoring.ingestMeasurements(HOST, { bootId: 'boot', sequence }, { points: [point] });
}

const standing = (): readonly string[] =>
  [...store.list('alarm')].flatMap(({ document: { name, severity, clearedAt } }) =>
    clearedAt === undefined ? [`${name} ${severity}`] : [],
  );

/** A version of the function with other alarms. */
function onboardNext(alarms: typeof ALARMS): void {
  const descriptor = store.get('vnf-package', 'pkg-1')?.document.descriptor;
  setDocument('vnf-package', 'pkg-2', { descriptor: { ...descriptor, alarms } });
}

async function settled(): Promise<void> {
  await store.whenDurable();
  await clock.advance(1);
}

const texts = (): readonly string[] => [...store.list('alarm')].map(({ document }) => document.text);

describe('an alarm whose end nobody will tell', () => {
  it('is cleared once no copy is of the version that declared it, with that as its reason', async () => {
    onboardNext([]);
    await tell(1);
    const replaced = { vnfPkgId: 'pkg-1', generation: 1 };
    setDocument('vnf-instance', VNF, { vnfPkgId: 'pkg-2', instantiationState: 'INSTANTIATED', replaced });
    await settled();
    expect(standing()).toEqual(['idle WARNING']);
    setDocument('vnf-instance', VNF, { vnfPkgId: 'pkg-2', instantiationState: 'INSTANTIATED' });
    await settled();
    expect(standing()).toEqual([]);
    expect(texts()).toEqual([
      expect.stringMatching(
        /cleared: the version of the function that declared this condition is there no more/,
      ),
    ]);
  });

  it('is cleared when the new version has another condition under its name', async () => {
    onboardNext([{ name: 'idle', when: 'queue_depth <= 0 for 10s', severity: 'WARNING' }]);
    await tell(1);
    setDocument('vnf-instance', VNF, { vnfPkgId: 'pkg-2', instantiationState: 'INSTANTIATED' });
    await settled();
    expect(standing()).toEqual([]);
  });

  it('is cleared by another leader, which knows nothing of it but its record', async () => {
    await tell(1);
    endWatch();
    endWatch = watch();
    expect(standing()).toEqual(['idle WARNING']);
    setDocument('vnf-instance', VNF, { vnfPkgId: 'pkg-1', instantiationState: 'NOT_INSTANTIATED' });
    await settled();
    expect(standing()).toEqual([]);
    expect(texts()).toEqual([expect.stringMatching(/cleared: the function has been terminated/)]);
  });

  it('is cleared when the function was deleted while nobody watched', async () => {
    await tell(1);
    endWatch();
    const { revision } = store.get('vnf-instance', VNF) ?? { revision: 0 };
    store.commit([{ op: 'delete', kind: 'vnf-instance', id: VNF, expectedRevision: revision }]);
    endWatch = watch();
    expect(standing()).toEqual([]);
    expect(texts()).toEqual([expect.stringMatching(/cleared: the function has been deleted/)]);
  });

  it('is cleared each time that it was raised', async () => {
    for (let round = 0; round < 2; round += 1) {
      setDocument('vnf-instance', VNF, { vnfPkgId: 'pkg-1', instantiationState: 'INSTANTIATED' });
      await tell(1);
      expect(standing()).toEqual(['idle WARNING']);
      setDocument('vnf-instance', VNF, { vnfPkgId: 'pkg-1', instantiationState: 'NOT_INSTANTIATED' });
      await settled();
      expect(standing()).toEqual([]);
    }
  });

  it('is found without a look at the alarms of other functions', async () => {
    await tell(1);
    await settled();
    const list = vi.spyOn(store, 'list');
    setDocument('vnf-instance', VNF, { vnfPkgId: 'pkg-1', instantiationState: 'NOT_INSTANTIATED' });
    await settled();
    expect(list).not.toHaveBeenCalledWith('alarm');
    list.mockRestore();
    expect(standing()).toEqual([]);
  });

  it('is known by its name alone where its record does not hold its condition', async () => {
    await tell(1);
    const [record] = [...store.list('alarm')];
    const { when, ...older } = record?.document ?? {};
    expect(when).toBe('queue_depth <= 1');
    store.commit([
      { op: 'put', kind: 'alarm', id: record?.id ?? '', tenant: DEFAULT_TENANT, document: older as never },
    ]);
    onboardNext(ALARMS);
    setDocument('vnf-instance', VNF, { vnfPkgId: 'pkg-2', instantiationState: 'INSTANTIATED' });
    await settled();
    expect(standing()).toEqual(['idle WARNING']);
    onboardNext([]);
    setDocument('vnf-instance', VNF, { vnfPkgId: 'pkg-2', instantiationState: 'INSTANTIATED' });
    await settled();
    expect(standing()).toEqual([]);
  });
});

describe('the alarms of a descriptor', () => {
  it('are raised once their condition has held for its time without a break, and cleared when it ends', async () => {
    await tell(600);
    await tell(600, 20);
    expect(standing()).toEqual([]);
    await tell(10);
    await tell(600);
    await tell(600, 29);
    expect(standing()).toEqual([]);
    await tell(600, 1);
    expect(standing()).toEqual(['overloaded CRITICAL']);
    await tell(500);
    expect(standing()).toEqual([]);
  });

  it('without a time are raised at once', async () => {
    await tell(1);
    expect(standing()).toEqual(['idle WARNING']);
  });

  it('stand as they are while nothing is told, and end with the function', async () => {
    await tell(1);
    await clock.advance(3_600_000);
    expect(standing()).toEqual(['idle WARNING']);
    setDocument('vnf-instance', VNF, { vnfPkgId: 'pkg-1', instantiationState: 'NOT_INSTANTIATED' });
    await store.whenDurable();
    await clock.advance(1);
    expect(standing()).toEqual([]);
  });

  it('do not meet those that the orchestrator itself raises under the same name', async () => {
    await tell(1);
    createFunctionAlarms(store, clock).clear(VNF, ['idle']);
    expect(standing()).toEqual(['idle WARNING']);
  });
});
