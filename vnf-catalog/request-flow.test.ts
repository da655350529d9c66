import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { baseAttributes } from './functions/data-storage/cse-base.ts';
import { openDatabase } from './functions/data-storage/database.ts';
import { ResourceStore } from './functions/data-storage/resource-store.ts';
import { RequestProcessor } from './functions/request-processing/process-request.ts';
import type { Neighbours } from './functions/request-processing/storage-client.ts';
import { OPERATION, type RequestPrimitive, type ResponsePrimitive } from './shared/index.ts';

let folder = '';
let database: DatabaseSync;
let store: ResourceStore;
let requests = 0;
let lists = 0;
let beforeCommit: (() => Promise<void>) | undefined;

/** Two instances of request processing over one real data storage, without the broker between them. */
function neighbours(): Neighbours {
  const copy = <T>(text: string): T => JSON.parse(text) as T;
  return {
    look: async (request) => copy(store.look(request)),
    list: async (request) => {
      lists += 1;
      return copy(JSON.stringify(store.list(request)));
    },
    commit: async (request) => {
      const interrupt = beforeCommit;
      beforeCommit = undefined;
      await interrupt?.();
      return copy(store.commit(request, Date.now()));
    },
    verify: async ({ targets }) => ({ rsc: targets.includes('http://unwilling/') ? 5204 : 2000 }),
  };
}

const SETTINGS = {
  cseId: '/id-in',
  cseName: 'cse-in',
  adminOriginator: 'CAdmin',
  registration: ['C*', 'S*', ''],
  listLimit: 1000,
};
let processors: RequestProcessor[];

function ask(
  fr: string,
  op: number,
  to: string,
  rest: Partial<RequestPrimitive> = {},
): Promise<ResponsePrimitive> {
  requests += 1;
  const request = { fr, op, to, rqi: `${requests}`, rvi: '4', key: `key-${requests}`, ...rest };
  return processors[requests % 2]?.process(request) ?? Promise.reject(new RangeError('no processor'));
}
const create = (
  fr: string,
  to: string,
  ty: number,
  pc: unknown,
  rest: Partial<RequestPrimitive> = {},
): Promise<ResponsePrimitive> => ask(fr, OPERATION.create, to, { ty, pc, ...rest });
const retrieve = (fr: string, to: string, rest: Partial<RequestPrimitive> = {}): Promise<ResponsePrimitive> =>
  ask(fr, OPERATION.retrieve, to, rest);
const register = (fr: string, rn: string): Promise<ResponsePrimitive> =>
  create(fr, 'cse-in', 2, { 'm2m:ae': { rn, api: 'Nx', rr: false, srv: ['4'] } });

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'request-flow-'));
  database = openDatabase(join(folder, 'cse.sqlite'));
  const store0 = {
    cseName: 'cse-in',
    cseResourceId: 'id-in',
    adminOriginator: 'CAdmin',
    base: baseAttributes('/id-in'),
  };
  store = new ResourceStore(database, { ...store0, keepAnswersMilliseconds: 60_000 }, Date.now());
  let ids = 0;
  processors = [1, 2].map(
    () =>
      new RequestProcessor(
        neighbours(),
        () => SETTINGS,
        () => `${(ids += 1)}`,
      ),
  );
  await register('Cowner', 'own');
  await create('Cowner', 'cse-in/own', 3, { 'm2m:cnt': { rn: 'cnt', lbl: ['x'] } });
});

afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('registration', () => {
  test.each([
    ['Cgiven', /^Cgiven$/],
    ['', /^C.+$/],
    ['C', /^C.+$/],
    ['S', /^S.+$/],
  ])('originator %j gets an AE-ID like %s', async (originator, aei) => {
    const response = await register(originator, 'new');
    expect(response).toMatchObject({
      rsc: 2001,
      pc: { 'm2m:ae': { aei: expect.stringMatching(aei) as unknown } },
    });
  });

  test('an originator registers once, and only one that may', async () => {
    expect(await register('Cowner', 'again')).toMatchObject({ rsc: 4117 });
    expect(await register('Xother', 'x')).toMatchObject({ rsc: 4103 });
    expect(await register('C/../', 'x')).toMatchObject({ rsc: 4000 });
  });
});

