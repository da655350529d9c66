import { createSocket } from 'node:dgram';
import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createPortBook, isFree } from './ports.ts';

const PORT = { name: 'http', protocol: 'tcp', expose: false } as const;

async function listen(host: string): Promise<{ number: number; close(): Promise<void> }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  return { number: port, close: () => new Promise((resolve) => server.close(() => resolve())) };
}

describe('the book of ports', () => {
  it('gives the same number again, and never one number twice', async () => {
    const book = createPortBook();
    const owners = Array.from({ length: 40 }, (_, index) => `owner-${index}`);
    const first = await Promise.all(owners.map((owner) => book.resolve(owner, [PORT], {})));
    expect(new Set(first.map(({ http }) => http)).size).toBe(40);
    const again = await Promise.all(
      owners.map((owner, index) => book.resolve(owner, [PORT], first[index] ?? {})),
    );
    expect(again).toEqual(first);
  });

  it('gives another number when somebody else has taken the chosen one', async () => {
    const book = createPortBook();
    const taken = await listen('127.0.0.1');
    const { http } = await book.resolve('one', [PORT], { http: taken.number });
    await taken.close();
    expect(http).not.toBe(taken.number);
  });

  it('refuses a fixed number that is taken, and says by whom where it knows', async () => {
    const book = createPortBook();
    const taken = await listen('::');
    const fixed = { ...PORT, number: taken.number };
    await expect(book.resolve('one', [fixed], {})).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining(`port ${taken.number} (http) is taken by another program`) as string,
    });
    await taken.close();
    expect(await book.resolve('one', [fixed], {})).toEqual({ http: taken.number });
    await expect(book.resolve('two', [fixed], {})).rejects.toThrow(/is taken by one/);
    book.release('one');
    expect(await book.resolve('two', [fixed], {})).toEqual({ http: taken.number });
  });

  it('knows UDP from TCP', async () => {
    const taken = await listen('127.0.0.1');
    expect(await isFree('tcp', taken.number)).toBe(false);
    await taken.close();
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    expect(await isFree('udp', socket.address().port)).toBe(false);
    await new Promise<void>((resolve) => socket.close(() => resolve()));
  });
});
