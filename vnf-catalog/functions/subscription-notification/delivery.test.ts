import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createFakeClock } from '../../../test/kit/fake-clock.ts';
import type { OutboxBatch, OutboxEvent } from '../../shared/index.ts';
import { composeNotification, composeVerification } from './compose.ts';
import { computeSettlement, deliverBatch } from './delivery.ts';
import { isAccepted } from './sender.ts';

const SETTINGS = {
  retryMinMilliseconds: 100,
  retryMaxMilliseconds: 1_000,
  removeAfterFailures: 3,
  removeAfterMilliseconds: 5_000,
};
const event: OutboxEvent = {
  sub: 'sub1',
  sur: 'cse-in/a/c/sub',
  target: 'Ct',
  cr: 'Cc',
  net: 3,
  nct: 1,
  ty: 4,
  rep: { ri: 'cin1' },
};

function batchOf(count: number, rest: Partial<OutboxBatch> = {}): OutboxBatch & { readonly queue: string } {
  const entries = Array.from({ length: count }, (_, id) => ({ id, event }));
  return { queue: 'q', entries, failures: 0, failingForMilliseconds: 0, ...rest };
}

describe('the settlement of a batch', () => {
  test('says what was delivered, and nothing else when nothing failed', () => {
    const settlement = computeSettlement(batchOf(2), { accepted: [0, 1], hasFailed: false }, 'w', SETTINGS);
    expect(settlement).toEqual({ worker: 'w', queue: 'q', done: [0, 1] });
  });

  test('backs off twice as long with each failure in a row, up to the longest pause', () => {
    const pauses = [0, 1, 2, 3, 4, 5, 50].map(
      (failures) =>
        computeSettlement(batchOf(1, { failures }), { accepted: [], hasFailed: true }, 'w', SETTINGS)
          .retryAfterMilliseconds,
    );
    expect(pauses).toEqual([100, 200, 400, 800, 1_000, 1_000, 1_000]);
  });

  test('gives a target up only when it failed both often and long enough', () => {
    const removal = (failures: number, failingForMilliseconds: number): string | undefined =>
      computeSettlement(
        batchOf(1, { failures, failingForMilliseconds }),
        { accepted: [], hasFailed: true },
        'w',
        SETTINGS,
      ).removeSubscription;
    expect([removal(2, 4_999), removal(1, 5_000), removal(2, 5_000)]).toEqual([undefined, undefined, 'sub1']);
  });

  test('a notice of deletion that cannot be delivered is dropped in the end', () => {
    const entries = [{ id: 7, event: { ...event, sud: true } }];
    const settle = (failures: number) =>
      computeSettlement(batchOf(0, { entries, failures }), { accepted: [], hasFailed: true }, 'w', SETTINGS);
    expect(settle(1).done).toEqual([]);
    expect(settle(2)).toEqual({ worker: 'w', queue: 'q', done: [7] });
  });
});

describe('the delivery of a batch', () => {
  test('begins in order, never more at once than allowed, and nothing after a failure', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 30 }),
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 0, max: 40 }),
        async (count, atOnce, bad) => {
          const begun: number[] = [];
          let underWay = 0;
          const send = async ({ id }: { readonly id: number }) => {
            begun.push(id);
            underWay += 1;
            expect(underWay).toBeLessThanOrEqual(atOnce);
            await Promise.resolve();
            underWay -= 1;
            return { answered: id !== bad };
          };
          const delivery = await deliverBatch(
            batchOf(count),
            atOnce,
            send,
            ({ answered }) => answered,
            createFakeClock(),
          );
          expect(begun).toEqual(begun.toSorted((a, b) => a - b));
          expect(delivery.hasFailed).toBe(bad < count);
          expect(begun.length).toBeLessThanOrEqual(bad < count ? bad + atOnce : count);
          expect([...delivery.accepted].toSorted((a, b) => a - b)).toEqual(begun.filter((id) => id !== bad));
        },
      ),
    );
  });

  test('hands the rest back when it takes too long', async () => {
    const clock = createFakeClock();
    const send = async () => {
      await clock.sleep(5_000);
      return { answered: true };
    };
    const delivering = deliverBatch(batchOf(10), 1, send, ({ answered }) => answered, clock);
    await clock.advance(60_000);
    expect(await delivering).toEqual({ accepted: [0, 1], hasFailed: false });
  });
});

describe('a notification', () => {
  test('carries the resource, the modified part or its id, as the subscription wants', () => {
    expect(composeNotification(event, '/id-in')).toEqual({
      'm2m:sgn': { nev: { rep: { 'm2m:cin': { ri: 'cin1' } }, net: 3 }, sur: '/id-in/cse-in/a/c/sub' },
    });
    expect(composeNotification({ ...event, nct: 3, rep: { uri: 'cin1' } }, '/id-in')).toMatchObject({
      'm2m:sgn': { nev: { rep: { 'm2m:uri': 'cin1' } } },
    });
    expect(composeNotification({ ...event, sud: true }, '/id-in')).toEqual({
      'm2m:sgn': { sud: true, sur: '/id-in/cse-in/a/c/sub' },
    });
    expect(composeVerification('x/sub', 'Cc', '/id-in')).toEqual({
      'm2m:sgn': { vrq: true, sur: '/id-in/x/sub', cr: 'Cc' },
    });
  });

  test.each([
    [{ answered: false }, false],
    [{ answered: true, status: 200 }, true],
    [{ answered: true, status: 204 }, true],
    [{ answered: true, status: 500 }, false],
    [{ answered: true, status: 200, rsc: 2000 }, true],
    [{ answered: true, status: 200, rsc: 4103 }, false],
  ])('answered with %j: accepted %s', (reply, verdict) => {
    expect(isAccepted(reply)).toBe(verdict);
  });
});