describe('creation', () => {
  test.each([
    [0, undefined],
    [2, { 'm2m:uri': 'cse-in/own/cnt/n' }],
    [
      3,
      {
        'm2m:rce': {
          uri: 'cse-in/own/cnt/n',
          'm2m:cin': expect.objectContaining({ con: 'v', cs: 1 }) as unknown,
        },
      },
    ],
  ])('gives the result content %i that was asked for', async (rcn, pc) => {
    const response = await create(
      'Cowner',
      'own/cnt'.replace('own', 'Cowner'),
      4,
      { 'm2m:cin': { rn: 'n', con: 'v' } },
      { rcn },
    );
    expect(response).toEqual({
      rsc: 2001,
      location: 'cse-in/own/cnt/n',
      ...(pc === undefined ? {} : { pc }),
    });
  });

  test('rcn 9 gives what the CSE added', async () => {
    const response = await create('Cowner', 'cse-in/own/cnt', 4, { 'm2m:cin': { con: 'v' } }, { rcn: 9 });
    const added = (response.pc as { 'm2m:cin': object })['m2m:cin'];
    expect(added).not.toHaveProperty('con');
    expect(added).toMatchObject({ cs: 1, st: 1 });
  });

  test.each<[string, number, number, unknown]>([
    ['cse-in', 4, 4108, { 'm2m:cin': { con: '' } }],
    ['cse-in/own', 2, 4108, { 'm2m:ae': { api: 'Nx', rr: true, srv: ['4'] } }],
    ['cse-in/own/cnt', 9, 5001, { 'm2m:grp': {} }],
    ['cse-in/own/none', 3, 4004, { 'm2m:cnt': {} }],
    ['cse-in/own/cnt', 3, 4000, { 'm2m:cnt': { bad: 1 } }],
    ['cse-in/own/', 3, 4000, { 'm2m:cnt': {} }],
    ['/elsewhere/x', 3, 4004, { 'm2m:cnt': {} }],
    ['cse-in/own', 3, 4000, { 'm2m:cnt': { acpi: ['cse-in/own/cnt'] } }],
    ['cse-in/own/cnt', 23, 5204, { 'm2m:sub': { nu: ['http://unwilling/'] } }],
  ])('below %s of type %i is answered with %i', async (to, ty, rsc, pc) => {
    expect(await create('Cowner', to, ty, pc)).toMatchObject({ rsc });
  });

  test('a decision that goes stale before its commit is made again on what is then', async () => {
    await create('Cowner', 'cse-in/own/cnt', 4, { 'm2m:cin': { con: '1' } });
    const policy = {
      'm2m:acp': { rn: 'acp', pv: { acr: [{ acor: ['Cnobody'], acop: 63 }] }, pvs: { acr: [] } },
    };
    await create('Cowner', 'cse-in/own', 1, policy);
    beforeCommit = async () => {
      await ask('Cowner', OPERATION.update, 'cse-in/own/cnt', {
        pc: { 'm2m:cnt': { acpi: ['cse-in/own/acp'] } },
      });
    };
    expect(await create('Cowner', 'cse-in/own/cnt', 4, { 'm2m:cin': { con: '2' } })).toMatchObject({
      rsc: 4103,
    });
    expect(await retrieve('CAdmin', 'cse-in/own/cnt')).toMatchObject({ pc: { 'm2m:cnt': { cni: 1 } } });
  });

  test('no instance goes on creating in a container that another one has deleted and made anew', async () => {
    for (let index = 0; index < 4; index += 1)
      await create('Cowner', 'cse-in/own/cnt', 4, { 'm2m:cin': { con: 'old' } });
    await ask('Cowner', OPERATION.delete, 'cse-in/own/cnt');
    expect(await create('Cowner', 'cse-in/own/cnt', 4, { 'm2m:cin': { con: 'x' } })).toMatchObject({
      rsc: 4004,
    });
    expect(await create('Cowner', 'cse-in/own/cnt', 4, { 'm2m:cin': { con: 'x' } })).toMatchObject({
      rsc: 4004,
    });
    await create('Cowner', 'cse-in/own', 3, { 'm2m:cnt': { rn: 'cnt' } });
    for (let index = 0; index < 4; index += 1) {
      expect(await create('Cowner', 'cse-in/own/cnt', 4, { 'm2m:cin': { con: 'new' } })).toMatchObject({
        rsc: 2001,
      });
    }
    expect(await retrieve('Cowner', 'cse-in/own/cnt')).toMatchObject({
      pc: { 'm2m:cnt': { cni: 4, st: 4 } },
    });
  });

  test('the same key is answered the same by another instance, whatever has become of the target', async () => {
    const pc = { 'm2m:cin': { con: 'v' } };
    const first = await create('Cowner', 'cse-in/own/cnt', 4, pc, { key: 'same' });
    expect(await create('Cowner', 'cse-in/own/cnt', 4, pc, { key: 'same' })).toEqual(first);
    await ask('Cowner', OPERATION.delete, 'cse-in/own');
    expect(await create('Cowner', 'cse-in/own/cnt', 4, pc, { key: 'same' })).toEqual(first);
  });
});

