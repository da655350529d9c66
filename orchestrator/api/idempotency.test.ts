import { beforeEach, describe, expect, test } from 'vitest';
import { createFakeClock, type FakeClock } from '../../test/kit/fake-clock.ts';
import type { TenantId } from '../../kernel/index.ts';
import type { Caller } from '../domain/index.ts';
import { createMemoryStore, type MemoryStore } from '../store/index.ts';
import { createIdempotency, parseIdempotencyKey, type Idempotency } from './idempotency.ts';

let clock: FakeClock;
let store: MemoryStore;
let idempotency: Idempotency;
let handled: number;

beforeEach(() => {
  clock = createFakeClock();
  store = createMemoryStore();
  idempotency = createIdempotency(store, clock);
  handled = 0;
});

const request = (key: string, body = '{}', tenant = 'a') => ({
  key,
  caller: { tenant: tenant as TenantId, role: 'operator', name: 'n' } satisfies Caller,
  method: 'POST',
  target: '/x',
  rawBody: Buffer.from(body),
});
const create = async (): Promise<{ status: number; body: unknown }> => {
  handled += 1;
  await new Promise((resolve) => setImmediate(resolve));
  return { status: 201, body: { number: handled } };
};

describe('an Idempotency-Key', () => {
  test('gives the same answer to the same request, also when they come together', async () => {
    const answers = await Promise.all([1, 2, 3, 4].map(() => idempotency.run(request('k'), create)));
    expect(answers.map(({ body }) => body)).toEqual([
      { number: 1 },
      { number: 1 },
      { number: 1 },
      { number: 1 },
    ]);
    expect((await idempotency.run(request('k'), create)).body).toEqual({ number: 1 });
    expect(handled).toBe(1);
  });

  test('still does after a restart', async () => {
    await idempotency.run(request('k'), create);
    await store.whenDurable();
    const again = createIdempotency(createMemoryStore({ disk: store.disk }), clock);
    expect((await again.run(request('k'), create)).body).toEqual({ number: 1 });
  });

  test('is refused for another request, and free for another tenant', async () => {
    await idempotency.run(request('k'), create);
    await expect(idempotency.run(request('k', '{"other":1}'), create)).rejects.toMatchObject({
      code: 'unprocessable',
    });
    expect((await idempotency.run(request('k', '{}', 'b'), create)).body).toEqual({ number: 2 });
  });

  test('does not remember a failure: it has changed nothing', async () => {
    const fail = async (): Promise<never> => {
      throw new Error('no');
    };
    await expect(idempotency.run(request('k'), fail)).rejects.toThrow('no');
    expect((await idempotency.run(request('k'), create)).status).toBe(201);
  });

  test('is remembered in the very commit that creates, where the use case puts it there', async () => {
    await idempotency.run(request('k'), async (writesOf) => {
      const answer = { status: 201, body: { atomic: true } };
      store.commit(writesOf(answer));
      return answer;
    });
    expect(store.acceptedRevision).toBe(1);
    expect((await idempotency.run(request('k'), create)).body).toEqual({ atomic: true });
  });

  test('is forgotten after a day, and swept away', async () => {
    await idempotency.run(request('k'), create);
    await clock.advance(25 * 3600 * 1000);
    expect((await idempotency.run(request('other'), create)).body).toEqual({ number: 2 });
    expect([...store.list('idempotency')]).toHaveLength(1);
  });

  test.each(['', 'a b', 'ü', 'x'.repeat(201)])('%j is refused', (key) => {
    expect(() => parseIdempotencyKey(key)).toThrow('use a UUID');
  });
});
