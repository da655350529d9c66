import * as fc from 'fast-check';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Change, CommitReply, ListReply, LookReply, ResourceAttributes } from '../../shared/index.ts';
import { baseAttributes } from './cse-base.ts';
import { openDatabase } from './database.ts';
import { ResourceStore, type StoreSettings } from './resource-store.ts';
import { toOneM2mTime } from './timestamps.ts';

const SETTINGS: StoreSettings = {
  cseName: 'cse-in',
  cseResourceId: 'id-in',
  adminOriginator: 'CAdmin',
  base: baseAttributes('/id-in'),
  keepAnswersMilliseconds: 60_000,
};
const START = Date.UTC(2030, 0, 1);

let folder = '';
let database: DatabaseSync;
let store: ResourceStore;
let now = START;
let keys = 0;

function open(): void {
  database = openDatabase(join(folder, 'cse.sqlite'));
  store = new ResourceStore(database, SETTINGS, now);
}

function commit(change: Change, key = `key-${(keys += 1)}`, expect: [string, number][] = []): CommitReply {
  return JSON.parse(store.commit({ key, expect, change }, now)) as CommitReply;
}

function look(to: string, key?: string): LookReply {
  return JSON.parse(store.look(key === undefined ? { to } : { to, key })) as LookReply;
}

function resourceAt(to: string): ResourceAttributes | undefined {
  const sight = look(to);
  return 'found' in sight && sight.found ? sight.resource : undefined;
}

function create(parent: string, ty: number, rn: string, attributes: ResourceAttributes = {}): CommitReply {
  return commit({ op: 'create', parent, ty, ri: rn, rn, org: 'Cowner', attributes });
}

function write(con: string, key?: string, parent = 'cnt'): CommitReply {
  return commit({ op: 'create', parent, ty: 4, org: 'Cowner', attributes: { con } }, key);
}

function list(ri: string, rest: Partial<Parameters<ResourceStore['list']>[0]> = {}): ListReply {
  return store.list({ ri, limit: 1000, offset: 0, attributes: false, ...rest });
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'data-storage-'));
  now = START;
  open();
  create('id-in', 2, 'ae');
  create('ae', 3, 'cnt');
});