describe('retrieval and discovery', () => {
  beforeEach(async () => {
    await create('Cowner', 'cse-in/own', 1, {
      'm2m:acp': {
        rn: 'acp',
        pv: {
          acr: [
            { acor: ['Cowner'], acop: 63 },
            { acor: ['Creader'], acop: 34 },
          ],
        },
        pvs: { acr: [{ acor: ['Cowner'], acop: 63 }] },
      },
    });
    await create('Cowner', 'cse-in/own', 3, {
      'm2m:cnt': { rn: 'open', acpi: ['cse-in/own/acp'], lbl: ['x'] },
    });
    for (const con of ['1', '2', '3']) await create('Cowner', 'cse-in/own/open', 4, { 'm2m:cin': { con } });
  });

  test('discovery shows exactly what the originator may discover', async () => {
    const discover = async (fr: string): Promise<unknown> =>
      (await retrieve(fr, 'cse-in', { fc: { fu: 1, ty: [3] } })).pc;
    expect(await discover('Creader')).toEqual({ 'm2m:uril': ['cse-in/own/open'] });
    expect(await discover('Cowner')).toEqual({ 'm2m:uril': ['cse-in/own/cnt', 'cse-in/own/open'] });
    expect(await discover('Cstranger')).toEqual({ 'm2m:uril': [] });
  });

  test('filters and limits apply, and tell where to go on', async () => {
    const first = await retrieve('Creader', 'cse-in/own/open', { fc: { fu: 1, ty: [4], lim: 2 } });
    expect(first).toMatchObject({ cnst: 1, cnot: 2, pc: { 'm2m:uril': { length: 2 } } });
    const rest = await retrieve('Creader', 'cse-in/own/open', { fc: { fu: 1, ty: [4], lim: 2, ofst: 2 } });
    expect(rest).toEqual({ rsc: 2000, pc: { 'm2m:uril': ['cse-in/own/open/cin3'] } });
    const labelled = await retrieve('CAdmin', 'cse-in', { fc: { fu: 1, lbl: ['x'] }, drt: 2, rcn: 6 });
    expect(labelled.pc).toMatchObject({
      'm2m:rrl': {
        rrf: [
          { nm: 'cnt', typ: 3 },
          { nm: 'open', typ: 3 },
        ],
      },
    });
  });

  test('however little an originator may see, a list is short, whole, and costs few requests', async () => {
    for (let each = 0; each < 30; each += 1)
      await create('Cowner', 'cse-in/own', 3, { 'm2m:cnt': { rn: `hidden${each}` } });
    const all = await retrieve('CAdmin', 'cse-in', { fc: { fu: 1, ty: [3] } });
    const seen: unknown[] = [];
    let offset: number | undefined = 0;
    while (offset !== undefined) {
      const part: ResponsePrimitive = await retrieve('CAdmin', 'cse-in', {
        fc: { fu: 1, ty: [3], lim: 7, ofst: offset },
      });
      seen.push(...(part.pc as { 'm2m:uril': unknown[] })['m2m:uril']);
      offset = part.cnot;
    }
    expect({ 'm2m:uril': seen }).toEqual(all.pc);
    lists = 0;
    const little = await retrieve('Creader', 'cse-in', { fc: { fu: 1, ty: [3], lim: 1 } });
    expect([little.pc, lists]).toEqual([{ 'm2m:uril': ['cse-in/own/open'] }, 1]);
  });

  test.each<[string, number, Partial<RequestPrimitive>, number]>([
    ['a deletion', OPERATION.delete, { fc: { crb: '20000101T000000' } }, 5001],
    ['an update', OPERATION.update, { fc: { lbl: ['no'] }, pc: { 'm2m:cnt': { mni: 1 } } }, 5001],
    ['a retrieval of one resource', OPERATION.retrieve, { fc: { lbl: ['no'] } }, 5001],
    ['a filter usage that is not known', OPERATION.retrieve, { fc: { fu: 3 } }, 5001],
    ['a time that is none', OPERATION.retrieve, { fc: { fu: 1, crb: 'yesterday' } }, 4000],
    ['a kind of address that is not known', OPERATION.retrieve, { drt: 9 }, 4000],
  ])('conditions that would not be acted on are refused: %s', async (_, op, rest, rsc) => {
    expect(await ask('Cowner', op, 'cse-in/own/open', rest)).toMatchObject({ rsc });
    expect(await retrieve('Cowner', 'cse-in/own/open')).toMatchObject({ pc: { 'm2m:cnt': { cni: 3 } } });
  });

  test('rcn 4, 5, 6 and 8 show the children each in its way', async () => {
    const get = async (rcn: number): Promise<unknown> =>
      (await retrieve('Creader', 'cse-in/own/open', { rcn })).pc;
    const cins = [{ con: '1' }, { con: '2' }, { con: '3' }];
    expect(await get(4)).toMatchObject({ 'm2m:cnt': { rn: 'open', 'm2m:cin': cins } });
    expect(await get(5)).toMatchObject({
      'm2m:cnt': { rn: 'open', ch: [{ typ: 4 }, { typ: 4 }, { typ: 4 }] },
    });
    expect(await get(6)).toMatchObject({ 'm2m:rrl': { rrf: { length: 3 } } });
    expect(await get(8)).toMatchObject({ 'm2m:cnt': { 'm2m:cin': cins } });
    expect(await get(8)).not.toHaveProperty('m2m:cnt.rn');
  });

  test('contentInstances are governed by their container', async () => {
    expect(await retrieve('Creader', 'cse-in/own/open/la')).toMatchObject({
      rsc: 2000,
      pc: { 'm2m:cin': { con: '3' } },
    });
    expect(await retrieve('Cstranger', 'cse-in/own/open/la')).toMatchObject({ rsc: 4103 });
    expect(await create('Creader', 'cse-in/own/open', 4, { 'm2m:cin': { con: '4' } })).toMatchObject({
      rsc: 4103,
    });
    expect(await ask('Creader', OPERATION.delete, 'cse-in/own/open/la')).toMatchObject({ rsc: 4103 });
  });

  test('a policy decides as it is now: narrowed, widened and deleted', async () => {
    const read = async (fr: string): Promise<number> => (await retrieve(fr, 'cse-in/own/open/la')).rsc;
    const write = async (fr: string): Promise<number> =>
      (await create(fr, 'cse-in/own/open', 4, { 'm2m:cin': { con: 'w' } })).rsc;
    const pv = (acop: number): unknown => ({ 'm2m:acp': { pv: { acr: [{ acor: ['Creader'], acop }] } } });
    expect([await read('Creader'), await write('Creader')]).toEqual([2000, 4103]);
    await ask('Cowner', OPERATION.update, 'cse-in/own/acp', { pc: pv(1) });
    expect([await read('Creader'), await write('Creader'), await write('Creader')]).toEqual([
      4103, 2001, 2001,
    ]);
    expect([await read('Cowner'), await write('Cowner')]).toEqual([4103, 4103]);
    expect(await ask('Cowner', OPERATION.delete, 'cse-in/own/acp')).toMatchObject({ rsc: 2002 });
    expect([await read('Creader'), await write('Creader')]).toEqual([4103, 4103]);
    expect([await read('Cowner'), await write('Cowner')]).toEqual([2000, 2001]);
  });

  test('a subscription with too many targets is refused before any of them is asked', async () => {
    const nu = Array.from({ length: 17 }, (_, each) => `http://unwilling/${each}`);
    const subscription = { 'm2m:sub': { nu, enc: { net: [3] } } };
    expect(await create('Cowner', 'cse-in/own/open', 23, subscription)).toMatchObject({ rsc: 5207 });
  });

  test('a reader may subscribe, a stranger not', async () => {
    const subscription = (rn: string): unknown => ({ 'm2m:sub': { rn, nu: ['Creader'], enc: { net: [3] } } });
    expect(await create('Creader', 'cse-in/own/open', 23, subscription('a'))).toMatchObject({ rsc: 2001 });
    expect(await create('Cstranger', 'cse-in/own/open', 23, subscription('b'))).toMatchObject({ rsc: 4103 });
  });
});

