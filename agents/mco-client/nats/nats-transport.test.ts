import { headers as createHeaders, type Msg } from '@nats-io/transport-node';
import { describe, expect, it } from 'vitest';
import { NATS_OPERATIONS } from '../../../api-specs/generated/mco-nats.ts';
import { createInbox } from './inbox.ts';
import { toNatsRequest } from './message.ts';
import { parseNatsServers } from './nats-servers.ts';
import { createPushes, type Push } from './pushes.ts';
import { createReceipts } from './receipts.ts';

const AT_ONCE = 5000;

function message(subject: string, text: string, carried: Record<string, string> = {}): Msg {
  const headers = createHeaders();
  for (const [name, value] of Object.entries(carried)) headers.set(name, value);
  return { subject, data: Buffer.from(text), headers } as unknown as Msg;
}

function push(since: number, revision: number, bootId = 'boot'): Push {
  return { bootId, since, revision, headers: {}, body: Buffer.from('{}') };
}

describe('the URLs of servers of NATS', () => {
  it('name one server or several, with the usual port where none is given', () => {
    expect(parseNatsServers('nats://127.0.0.1', {})).toEqual({ servers: ['127.0.0.1:4222'] });
    expect(parseNatsServers('nats://localhost:1, nats://[::1]:2', {}).servers).toEqual([
      'localhost:1',
      '[::1]:2',
    ]);
    const { servers, ca } = parseNatsServers('tls://nats.example:4223', {});
    expect(servers).toEqual(['nats.example:4223']);
    expect(ca).toContain('BEGIN CERTIFICATE');
  });

  // MCO-C-002
  it('are refused where they would leave this machine in the clear', () => {
    expect(() => parseNatsServers('nats://nats.example', {})).toThrow(/use tls:\/\//);
    expect(() => parseNatsServers('nats://127.0.0.1,nats://10.0.0.1', {})).toThrow('10.0.0.1');
    expect(parseNatsServers('nats://nats.example', { isInsecureHttpAllowed: true }).ca).toBeUndefined();
  });

  it.each([
    '',
    'nats://',
    'tls://x,nats://127.0.0.1',
    'nats://user:secret@127.0.0.1',
    'nats://127.0.0.1/x',
    'nats://a:b',
  ])('are refused where they are none: %j', (text) => {
    expect(() => parseNatsServers(text, {})).toThrow(/tls:\/\//);
  });
});

describe('a request as a message', () => {
  it('is there for every operation, with all parameters as headers and what HTTP alone needs left out', () => {
    for (const { name, method, path } of NATS_OPERATIONS) {
      const request = {
        method,
        path: `${path.replace('{hostId}', 'gw-1').replace('{digest}', 'sha256:ab').replace('{streamId}', 'st-1')}?since=7&drain=true&wait=3`,
        headers: { accept: 'x', 'content-type': 'y', 'mco-boot-id': 'b', range: 'bytes=1-' },
        timeoutMilliseconds: 1,
      };
      const { operation, headers, waitMilliseconds } = toNatsRequest(request);
      expect(operation).toBe(name);
      expect(waitMilliseconds).toBe(3000);
      expect(headers).toEqual({
        'Mco-Boot-Id': 'b',
        Range: 'bytes=1-',
        ...(name === 'wanted' ? { 'Mco-Since': '7' } : {}),
        ...(name === 'leave' ? { 'Mco-Drain': 'true' } : {}),
        ...(name === 'stream' ? { 'Mco-Stream-Id': 'st-1' } : {}),
        ...(name === 'artifact' ? { 'Mco-Digest': 'sha256:ab' } : {}),
      });
    }
  });

  it('is none for anything else', () => {
    const request = {
      method: 'GET',
      path: '/mco/v1/hosts/gw-1/other',
      headers: {},
      timeoutMilliseconds: 1,
    } as const;
    expect(() => toNatsRequest(request)).toThrow('no operation of Mco');
  });
});

describe('an answer', () => {
  it('is put together from its parts, in order', async () => {
    const inbox = createInbox();
    const answer = inbox.wait('a', AT_ONCE, undefined);
    inbox.receive(message('b', 'of nobody'));
    inbox.receive(message('a', 'one ', { 'Mco-Part': '1/2' }));
    inbox.receive(message('a', 'two', { 'Mco-Part': '2/2', 'Mco-Status': '200' }));
    expect((await answer).body.toString()).toBe('one two');
  });

  it.each([
    ['a part is missing', { 'Mco-Part': '2/2' }],
    ['a part is no number', { 'Mco-Part': 'x' }],
  ])('is a transient failure where %s', async (_, carried) => {
    const inbox = createInbox();
    const answer = inbox.wait('a', AT_ONCE, undefined);
    inbox.receive(message('a', '', carried));
    await expect(answer).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('is a transient failure where nobody is there, where none comes, or where it is given up', async () => {
    const inbox = createInbox();
    const nobody = inbox.wait('a', AT_ONCE, undefined);
    const noResponders = { ...message('a', ''), headers: { code: 503, keys: () => [] } } as unknown as Msg;
    inbox.receive(noResponders);
    await expect(nobody).rejects.toMatchObject({ code: 'unavailable' });
    await expect(inbox.wait('a', 1, undefined)).rejects.toMatchObject({ code: 'timeout' });
    await expect(inbox.wait('a', AT_ONCE, AbortSignal.abort())).rejects.toMatchObject({
      code: 'unavailable',
    });
  });
});

describe('pushes', () => {
  it('are taken where they are newer and of this boot, also when they came before they were waited for', async () => {
    const pushes = createPushes();
    pushes.receive(push(3, 4));
    expect(await pushes.next('boot', 4, 1)).toBe('nothing');
    expect(await pushes.next('other', 3, 1)).toBe('nothing');
    expect(await pushes.next('boot', 3, AT_ONCE)).toEqual(push(3, 4));
    const waiting = pushes.next('boot', 4, AT_ONCE);
    pushes.receive(push(4, 5, 'other'));
    pushes.receive(push(4, 6));
    expect(await waiting).toEqual(push(4, 6));
  });

  it('that may have been missed are asked for', async () => {
    const pushes = createPushes();
    const waiting = pushes.next('boot', 4, AT_ONCE);
    pushes.interrupt();
    expect(await waiting).toBe('ask');
    expect(await pushes.next('boot', 4, AT_ONCE, AbortSignal.abort())).toBe('nothing');
  });
});

describe('receipts', () => {
  it('stand for all before them, of their own boot, and an older one says nothing', async () => {
    const receipts = createReceipts();
    const first = receipts.wait('boot', 1, AT_ONCE, undefined);
    receipts.take('other', 9, 0);
    receipts.take('boot', 3, 2);
    expect(await first).toEqual({ nextSequence: 2, ignored: 2 });
    receipts.take('boot', 2, 0);
    expect(await receipts.wait('boot', 2, AT_ONCE, undefined)).toMatchObject({ nextSequence: 3 });
    await expect(receipts.wait('boot', 3, 1, undefined)).rejects.toMatchObject({ code: 'timeout' });
    await expect(receipts.wait('boot', 3, AT_ONCE, AbortSignal.abort())).rejects.toMatchObject({
      code: 'unavailable',
    });
  });
});
