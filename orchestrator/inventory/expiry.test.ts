import { expect, it } from 'vitest';
import { SYSTEM_TENANT, type HostId } from '../../kernel/index.ts';
import { addHosts, createFleet } from './testkit/fleet.ts';

it('forgets expired sessions within minutes and expired tokens within a month, and ends when told', async () => {
  const fleet = createFleet();
  addHosts(fleet.store, ['gw-1']);
  const expiresAt = new Date(fleet.clock.now() + 3_600_000).toISOString();
  fleet.store.commit([
    {
      op: 'create',
      kind: 'session',
      id: 'a'.repeat(64),
      tenant: SYSTEM_TENANT,
      document: { hostId: 'gw-1' as HostId, bootId: 'boot-0001', expiresAt },
    },
  ]);
  // A leader finds the sessions of the one before.
  const { inventory, clock, store } = createFleet(fleet.store, fleet.clock);
  inventory.tokens.create({});
  const end = new AbortController();
  const running = inventory.run(end.signal);
  const day = 24 * 3_600_000;
  const counts = () => [store.count('session'), store.count('enrolment-token')];
  await clock.advance(60_000);
  expect(counts()).toEqual([1, 1]);
  await clock.advance(3_600_000);
  expect(counts()).toEqual([0, 1]);
  for (let passed = 0; passed < 2; passed += 1) inventory.tokens.purge();
  expect(counts()).toEqual([0, 1]);
  end.abort();
  await running;
  await clock.advance(31 * day);
  inventory.tokens.purge();
  expect(counts()).toEqual([0, 0]);
});
