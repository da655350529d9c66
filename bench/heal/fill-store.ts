import { join } from 'node:path';
import { IotmanoError, randomIds, type VnfInstanceId } from '../../kernel/index.ts';
import { openSqliteStore, type StateStore, type Write } from '../../orchestrator/store/index.ts';

const AT_ONCE = 1000;

/**
 * Fills the store of an orchestrator that does not run up to so many records, half of them function instances that are not instantiated and
 * half operations that are done: copies of the ones that are there, under other ids.
 * @returns how many records there are then
 */
export async function fillStore(dataDirectory: string, records: number): Promise<number> {
  const store = await openSqliteStore({
    directory: join(dataDirectory, 'state'),
    ids: randomIds,
    onFatal: (error) => {
      throw error;
    },
  });
  try {
    const missing = records - countAll(store);
    const pair = pairMaker(store);
    for (let made = 0; made < missing; made += AT_ONCE) {
      const writes = Array.from({ length: AT_ONCE / 2 }, pair).flat();
      await store.commit(writes.slice(0, missing - made)).durable;
    }
    return countAll(store);
  } finally {
    await store.close();
  }
}

const KINDS = [
  'vnf-instance',
  'vnf-lcm-op-occ',
  'ns-instance',
  'ns-lcm-op-occ',
  'observed',
  'assignment',
] as const;

function countAll(store: StateStore): number {
  return KINDS.reduce((sum, kind) => sum + store.count(kind), 0);
}

function pairMaker(store: StateStore): () => readonly Write[] {
  const instance = [...store.list('vnf-instance')].find(
    ({ document }) => document.instantiationState === 'NOT_INSTANTIATED',
  );
  const operation = [...store.list('vnf-lcm-op-occ')].find(({ document }) => document.state === 'COMPLETED');
  if (instance === undefined || operation === undefined)
    throw new IotmanoError('internal', 'the store has no instance or no operation to make others after');
  const { tenant } = instance;
  return () => {
    const vnfInstanceId = randomIds.uuid() as VnfInstanceId;
    return [
      { op: 'create', kind: 'vnf-instance', id: vnfInstanceId, tenant, document: instance.document },
      {
        op: 'create',
        kind: 'vnf-lcm-op-occ',
        id: randomIds.uuid(),
        tenant,
        document: { ...operation.document, vnfInstanceId },
      },
    ];
  };
}
