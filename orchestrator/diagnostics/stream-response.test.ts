import { expect, it } from 'vitest';
import type { HostId, VnfcInstanceId } from '../../kernel/index.ts';
import { createFakeClock } from '../../test/kit/fake-clock.ts';
import { DiagnosticStream } from './stream.ts';
import { streamResponse } from './stream-response.ts';

it('a reader that does not fetch what is left of a stream that has ended is cut off', async () => {
  const clock = createFakeClock();
  const key = { tenant: 'default', vnfInstanceId: 'v-1', unit: 'main', generation: 1 } as never;
  const copy = { vnfcInstanceId: 'c-1' as VnfcInstanceId, hostId: 'gw-1' as HostId, key, slot: 0 };
  const stream = new DiagnosticStream({
    id: 's-1',
    caller: { tenant: 'default', name: 'op', role: 'operator' } as never,
    order: { kind: 'exec', copy, command: ['yes'], maxBytes: 1_000_000, maxSeconds: 10 },
    auditId: '1',
    openedAt: 0,
  });
  const released: string[] = [];
  const streams = { end: () => undefined, release: ({ id }: DiagnosticStream) => released.push(id) };
  const { stream: body } = streamResponse({ streams, clock }, { isStillCaller: () => true }, stream);
  stream.take([{ channel: 'stdout', bytes: Buffer.alloc(500_000) }]);
  stream.finish({ reason: 'SECONDS' }, false);
  await clock.advance(119_000);
  expect([body?.destroyed, released]).toEqual([false, []]);
  await clock.advance(2000);
  expect([body?.destroyed, released]).toEqual([true, ['s-1']]);
});
