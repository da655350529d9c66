import { describe, expect, test } from 'vitest';
import { IotmanoError } from '../../../kernel/index.ts';
import { createFakeClock, type FakeClock } from '../../../test/kit/fake-clock.ts';
import type { RequestPrimitive, ResponsePrimitive } from '../../shared/index.ts';
import { forward } from './forward.ts';

const PRIMITIVE: RequestPrimitive = {
  op: 1,
  ty: 4,
  to: 'cse-in/cnt',
  fr: 'C',
  rqi: 'r',
  rvi: '4',
  key: 'the-key',
};
const SETTINGS = { deadlineMilliseconds: 10_000, attemptTimeoutMilliseconds: 1_000 };

/** A link on which each attempt goes as the script says; the last word is repeated. */
function scripted(clock: FakeClock, script: readonly ('silence' | 'nobody' | ResponsePrimitive)[]) {
  const sent: { body: string; at: number }[] = [];
  const link = {
    request: async (
      _subject: string,
      body: string | Uint8Array,
      options: { timeoutMilliseconds: number },
    ) => {
      const word = script[Math.min(sent.length, script.length - 1)] ?? 'nobody';
      sent.push({ body: String(body), at: clock.monotonic() });
      if (word === 'nobody') throw new IotmanoError('unavailable', 'nobody serves it');
      if (word !== 'silence') return Buffer.from(JSON.stringify(word));
      await clock.sleep(options.timeoutMilliseconds);
      throw new IotmanoError('timeout', 'no answer');
    },
  };
  return { link, sent };
}

async function run(script: Parameters<typeof scripted>[1], advance: number) {
  const clock = createFakeClock();
  const { link, sent } = scripted(clock, script);
  let retries = 0;
  const answer = forward(link, PRIMITIVE, SETTINGS, () => (retries += 1), clock);
  await clock.advance(advance);
  return { response: await answer, sent, retries };
}

describe('forwarding a request', () => {
  test('gives the first answer', async () => {
    const { response, sent } = await run([{ rsc: 2001 }], 0);
    expect(response).toEqual({ rsc: 2001 });
    expect(sent).toHaveLength(1);
  });

  test('tries again under the same key when an instance was killed with the request', async () => {
    const { response, sent, retries } = await run(
      ['silence', 'nobody', { rsc: 5103, retry: true }, { rsc: 2001 }],
      2_000,
    );
    expect(response).toEqual({ rsc: 2001 });
    expect(retries).toBe(3);
    expect(new Set(sent.map(({ body }) => body)).size).toBe(1);
    expect(JSON.parse(sent[0]?.body ?? '')).toEqual(PRIMITIVE);
  });

  test('answers at the deadline whatever happens', async () => {
    for (const word of ['silence', 'nobody'] as const) {
      const { response, sent } = await run([word], SETTINGS.deadlineMilliseconds);
      expect(response).toMatchObject({ rsc: 4008 });
      expect(sent.at(-1)?.at).toBeLessThan(SETTINGS.deadlineMilliseconds);
    }
  });

  test('a refusal is an answer, and is not tried again', async () => {
    const { response, sent } = await run([{ rsc: 4103 }], 0);
    expect(response).toEqual({ rsc: 4103 });
    expect(sent).toHaveLength(1);
  });
});
