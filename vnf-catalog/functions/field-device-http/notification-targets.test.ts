import { describe, expect, test } from 'vitest';
import { NotificationTargets } from './notification-targets.ts';

describe('where notifications may go', () => {
  test.each([
    ['192.0.2.7', '10.0.0.1', true],
    ['192.0.2.7', '2001:db8::1', true],
    ['192.0.2.7', '127.0.0.1', false],
    ['192.0.2.7', '::1', false],
    ['192.0.2.7', '::ffff:127.0.0.1', false],
    ['192.0.2.7', '0.0.0.0', false],
    ['192.0.2.7', '169.254.169.254', false],
    ['192.0.2.7', '::ffff:169.254.169.254', false],
    ['192.0.2.7', 'fe80::1', false],
    ['192.0.2.7', '255.255.255.255', false],
    ['192.0.2.7', 'localhost', false],
    ['0.0.0.0', '127.0.0.1', false],
    ['127.0.0.1', '127.0.0.1', true],
    ['::1', '::1', true],
    ['127.0.0.1', '169.254.169.254', false],
  ])('served on %s, to %s: %s', (listensOn, address, isPermitted) => {
    expect(new NotificationTargets([], listensOn).permits(address)).toBe(isPermitted);
  });

  test('with networks configured, to those alone', () => {
    const targets = new NotificationTargets(['10.1.0.0/16', '2001:db8::7', '127.0.0.1'], '192.0.2.7');
    const permitted = ['10.1.2.3', '10.2.0.1', '2001:db8::7', '2001:db8::8', '127.0.0.1'].map((each) =>
      targets.permits(each),
    );
    expect(permitted).toEqual([true, false, true, false, true]);
  });

  test.each(['10.0.0.0/33', 'example.org', '10.0.0.0/x', ''])('"%s" is no network', (network) => {
    expect(() => new NotificationTargets([network], '127.0.0.1')).toThrow(/notificationTargets/);
  });

  test('a name is followed to permitted addresses only', async () => {
    const resolve = (targets: NotificationTargets): Promise<string> =>
      new Promise((done) => {
        targets.lookup('localhost', { all: true }, (error) => done(error?.message ?? 'found'));
      });
    expect(await resolve(new NotificationTargets([], '127.0.0.1'))).toBe('found');
    expect(await resolve(new NotificationTargets([], '192.0.2.7'))).toMatch(/localhost are not permitted/);
  });
});