describe('update and deletion', () => {
  test('change what they name', async () => {
    const update = (to: string, pc: unknown, rcn?: number): Promise<ResponsePrimitive> =>
      ask('Cowner', OPERATION.update, to, { pc, ...(rcn === undefined ? {} : { rcn }) });
    expect(await update('cse-in/own/cnt', { 'm2m:cnt': { mni: 2, lbl: null } }, 9)).toMatchObject({
      rsc: 2004,
      pc: { 'm2m:cnt': { mni: 2, st: 1 } },
    });
    expect((await retrieve('Cowner', 'cse-in/own/cnt')).pc).not.toHaveProperty(['m2m:cnt', 'lbl']);
    await create('Cowner', 'cse-in/own/cnt', 4, { 'm2m:cin': { con: 'v' } });
    expect(await update('cse-in/own/cnt/la', { 'm2m:cin': { lbl: ['a'] } })).toMatchObject({ rsc: 4005 });
    expect(
      await ask('Cother', OPERATION.update, 'cse-in/own/cnt', { pc: { 'm2m:cnt': { mni: 1 } } }),
    ).toMatchObject({ rsc: 4103 });
    expect(await ask('CAdmin', OPERATION.delete, 'cse-in')).toMatchObject({ rsc: 4005 });
    expect(await ask('Cowner', OPERATION.delete, 'cse-in/own/cnt', { rcn: 1 })).toMatchObject({
      rsc: 2002,
      pc: { 'm2m:cnt': { rn: 'cnt' } },
    });
    expect(await ask('Cowner', OPERATION.delete, 'cse-in/own/cnt')).toMatchObject({ rsc: 4004 });
  });
});
