import { describe, expect, it } from 'vitest';
import { systemClock } from '../../kernel/index.ts';
import { isFreeHere, PortBook, refusedPort } from './ports.ts';

const HTTP = { name: 'http', protocol: 'tcp', expose: true } as const;

describe('the port book', () => {
  it('gives every instance a number of its own within the range, and the same one again', async () => {
    const book = new PortBook([30_000, 30_001], systemClock);
    const one = await book.resolve('a', [HTTP], {});
    const other = await book.resolve('b', [HTTP], {});
    expect(new Set([one['http'], other['http']])).toEqual(new Set([30_000, 30_001]));
    expect(await book.resolve('a', [HTTP], one)).toEqual(one);
  });

  it('says so when the range is full, and goes on when an instance has gone', async () => {
    const book = new PortBook([30_000, 30_000], systemClock);
    await book.resolve('a', [HTTP], {});
    await expect(book.resolve('b', [HTTP], {})).rejects.toThrow('no port between 30000 and 30000 is free');
    book.release('a');
    expect(await book.resolve('b', [HTTP], {})).toEqual({ http: 30_000 });
  });

  it('gives another number than the one that the engine refused', async () => {
    const book = new PortBook([30_000, 30_001], systemClock);
    const first = await book.resolve('a', [HTTP], {});
    book.refuse(first['http'] ?? 0);
    expect(await book.resolve('a', [HTTP], first)).not.toEqual(first);
  });

  it('gives a fixed number to one of ours at a time', async () => {
    const book = new PortBook([30_000, 30_001], systemClock);
    await book.resolve('a', [{ ...HTTP, number: 8080 }], {});
    await expect(book.resolve('b', [{ ...HTTP, number: 8080 }], {})).rejects.toThrow(
      'port 8080 (http) is taken by a',
    );
  });

  it('asks the machine where it can', async () => {
    const asked: number[] = [];
    const book = new PortBook([30_000, 30_001], systemClock, async (_protocol, number) => {
      asked.push(number);
      return asked.length > 1;
    });
    const { http } = await book.resolve('a', [HTTP], {});
    expect(asked).toHaveLength(2);
    expect(http).toBe(asked[1]);
  });
});

it('finds the number that could not be published in what the engine says', () => {
  const allocated =
    'driver failed programming external connectivity on endpoint x (027c): Bind for 0.0.0.0:22222 failed: port is already allocated';
  const inUse =
    'driver failed programming external connectivity on endpoint x (027c): Error starting userland proxy: listen tcp4 0.0.0.0:8080: bind: address already in use';
  const sixth = 'Bind for :::22222 failed: port is already allocated';
  expect([allocated, inUse, sixth, 'network x not found'].map(refusedPort)).toEqual([
    22_222,
    8080,
    22_222,
    undefined,
  ]);
});

it('sees that a port of this machine is taken', async () => {
  const { createServer } = await import('node:net');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const number = typeof address === 'object' && address !== null ? address.port : 0;
  expect(await isFreeHere('tcp', number)).toBe(false);
  await new Promise((resolve) => server.close(resolve));
  expect(await isFreeHere('tcp', number)).toBe(true);
});
