import { expect, it } from 'vitest';
import { DEFAULT_TENANT, type TenantId } from '../../kernel/index.ts';
import { createFakeClock } from '../../test/kit/fake-clock.ts';
import { createMemoryStore } from '../store/index.ts';
import { createAuditLog } from './audit-log.ts';

const caller = { tenant: DEFAULT_TENANT, role: 'admin', name: 'root', tokenId: 't-1' } as const;

it('keeps the newest entries, in order, also those of the next process', async () => {
  const store = createMemoryStore();
  for (let number = 0; number < 7; number += 1) {
    // Each time as a new process would.
    const log = createAuditLog(store, createFakeClock(), 5);
    store.commit(log.entryOf(caller, { action: 'switch', switched: { logs: number % 2 === 0 } }).writes);
  }
  const entries = [...store.list('audit-entry')];
  expect(entries.map(({ id }) => Number(id))).toEqual([3, 4, 5, 6, 7]);
  expect(entries[0]).toMatchObject({ tenant: 'default', document: { user: 'root', tokenId: 't-1' } });
});

it('drops entries of a tenant for that tenant alone, and of a user only beyond an equal share', () => {
  const store = createMemoryStore();
  let log = createAuditLog(store, createFakeClock(), 10);
  const use = (tenant: string, name: string, times: number): void => {
    for (let time = 0; time < times; time += 1)
      store.commit(log.entryOf({ ...caller, tenant: tenant as TenantId, name }, { action: 'logs' }).writes);
  };
  const kept = (tenant: string, name: string): readonly number[] =>
    [...store.list('audit-entry')].flatMap(({ id, tenant: owner, document: { user } }) =>
      owner === tenant && user === name ? [Number(id)] : [],
    );
  use('acme', 'ann', 8);
  use('other', 'zoe', 3);
  use('acme', 'bob', 100);
  expect([kept('acme', 'ann'), kept('other', 'zoe')]).toEqual([
    [4, 5, 6, 7, 8],
    [9, 10, 11],
  ]);
  expect(kept('acme', 'bob')).toEqual([107, 108, 109, 110, 111]);
  // The next process knows who has what, too.
  log = createAuditLog(store, createFakeClock(), 10);
  use('acme', 'bob', 20);
  expect(kept('acme', 'ann')).toEqual([4, 5, 6, 7, 8]);
});

it('goes on where the commit of an entry was refused', () => {
  const store = createMemoryStore();
  const log = createAuditLog(store, createFakeClock(), 2);
  log.entryOf(caller, { action: 'logs' });
  for (let time = 0; time < 3; time += 1) store.commit(log.entryOf(caller, { action: 'logs' }).writes);
  expect([...store.list('audit-entry')].map(({ id }) => Number(id))).toEqual([3, 4]);
});

it('notes an end once, and none of an entry that was dropped', () => {
  const store = createMemoryStore();
  const log = createAuditLog(store, createFakeClock(), 1);
  const first = log.entryOf({ ...caller, tenant: 'acme' as TenantId }, { action: 'logs' });
  store.commit(first.writes);
  const bytes = { output: 3, input: 0 };
  store.commit(log.endOf(first.id, { reason: 'COMPLETE' }, bytes));
  expect(log.endOf(first.id, { reason: 'FAILED' }, bytes)).toEqual([]);
  expect(store.get('audit-entry', first.id)?.document.end).toMatchObject({
    reason: 'COMPLETE',
    outputBytes: 3,
  });
  store.commit(log.entryOf({ ...caller, tenant: 'acme' as TenantId }, { action: 'switch' }).writes);
  expect(log.endOf(first.id, { reason: 'FAILED' }, bytes)).toEqual([]);
});
