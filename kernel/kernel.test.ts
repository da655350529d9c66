import { describe, expect, it } from 'vitest';
import { assert, property, string } from 'fast-check';
import {
  canTransition,
  ERROR_TABLE,
  IotmanoError,
  isTransient,
  messageOf,
  parseId,
  systemClock,
  transition,
  uuidV5,
} from './index.ts';

describe('errors', () => {
  it('take kind and status from the table', () => {
    const error = new IotmanoError(
      'not-found',
      'there is no host gw-1',
      { hostId: 'gw-1' },
      new Error('cause'),
    );
    expect([error.kind, error.status, error.message]).toEqual(['notFound', 404, 'there is no host gw-1']);
    expect(error.cause).toBeInstanceOf(Error);
  });

  it('are retried only when transient', () => {
    expect(isTransient(new IotmanoError('unavailable', 'later'))).toBe(true);
    expect(isTransient(new IotmanoError('conflict', 'no'))).toBe(false);
    expect(isTransient(new Error('anything'))).toBe(false);
  });

  it('have a client status for every kind but transient and terminal', () => {
    const refusals = Object.values(ERROR_TABLE).filter(
      ({ kind }) => kind !== 'transient' && kind !== 'terminal',
    );
    expect(refusals.filter(({ status }) => status < 400 || status >= 500)).toEqual([]);
  });

  it('give the text of whatever was thrown', () => {
    expect([messageOf(new Error('a')), messageOf('b'), messageOf(3)]).toEqual(['a', 'b', '3']);
  });
});

describe('ids', () => {
  it('accept what the pattern allows and name the place of anything else', () => {
    expect(parseId('gw-1', 'hostId')).toBe('gw-1');
    for (const bad of ['', 'A', '../x', 'a/b', 'a'.repeat(41), 7, null, undefined, '\u0000']) {
      expect(() => parseId(bad, 'hostId')).toThrowError(/hostId must be/);
    }
  });

  it('never accept a string that could leave a folder', () => {
    assert(
      property(string(), (text) => {
        try {
          return /^[a-z0-9-]{1,40}$/.test(parseId(text, 'x'));
        } catch (error) {
          return error instanceof IotmanoError && error.code === 'invalid-parameter';
        }
      }),
    );
  });

  it('make name-based UUIDs as RFC 9562 does', () => {
    expect(uuidV5('6ba7b810-9dad-11d1-80b4-00c04fd430c8', 'www.example.com')).toBe(
      '2ed6657d-e927-568b-95e1-2665a8aea6a2',
    );
  });
});

describe('transitions', () => {
  const door = { open: { close: 'closed' }, closed: { open: 'open', lock: 'locked' }, locked: {} } as const;

  it('follow the table', () => {
    expect(
      transition<'open' | 'closed' | 'locked', 'open' | 'close' | 'lock'>(door, 'closed', 'lock', 'door 1'),
    ).toBe('locked');
    expect(canTransition<'open' | 'closed' | 'locked', 'open' | 'close' | 'lock'>(door, 'open', 'lock')).toBe(
      false,
    );
  });

  it('refuse the rest and say what is possible', () => {
    expect(() =>
      transition<'open' | 'closed' | 'locked', 'open' | 'close' | 'lock'>(door, 'closed', 'close', 'door 1'),
    ).toThrowError('door 1 is closed, which does not allow "close"; possible now: open, lock');
  });
});

describe('the system clock', () => {
  it('sleeps until the time has passed or the signal aborts', async () => {
    const begin = systemClock.monotonic();
    await systemClock.sleep(15);
    expect(systemClock.monotonic() - begin).toBeGreaterThanOrEqual(14);
    const abort = new AbortController();
    const long = systemClock.sleep(60_000, abort.signal);
    abort.abort();
    await long;
    await systemClock.sleep(60_000, abort.signal);
    expect(systemClock.monotonic() - begin).toBeLessThan(10_000);
  });
});
