/** What every store has to do. Run over each of them by its own test file. */
import * as fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { Change, StateStore } from './contract.ts';
import { commitAll, errorCode, idsOf, put, create, documentAt, session } from './testkit/records.ts';
import type { StorePlace } from './testkit/place.ts';
import { checkAgainstModel } from './testkit/model.ts';

export function describeStore(name: string, makePlace: () => Promise<StorePlace>): void {
  describe(`${name} store`, () => {
    const places: StorePlace[] = [];

    async function newPlace(): Promise<StorePlace> {
      const place = await makePlace();
      places.push(place);
      return place;
    }

    async function newStore(options?: { changeLogLimit?: number }): Promise<StateStore> {
      return (await newPlace()).open(options);
    }

    afterEach(async () => {
      for (const place of places.splice(0)) await place.remove();
    });

    describe('commits', () => {
      it('is empty at revision 0 when new', async () => {
        const store = await newStore();
        expect([store.acceptedRevision, store.durableRevision, store.leaseNumber]).toEqual([0, 0, 1]);
        expect(idsOf(store)).toEqual([]);
        expect(store.get('session', 'a')).toBeUndefined();
        await store.close();
      });

      it('shows a commit to every reader at once, and calls it durable only later', async () => {
        const store = await newStore();
        const receipt = store.commit([put('a', 1)]);
        expect(store.get('session', 'a')).toMatchObject({
          kind: 'session',
          id: 'a',
          tenant: 'default',
          revision: 1,
        });
        expect([receipt.revision, store.acceptedRevision, store.durableRevision]).toEqual([1, 1, 0]);
        await receipt.durable;
        expect(store.durableRevision).toBe(1);
        await store.close();
      });

      it('refuses to create what exists, and then changes nothing', async () => {
        const store = await newStore();
        store.commit([create('a', 1)]);
        expect(errorCode(() => store.commit([put('b', 1), create('a', 2)]))).toBe('conflict');
        expect(idsOf(store)).toEqual(['a']);
        expect([documentAt(store, 'a'), store.acceptedRevision]).toEqual([session(1), 1]);
        await store.close();
      });

      it('refuses to update or delete a record at another revision, and then changes nothing', async () => {
        const store = await newStore();
        store.commit([create('a', 1)]);
        store.commit([put('a', 2)]);
        for (const write of [
          {
            op: 'update',
            kind: 'session',
            id: 'a',
            expectedRevision: 1,
            document: session(9),
          },
          { op: 'delete', kind: 'session', id: 'a', expectedRevision: 1 },
          { op: 'delete', kind: 'session', id: 'absent', expectedRevision: 1 },
        ] as const) {
          expect(errorCode(() => store.commit([put('b', 1), write]))).toBe('revision-conflict');
        }
        expect(idsOf(store)).toEqual(['a']);
        expect(documentAt(store, 'a')).toEqual(session(2));
        await store.close();
      });

      it('updates and deletes at the expected revision, and an update keeps the tenant', async () => {
        const store = await newStore();
        store.commit([create('a', 1), create('b', 1)]);
        store.commit([
          { op: 'update', kind: 'session', id: 'a', expectedRevision: 1, document: session(2) },
          { op: 'delete', kind: 'session', id: 'b', expectedRevision: 1 },
        ]);
        expect(store.get('session', 'a')).toMatchObject({
          tenant: 'default',
          revision: 2,
          document: session(2),
        });
        expect(store.get('session', 'b')).toBeUndefined();
        await store.close();
      });

      it('lets verify see the state before the commit, and refuse it', async () => {
        const store = await newStore();
        store.commit([put('a', 1)]);
        const refusal = new Error('no room');
        let seen: unknown;
        expect(() =>
          store.commit([put('a', 2)], (state) => {
            seen = state.get('session', 'a')?.document;
            throw refusal;
          }),
        ).toThrow(refusal);
        expect([seen, documentAt(store, 'a'), store.acceptedRevision]).toEqual([session(1), session(1), 1]);
        await store.close();
      });

      it('refuses a commit that writes one record twice', async () => {
        const store = await newStore();
        expect(errorCode(() => store.commit([put('a', 1), put('a', 2)]))).toBe('internal');
        expect(store.acceptedRevision).toBe(0);
        await store.close();
      });

      it('takes a commit without writes for none', async () => {
        const store = await newStore();
        store.commit([put('a', 1)]);
        const receipt = store.commit([]);
        expect(receipt.revision).toBe(1);
        await receipt.durable;
        expect([store.acceptedRevision, store.durableRevision]).toEqual([1, 1]);
        await store.close();
      });
    });

    describe('lists', () => {
      it('lists in order of id, also by prefix', async () => {
        const store = await newStore();
        await commitAll(
          store,
          ['h2.b', 'h1.z', 'h10.a', 'h1.a', 'h2.a', 'h1', 'i'].map((id) => [put(id, 1)]),
        );
        expect(idsOf(store)).toEqual(['h1', 'h1.a', 'h1.z', 'h10.a', 'h2.a', 'h2.b', 'i']);
        expect(idsOf(store, 'h1.')).toEqual(['h1.a', 'h1.z']);
        expect(idsOf(store, 'h3')).toEqual([]);
        expect(store.count('session')).toBe(7);
        expect(store.count('host')).toBe(0);
        await store.close();
      });

      it('tell by one number whether a kind has changed', async () => {
        const store = await newStore();
        await commitAll(store, [[put('a', 1)]]);
        const [sessions, hosts] = [store.changedAt('session'), store.changedAt('host')];
        expect(sessions).toBe(store.acceptedRevision);
        const { revision } = store.commit([
          { op: 'delete', kind: 'session', id: 'a', expectedRevision: sessions },
        ]);
        expect([store.changedAt('session'), store.changedAt('host')]).toEqual([revision, hosts]);
        await store.close();
      });

      it('tell which records of a kind have changed, also before that is durable', async () => {
        const store = await newStore();
        await commitAll(store, [[put('a', 1), put('b', 1)], [put('a', 2)]]);
        const since = store.acceptedRevision;
        expect(store.changedSince('session', since)).toEqual([]);
        expect(store.changedSince('session', since - 1)).toEqual(['a']);
        const { revision } = store.get('session', 'b') ?? { revision: -1 };
        store.commit([{ op: 'delete', kind: 'session', id: 'b', expectedRevision: revision }]);
        store.commit([put('c', 1)]);
        expect(store.changedSince('session', since)).toEqual(['b', 'c']);
        expect(store.changedSince('host', since)).toEqual([]);
        await store.close();
      });

      it('may be walked while what it lists is deleted and added', async () => {
        const store = await newStore();
        const ids = Array.from({ length: 3000 }, (_, at) => `id-${String(at).padStart(5, '0')}`);
        store.commit(ids.map((id) => put(id, 1)));
        const met: string[] = [];
        for (const record of store.list('session')) {
          met.push(record.id);
          store.commit([
            { op: 'delete', kind: 'session', id: record.id, expectedRevision: record.revision },
            put(`before-${record.id}`, 2),
          ]);
        }
        expect(met).toEqual(ids);
        expect(store.count('session')).toBe(3000);
        await store.close();
      });
    });

    describe('durability and changes', () => {
      it('makes commits durable in order', async () => {
        const store = await newStore();
        const order: number[] = [];
        const receipts = Array.from({ length: 300 }, (_, at) => store.commit([put(`id-${at % 7}`, at)]));
        await Promise.all(
          receipts.map(async (receipt) => {
            await receipt.durable;
            expect(store.durableRevision).toBeGreaterThanOrEqual(receipt.revision);
            order.push(receipt.revision);
          }),
        );
        expect(order).toEqual(receipts.map((receipt) => receipt.revision));
        await store.whenDurable(1);
        await store.whenDurable();
        await store.close();
      });

      it('tells subscribers of each change once it is durable, in order, until they leave', async () => {
        const store = await newStore();
        const seen: Change[] = [];
        const leave = store.subscribe((change) => {
          expect(store.durableRevision).toBe(change.revision);
          seen.push(change);
        });
        store.subscribe(() => {
          throw new Error('a listener with a fault');
        });
        store.commit([put('a', 1), put('b', 1)]);
        store.commit([{ op: 'delete', kind: 'session', id: 'a', expectedRevision: 1 }]);
        expect(seen).toEqual([]);
        await store.whenDurable();
        expect(seen.map((change) => change.revision)).toEqual([1, 2]);
        expect(seen[0]?.entries.map((entry) => entry.record?.document)).toEqual([session(1), session(1)]);
        expect(seen[1]?.entries).toEqual([{ kind: 'session', id: 'a', tenant: 'default' }]);
        leave();
        await store.commit([put('c', 1)]).durable;
        expect(seen).toHaveLength(2);
        await store.close();
      });

      it('gives the changes since a revision, as far back as its bounded log reaches', async () => {
        const store = await newStore({ changeLogLimit: 3 });
        await commitAll(
          store,
          [1, 2, 3, 4, 5].map((value) => [put('a', value)]),
        );
        expect(store.changesSince(1)).toBe('too-old');
        expect(store.oldestRevision).toBe(2);
        const changes = store.changesSince(2);
        expect(changes).not.toBe('too-old');
        expect((changes as readonly Change[]).map((change) => change.revision)).toEqual([3, 4, 5]);
        expect(store.changesSince(5)).toEqual([]);
        expect(store.changesSince(6)).toBe('too-old');
        await store.close();
      });
    });

    describe('opening again', () => {
      it('finds everything that was durable, under the same stateId and a higher lease number', async () => {
        const place = await newPlace();
        const first = await place.open();
        await commitAll(first, [[put('a', 1), put('b', 1)], [put('a', 2)]]);
        first.commit([{ op: 'delete', kind: 'session', id: 'b', expectedRevision: 1 }]);
        await first.close();
        const second = await place.open();
        expect([second.stateId, second.leaseNumber]).toEqual([first.stateId, first.leaseNumber + 1]);
        expect([second.acceptedRevision, second.durableRevision]).toEqual([3, 3]);
        expect(second.get('session', 'a')).toEqual({
          kind: 'session',
          id: 'a',
          tenant: 'default',
          revision: 2,
          document: session(2),
        });
        expect(idsOf(second)).toEqual(['a']);
        await second.close();
      });

      it('goes on with the revisions and the change log', async () => {
        const place = await newPlace();
        const first = await place.open();
        await commitAll(first, [[put('a', 1), put('b', 1)], [put('a', 2)]]);
        const before = first.changesSince(0);
        await first.close();
        const second = await place.open();
        expect(second.changesSince(0)).toEqual(before);
        const receipt = second.commit([put('c', 1)]);
        expect(receipt.revision).toBe(3);
        await receipt.durable;
        expect((second.changesSince(1) as readonly Change[]).map((change) => change.revision)).toEqual([
          2, 3,
        ]);
        await second.close();
      });

      it('never shows half a commit in the bounded change log', async () => {
        const place = await newPlace();
        const first = await place.open({ changeLogLimit: 4 });
        await commitAll(
          first,
          [1, 2, 3, 4, 5].map((value) => ['a', 'b', 'c'].map((id) => put(id, value))),
        );
        await first.close();
        const second = await place.open({ changeLogLimit: 4 });
        for (let since = 0; since <= 5; since += 1) {
          const changes = second.changesSince(since);
          if (changes === 'too-old') continue;
          expect(changes.map((change) => change.revision)).toEqual([1, 2, 3, 4, 5].slice(since));
          for (const change of changes) expect(change.entries).toHaveLength(3);
        }
        expect(second.changesSince(0)).toBe('too-old');
        expect(second.changesSince(5)).toEqual([]);
        await second.close();
      });

      it('waits with closing for what is accepted, and takes nothing afterwards', async () => {
        const place = await newPlace();
        const first = await place.open();
        const receipts = Array.from({ length: 50 }, (_, at) => first.commit([put(`id-${at}`, at)]));
        await first.close();
        await Promise.all(receipts.map((receipt) => receipt.durable));
        expect(errorCode(() => first.commit([put('late', 1)]))).toBe('store-failed');
        await first.close();
        const second = await place.open();
        expect(second.count('session')).toBe(50);
        await second.close();
      });
    });

    it(
      'behaves as a plain map with revisions does, whatever is committed and however often it is opened',
      { timeout: 120_000 },
      async () => {
        // Opening a real store takes its time on a busy machine; the runs that fit are enough.
        const end = performance.now() + 5000;
        await fc.assert(
          fc.asyncProperty(checkAgainstModel.steps, async (steps) => {
            if (performance.now() > end) return;
            const place = await makePlace();
            try {
              await checkAgainstModel.run(place, steps);
            } finally {
              await place.remove();
            }
          }),
          { numRuns: 100 },
        );
      },
    );
  });
}