afterEach(() => {
  if (database.isOpen) database.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('the data storage', () => {
  test('finds a resource by structured, unstructured and mixed address, and the latest and oldest of a container', () => {
    for (const con of ['1', '2', '3']) write(con);
    expect(resourceAt('cse-in/ae/cnt')).toEqual(resourceAt('cnt'));
    expect(resourceAt('ae/cnt')).toEqual(resourceAt('cnt'));
    expect(resourceAt('cse-in/ae/cnt/la')).toMatchObject({ con: '3', ri: 'cin3' });
    expect(resourceAt('cnt/ol')).toMatchObject({ con: '1' });
    expect(resourceAt('cin2')).toEqual(resourceAt('cse-in/ae/cnt/cin2'));
    expect(resourceAt('cse-in/ae/cin2')).toBeUndefined();
    expect(resourceAt('cse-in/ae/la')).toBeUndefined();
    expect(resourceAt('cse-in')).toMatchObject({ csi: '/id-in', ty: 5 });
  });

  test('counters, limits and order hold for any sequence of creations and deletions', () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('create' as const), size: fc.integer({ min: 0, max: 30 }) }),
      fc.record({ do: fc.constantFrom('la' as const, 'ol' as const) }),
      fc.record({ do: fc.constant('limit' as const), mni: fc.integer({ min: 1, max: 6 }) }),
    );
    const limits = fc.record({
      mni: fc.option(fc.integer({ min: 0, max: 6 })),
      mbs: fc.option(fc.integer({ min: 30, max: 80 })),
    });
    let round = 0;
    fc.assert(
      fc.property(limits, fc.array(step, { maxLength: 40 }), (given, steps) => {
        round += 1;
        const name = `p${round}`;
        const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null)) as {
          mni?: number;
          mbs?: number;
        };
        create('ae', 3, name, set);
        let { mni = Infinity } = set;
        const { mbs = Infinity } = set;
        let model: { ri: string; size: number }[] = [];
        let tag = 0;
        const trim = (): void => {
          while (model.length > mni || model.reduce((sum, { size }) => sum + size, 0) > mbs)
            model = model.slice(1);
        };
        for (const one of steps) {
          if (one.do === 'create') {
            const reply = write('x'.repeat(one.size), undefined, name);
            if (reply.outcome !== 'done') throw new Error(JSON.stringify(reply));
            model.push({ ri: String(reply.resource['ri']), size: one.size });
            tag += 1;
            trim();
          } else if (one.do === 'limit') {
            commit({ op: 'update', ri: name, set: { mni: one.mni }, unset: [] });
            mni = one.mni;
            tag += 1;
            trim();
          } else {
            const victim = resourceAt(`${name}/${one.do}`);
            if (victim?.['ri'] !== model.at(one.do === 'la' ? -1 : 0)?.ri) return false;
            if (victim !== undefined) commit({ op: 'delete', ri: String(victim['ri']) });
            model = one.do === 'la' ? model.slice(0, -1) : model.slice(1);
          }
        }
        const bytes = model.reduce((sum, { size }) => sum + size, 0);
        expect(resourceAt(name)).toMatchObject({ cni: model.length, cbs: bytes, st: tag });
        expect(list(name, { ty: [4] }).items.map(({ ri }) => ri)).toEqual(model.map(({ ri }) => ri));
        return true;
      }),
      { numRuns: 60 },
    );
  });

  test('the same key is done once, whatever happened meanwhile, also after the process was started again', () => {
    const first = write('once', 'the-key');
    expect(write('once', 'the-key')).toEqual(first);
    commit({ op: 'delete', ri: 'cin1' });
    expect(write('once', 'the-key')).toEqual(first);
    expect(look('cse-in/nowhere', 'the-key')).toEqual({ answered: first });
    database.close();
    open();
    expect(write('once', 'the-key')).toEqual(first);
    expect(resourceAt('cnt')).toMatchObject({ cni: 0, st: 1 });
  });

  test('an answer is forgotten only after the time that it is kept', () => {
    write('once', 'the-key');
    store.tidy(now, 5_000);
    write('later', 'later-key');
    store.tidy(now, 5_000 + SETTINGS.keepAnswersMilliseconds - 1);
    expect(look('cnt', 'the-key')).toHaveProperty('answered');
    store.tidy(now, 5_000 + SETTINGS.keepAnswersMilliseconds);
    expect(look('cnt', 'the-key')).not.toHaveProperty('answered');
    expect(look('cnt', 'later-key')).toHaveProperty('answered');
  });

  test('a wall clock that is set, or a restart, makes no answer go too soon', () => {
    write('once', 'the-key');
    store.tidy(now, 5_000);
    now += 10 * SETTINGS.keepAnswersMilliseconds;
    store.tidy(now, 5_001);
    expect(look('cnt', 'the-key')).toHaveProperty('answered');
    database.close();
    open();
    store.tidy(now, 7);
    expect(look('cnt', 'the-key')).toHaveProperty('answered');
    store.tidy(now, 7 + SETTINGS.keepAnswersMilliseconds);
    expect(look('cnt', 'the-key')).not.toHaveProperty('answered');
  });

  test('a resource id is never given out twice', () => {
    write('a');
    commit({ op: 'delete', ri: 'cin1' });
    database.close();
    open();
    expect(write('b')).toMatchObject({ resource: { ri: 'cin2' } });
  });

  test('a decision on an outdated revision is refused as stale; counting contents does not outdate one', () => {
    write('a');
    const expectation: [string, number][] = [['cnt', 1]];
    const change = { op: 'create', parent: 'cnt', ty: 4, org: 'Cowner', attributes: { con: 'b' } } as const;
    expect(commit(change, 'k1', expectation)).toMatchObject({ outcome: 'done' });
    commit({ op: 'update', ri: 'cnt', set: { lbl: ['x'] }, unset: [] });
    expect(commit(change, 'k2', expectation)).toEqual({ outcome: 'stale' });
    expect(commit(change, 'k3', [['gone', 1]])).toEqual({ outcome: 'stale' });
    expect(resourceAt('cnt')).toMatchObject({ cni: 2 });
  });

  test('names are unique below a parent, across types, and an AE registers once', () => {
    expect(create('ae', 3, 'cnt')).toMatchObject({ outcome: 'refused', rsc: 4105 });
    commit({ op: 'create', parent: 'cnt', ty: 4, rn: 'named', org: 'Cowner', attributes: { con: '1' } });
    expect(resourceAt('cse-in/ae/cnt/named')).toMatchObject({ con: '1' });
    expect(create('cnt', 3, 'named')).toMatchObject({ outcome: 'refused', rsc: 4105 });
    expect(
      commit({ op: 'create', parent: 'id-in', ty: 2, ri: 'ae', rn: 'other', org: 'C', attributes: {} }),
    ).toMatchObject({
      outcome: 'refused',
      rsc: 4117,
    });
  });

  test('a content that is larger than the container takes is refused', () => {
    create('ae', 3, 'small', { mbs: 3 });
    expect(write('1234', undefined, 'small')).toMatchObject({ outcome: 'refused', rsc: 5207 });
    expect(resourceAt('small')).toMatchObject({ cni: 0, st: 0 });
  });

  test('deleting a resource deletes what is below it, and only that', () => {
    create('cnt', 3, 'inner');
    write('a', undefined, 'inner');
    create('ae', 3, 'cnt-2');
    write('b', undefined, 'cnt-2');
    commit({ op: 'delete', ri: 'cnt' });
    for (const gone of ['cnt', 'inner', 'cin1']) expect(resourceAt(gone)).toBeUndefined();
    expect(resourceAt('cse-in/ae/cnt-2/la')).toMatchObject({ con: 'b' });
    expect(commit({ op: 'delete', ri: 'id-in' })).toMatchObject({ outcome: 'refused', rsc: 4005 });
  });

  test('a long list comes in pages that together are the whole, in the same order', () => {
    create('ae', 3, 'other');
    for (let index = 0; index < 25; index += 1)
      write(`${index}`, undefined, index % 2 === 0 ? 'cnt' : 'other');
    const whole = list('ae').items.map(({ path }) => path);
    expect(whole).toHaveLength(27);
    for (const attributes of [true, false]) {
      for (const ty of [undefined, [4], [3]]) {
        const filter = ty === undefined ? { attributes } : { attributes, ty };
        const paged: string[] = [];
        let offset: number | undefined = 0;
        while (offset !== undefined) {
          const page: ListReply = list('ae', { ...filter, limit: 4, offset });
          paged.push(...page.items.map(({ path }) => path));
          offset = page.next;
        }
        expect(paged).toEqual(list('ae', filter).items.map(({ path }) => path));
      }
    }
  });

  test('lists are filtered by label, time and depth', () => {
    create('ae', 3, 'labelled', { lbl: ['a', 'b'] });
    create('labelled', 3, 'deep', { lbl: ['a'] });
    expect(list('ae', { lbl: ['a'] }).items.map(({ ri }) => ri)).toEqual(['labelled', 'deep']);
    expect(list('ae', { level: 1, ty: [3] }).items.map(({ ri }) => ri)).toEqual(['cnt', 'labelled']);
    expect(list('ae', { crb: toOneM2mTime(START) }).items).toEqual([]);
  });

  test('what expires is gone, and its container knows', () => {
    commit({
      op: 'create',
      parent: 'cnt',
      ty: 4,
      org: 'C',
      attributes: { con: 'a', et: toOneM2mTime(now + 1_000) },
    });
    store.tidy(now + 999, 0);
    expect(resourceAt('cnt')).toMatchObject({ cni: 1 });
    store.tidy(now + 1_000, 0);
    expect(resourceAt('cnt')).toMatchObject({ cni: 0, cbs: 0 });
  });

  test('an expiration in the past is refused', () => {
    const et = toOneM2mTime(now - 1);
    expect(create('ae', 3, 'late', { et })).toMatchObject({ outcome: 'refused', rsc: 4000 });
    expect(commit({ op: 'update', ri: 'cnt', set: { et }, unset: [] })).toMatchObject({
      outcome: 'refused',
      rsc: 4000,
    });
  });

  test('a database of a newer version, or that somebody else uses, is refused in words', () => {
    expect(() => openDatabase(join(folder, 'cse.sqlite'))).toThrow(/another data-storage/);
    database.exec('PRAGMA user_version = 99');
    database.close();
    expect(() => openDatabase(join(folder, 'cse.sqlite'))).toThrow(/schema 99/);
  });
});

