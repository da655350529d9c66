import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { createInputBuffer } from './input-buffer.ts';
import { createOutputQueue } from './output-queue.ts';

it('input arrives whole and once, whatever either side repeats, in a bounded buffer', () => {
  const step = fc.record({ who: fc.constantFrom('writer', 'reader'), back: fc.nat(5), size: fc.nat(9) });
  fc.assert(
    fc.property(fc.string({ maxLength: 60 }), fc.array(step, { maxLength: 200 }), (text, steps) => {
      const all = Buffer.from(text);
      const buffer = createInputBuffer(8);
      const read: number[] = [];
      for (const { who, back, size } of steps) {
        const from = Math.max(0, buffer.receivedBytes - back);
        if (who === 'writer') buffer.write(from, all.subarray(from, from + size), false);
        else read.push(...buffer.readFrom(read.length, size).bytes);
        expect(buffer.receivedBytes - read.length).toBeLessThanOrEqual(8);
      }
      expect(Buffer.from(read)).toEqual(all.subarray(0, read.length));
    }),
    { numRuns: 300 },
  );
});

it('input ends where it was said to, and takes nothing after that', () => {
  const buffer = createInputBuffer(8);
  buffer.write(0, Buffer.from('0123456789'), true);
  expect(buffer.isEnded).toBe(false);
  expect(buffer.readFrom(0, 4)).toEqual({ bytes: Buffer.from('0123'), isEnd: false });
  buffer.readFrom(4, 4);
  buffer.write(4, Buffer.from('456789'), true);
  expect(buffer.readFrom(8, 4)).toEqual({ bytes: Buffer.from('89'), isEnd: true });
  expect(() => buffer.write(10, Buffer.from('x'), false)).toThrow(/complete already/);
});

it('output is read in order to its end, unless it is dropped', async () => {
  const never = new AbortController().signal;
  const queue = createOutputQueue(4);
  const waiting = queue.next(never);
  queue.push({ channel: 'stdout', bytes: Buffer.from('abc') });
  queue.push({ channel: 'stderr', bytes: Buffer.from('de') });
  queue.push({ channel: 'stdout', bytes: Buffer.from('fgh') });
  expect(queue.roomBytes).toBe(0);
  queue.close(false);
  const read = [await waiting, await queue.next(never), await queue.next(never), await queue.next(never)];
  expect(read.map((one) => (typeof one === 'string' ? one : Buffer.from(one.bytes).toString()))).toEqual([
    'abc',
    'de',
    'fgh',
    'closed',
  ]);
  const dropped = createOutputQueue(4);
  dropped.push({ channel: 'stdout', bytes: Buffer.from('abc') });
  dropped.close(true);
  expect(await dropped.next(never)).toBe('closed');
  expect(await createOutputQueue(4).next(AbortSignal.abort())).toBe('waiting');
});
