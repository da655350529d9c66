import { deepEqual, equal } from 'node:assert/strict';
import { mkdtempSync, readdirSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../kernel/index.ts';
import { openDiskQueue, type DiskQueue } from './index.ts';

const MANY = { entries: 1_000, bytes: 1024 * 1024 };
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'disk-queue-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

function open(maxBytes = 64 * 1024, at = directory): Promise<DiskQueue> {
  return openDiskQueue({ directory: at, maxBytes, sync: 'before-read', log: silentLogger });
}

async function texts(queue: DiskQueue, limit = MANY): Promise<string[]> {
  return (await queue.peek(limit)).map((entry) => `${entry.sequence}:${entry.payload.toString()}`);
}

describe('disk queue', () => {
  it('gives back what was taken, in order, until it is acknowledged', async () => {
    const queue = await open();
    for (const text of ['a', 'b', 'c']) await queue.append(Buffer.from(text));
    expect(await texts(queue)).toEqual(['1:a', '2:b', '3:c']);
    expect(await texts(queue, { entries: 2, bytes: 100 })).toEqual(['1:a', '2:b']);
    await queue.acknowledge(2);
    expect(await texts(queue)).toEqual(['3:c']);
    await queue.close();
  });

  it('goes on where it was after it was opened again, and never reuses a sequence', async () => {
    const first = await open();
    await first.append(Buffer.from('a'));
    await first.append(Buffer.from('b'));
    await first.acknowledge(2);
    await first.close();
    const second = await open();
    expect(await texts(second)).toEqual([]);
    expect(await second.append(Buffer.from('c'))).toBe(3);
    expect(await texts(second)).toEqual(['3:c']);
    await second.close();
  });

  it('remembers the sequence even when the cursor was lost to a power cut', async () => {
    const first = await open();
    for (let i = 0; i < 50; i += 1) await first.append(Buffer.alloc(1000, 65));
    await first.acknowledge(50);
    await first.close();
    writeFileSync(join(directory, 'cursor.json'), '');
    const second = await open();
    expect(await second.append(Buffer.from('x'))).toBe(51);
    await second.close();
  });

  it('drops the oldest beyond its bound and counts every one of them', async () => {
    const queue = await open(8 * 1024);
    for (let i = 0; i < 100; i += 1) await queue.append(Buffer.alloc(500, 65));
    const left = await queue.peek(MANY);
    expect(queue.dropped + left.length).toBe(100);
    expect(left.at(-1)?.sequence).toBe(100);
    expect(left.length * 520).toBeLessThanOrEqual(8 * 1024);
    await queue.close();
    const again = await open(8 * 1024);
    expect(again.dropped).toBe(queue.dropped);
    await again.close();
  });

  it('cuts off a torn end and keeps all before it', async () => {
    const first = await open();
    for (const text of ['aaaa', 'bbbb', 'cccc']) await first.append(Buffer.from(text));
    await first.close();
    const file = join(directory, readdirSync(directory).find((name) => name.endsWith('.segment')) ?? '');
    truncateSync(file, statSync(file).size - 2);
    const second = await open();
    expect(await texts(second)).toEqual(['1:aaaa', '2:bbbb']);
    await second.append(Buffer.from('dddd'));
    expect((await texts(second)).length).toBe(3);
    await second.close();
  });

  it('refuses an entry that could never fit, naming the limit', async () => {
    const queue = await open(8 * 1024);
    await expect(queue.append(Buffer.alloc(2048))).rejects.toThrow(/1004 at most/);
    expect(queue.newest).toBe(0);
    await queue.close();
  });

  it('keeps entries in memory while the disk refuses them, and writes them in order when it works again', async () => {
    const queue = await open();
    await queue.append(Buffer.from('a'));
    await queue.close();
    const moved = `${directory}-away`;
    renameSync(directory, moved);
    await queue.append(Buffer.from('b'));
    await queue.append(Buffer.from('c'));
    renameSync(moved, directory);
    expect(await texts(queue)).toEqual(['1:a', '2:b', '3:c']);
    await queue.close();
    const again = await open();
    expect(await texts(again)).toEqual(['1:a', '2:b', '3:c']);
    await again.close();
  });

  it('behaves as a plain list with a cursor, whatever happens to it', async () => {
    const operation = fc.oneof(
      fc.record({ do: fc.constant('append' as const), size: fc.nat(900) }),
      fc.record({
        do: fc.constant('acknowledge' as const),
        share: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
      fc.record({ do: fc.constant('peek' as const), entries: fc.integer({ min: 1, max: 20 }) }),
      fc.record({ do: fc.constant('reopen' as const), isClosed: fc.boolean() }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 40 }), async (operations) => {
        const place = mkdtempSync(join(directory, 'model-'));
        let queue = await open(1024 * 1024, place);
        const model: { sequence: number; size: number }[] = [];
        const abandoned: DiskQueue[] = [];
        let newest = 0;
        for (const step of operations) {
          if (step.do === 'append') {
            newest = await queue.append(Buffer.alloc(step.size, newest % 256));
            model.push({ sequence: newest, size: step.size });
          } else if (step.do === 'acknowledge') {
            const through = Math.floor(newest * step.share);
            await queue.acknowledge(through);
            while (model[0] !== undefined && model[0].sequence <= through) model.shift();
          } else if (step.do === 'peek') {
            const seen = await queue.peek({ entries: step.entries, bytes: 1024 * 1024 });
            deepEqual(
              seen.map(({ sequence, payload }) => ({ sequence, size: payload.length })),
              model.slice(0, step.entries),
            );
          } else {
            if (step.isClosed) await queue.close();
            else abandoned.push(queue);
            queue = await open(1024 * 1024, place);
            equal(queue.newest, newest);
          }
        }
        expect((await queue.peek(MANY)).map((entry) => entry.sequence)).toEqual(model.map((m) => m.sequence));
        expect(queue.dropped).toBe(0);
        for (const each of [queue, ...abandoned]) await each.close();
        rmSync(place, { recursive: true, force: true });
      }),
      { numRuns: 60 },
    );
  });
});