describe('the outbox', () => {
  beforeEach(() => {
    create('cnt', 23, 'sub', { nu: ['Ctarget'], enc: { net: [3] }, su: 'http://subscriber/' });
  });

  test('holds what subscriptions want to know, until it is settled, in order', () => {
    write('a');
    write('b');
    const batch = store.outbox.take('w', 10, now);
    expect(batch?.entries.map(({ event }) => event.rep?.['con'])).toEqual(['a', 'b']);
    expect(store.outbox.take('other', 10, now)).toBeUndefined();
    const [first] = batch?.entries ?? [];
    store.settle({ worker: 'w', queue: batch?.queue ?? '', done: [first?.id ?? 0] }, now);
    expect(store.outbox.take('other', 10, now)?.entries.map(({ event }) => event.rep?.['con'])).toEqual([
      'b',
    ]);
  });

  test('offers again what a worker took and never settled: after its lease, when it asks anew, and after a restart', () => {
    write('a');
    expect(store.outbox.take('w', 10, now)?.entries).toHaveLength(1);
    expect(store.outbox.take('w', 10, now)?.entries).toHaveLength(1);
    expect(store.outbox.take('other', 10, now + 14_999)).toBeUndefined();
    expect(store.outbox.take('other', 10, now + 15_000)?.entries).toHaveLength(1);
    database.close();
    open();
    expect(store.outbox.take('third', 10, now)?.entries).toHaveLength(1);
  });

  test('a queue that failed waits for its time, and counts its failures in a row', () => {
    write('a');
    const queue = store.outbox.take('w', 10, now)?.queue ?? '';
    store.settle({ worker: 'w', queue, done: [], retryAfterMilliseconds: 500 }, now);
    expect(store.outbox.take('w', 10, now + 499)).toBeUndefined();
    expect(store.outbox.take('w', 10, now + 500)).toMatchObject({ failures: 1, failingForMilliseconds: 500 });
  });

  test('hands out large events in portions that a message can carry', () => {
    for (let index = 0; index < 4; index += 1) write('x'.repeat(250_000));
    const sizes: number[] = [];
    for (
      let batch = store.outbox.take('w', 99, now);
      batch?.queue !== undefined;
      batch = store.outbox.take('w', 99, now)
    ) {
      sizes.push(batch.entries.length);
      store.settle({ worker: 'w', queue: batch.queue, done: batch.entries.map(({ id }) => id) }, now);
    }
    expect(sizes).toEqual([1, 1, 1, 1]);
  });

  test('only what the criteria name is told', () => {
    create('cnt', 23, 'updates', { nu: ['Cupdates'], nct: 2, enc: { net: [1], atr: ['lbl'] } });
    create('cnt', 23, 'children', { nu: ['Cchildren'], nct: 3, enc: { net: [3, 4], chty: [4] } });
    commit({ op: 'update', ri: 'cnt', set: { mni: 5 }, unset: [] });
    commit({ op: 'update', ri: 'cnt', set: { lbl: ['x'] }, unset: [] });
    create('cnt', 3, 'inner');
    write('a');
    commit({ op: 'delete', ri: 'cin1' });
    const told = new Map<string, unknown[]>([]);
    for (
      let batch = store.outbox.take('w', 99, now);
      batch?.queue !== undefined;
      batch = store.outbox.take('w', 99, now)
    ) {
      const events = batch.entries.map(({ event }) => [event.net, event.ty]);
      told.set(batch.entries[0]?.event.target ?? '', events);
      store.settle({ worker: 'w', queue: batch.queue, done: batch.entries.map(({ id }) => id) }, now);
    }
    expect(told.get('Cupdates')).toEqual([[1, 3]]);
    expect(told.get('Cchildren')).toEqual([
      [3, 4],
      [4, 4],
    ]);
    expect(told.get('Ctarget')).toEqual([
      [3, 3],
      [3, 4],
    ]);
  });

  test('a deleted container tells its subscribers, and the subscriber address of each subscription', () => {
    create('cnt', 23, 'end', { nu: ['Cend'], enc: { net: [2] } });
    commit({ op: 'delete', ri: 'ae' });
    const events = ['a', 'b'].map((worker) => store.outbox.take(worker, 9, now)?.entries[0]?.event);
    const byTarget = new Map(events.map((event) => [event?.target, event]));
    expect(byTarget.get('http://subscriber/')).toMatchObject({ sud: true, sub: 'sub' });
    expect(byTarget.get('Cend')).toMatchObject({ net: 2, rep: { ri: 'cnt' } });
  });

  test('a subscription that is given up goes with all that waits for it', () => {
    write('a');
    const queue = store.outbox.take('w', 10, now)?.queue ?? '';
    store.settle({ worker: 'w', queue, done: [], retryAfterMilliseconds: 1, removeSubscription: 'sub' }, now);
    expect(resourceAt('sub')).toBeUndefined();
    expect(store.outbox.count()).toBe(0);
  });
});
