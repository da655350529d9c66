import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { DEFAULT_TENANT, IotmanoError } from '../../../kernel/index.ts';
import type { StateStore, Write } from '../contract.ts';
import { session } from './records.ts';
import type { StorePlace } from './place.ts';

type Operation = Write['op'];

interface IntendedWrite {
  readonly op: Operation;
  readonly id: string;
  readonly value: number;
  /** Whether to name the right revision. */
  readonly isCurrent: boolean;
}

type Step =
  | { readonly do: 'commit'; readonly writes: readonly IntendedWrite[]; readonly isRefused: boolean }
  | { readonly do: 'await' }
  | { readonly do: 'reopen' };

/** The trivial store: what the real ones are compared with. */
interface Model {
  revision: number;
  readonly records: Map<string, { readonly revision: number; readonly value: number }>;
}

const intendedWrite = fc.record<IntendedWrite>({
  op: fc.constantFrom<Operation>('create', 'update', 'delete', 'put'),
  id: fc.constantFrom('a', 'a.b', 'a.c', 'b', 'é', 'z'),
  value: fc.nat({ max: 1000 }),
  isCurrent: fc.boolean(),
});

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('commit' as const),
      writes: fc.uniqueArray(intendedWrite, { maxLength: 4, selector: (write) => write.id }),
      isRefused: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('await' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reopen' as const) }) },
);

function toWrite(intended: IntendedWrite, model: Model): Write {
  const current = model.records.get(intended.id)?.revision ?? 0;
  const target = { kind: 'session', id: intended.id } as const;
  const content = { tenant: DEFAULT_TENANT, document: session(intended.value) };
  const expectedRevision = intended.isCurrent ? current : current + 1;
  switch (intended.op) {
    case 'create':
    case 'put':
      return { op: intended.op, ...target, ...content };
    case 'update':
      return { op: 'update', ...target, expectedRevision, document: content.document };
    case 'delete':
      return { op: 'delete', ...target, expectedRevision };
  }
}

function isAllowed(intended: IntendedWrite, model: Model): boolean {
  const exists = model.records.has(intended.id);
  if (intended.op === 'put') return true;
  return intended.op === 'create' ? !exists : exists && intended.isCurrent;
}

function commitToModel(writes: readonly IntendedWrite[], model: Model): void {
  if (writes.length === 0) return;
  model.revision += 1;
  for (const { op, id, value } of writes) {
    if (op === 'delete') model.records.delete(id);
    else model.records.set(id, { revision: model.revision, value });
  }
}

function commitToBoth(store: StateStore, model: Model, { writes, isRefused }: Step & { do: 'commit' }): void {
  const isExpected = writes.every((write) => isAllowed(write, model)) && !(isRefused && writes.length > 0);
  const refusal = new IotmanoError('no-host-fits', 'refused by verify');
  let isAccepted = true;
  try {
    store.commit(
      writes.map((write) => toWrite(write, model)),
      () => {
        if (isRefused) throw refusal;
      },
    );
  } catch (error) {
    if (!(error instanceof IotmanoError)) throw error;
    isAccepted = false;
  }
  same('accepted', isAccepted, isExpected);
  if (isExpected) commitToModel(writes, model);
}

function compare(store: StateStore, model: Model): void {
  same('revision', store.acceptedRevision, model.revision);
  const expected = [...model.records]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([id, { revision, value }]) => ({
      kind: 'session',
      id,
      tenant: 'default',
      revision,
      document: session(value),
    }));
  same('records', [...store.list('session')], expected);
  same(
    'records by prefix',
    [...store.listByPrefix('session', 'a.')],
    expected.filter((r) => r.id.startsWith('a.')),
  );
}

function same(what: string, actual: unknown, expected: unknown): void {
  if (isDeepStrictEqual(actual, expected)) return;
  throw new Error(`${what}: ${JSON.stringify(actual)} where the model has ${JSON.stringify(expected)}`);
}

/** Commits, right and wrong ones, and openings, on a real store and on the model; throws where they differ. */
export const checkAgainstModel = {
  steps: fc.array(step, { maxLength: 40 }),
  run: async (place: StorePlace, steps: readonly Step[]): Promise<void> => {
    const model: Model = { revision: 0, records: new Map() };
    let store = await place.open();
    for (const one of steps) {
      if (one.do === 'commit') commitToBoth(store, model, one);
      if (one.do === 'await') await store.whenDurable();
      if (one.do === 'reopen') {
        await store.close();
        store = await place.open();
      }
      compare(store, model);
    }
    await store.close();
    store = await place.open();
    compare(store, model);
    await store.close();
  },
};
