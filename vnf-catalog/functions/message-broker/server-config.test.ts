import { describe, expect, test } from 'vitest';
import { nkeyName } from '../../../kernel/index.ts';
import { inboxPrefixOf } from '../../shared/index.ts';
import { renderServerConfig } from './server-config.ts';

const SETTINGS = {
  name: 'test',
  host: '127.0.0.1',
  port: 4222,
  monitorPort: 8222,
  maxPayloadBytes: 1_048_576,
  placeholderKey: nkeyName(Buffer.alloc(32, 1).toString('base64url')),
};
const publicKey = Buffer.alloc(32, 2).toString('base64url');
const client = { id: 'c', capability: 'message-broker', publicKey, function: 'f' };

interface Config {
  authorization: { users: { nkey: string; permissions: { publish: unknown; subscribe: unknown } }[] };
}

describe('the configuration of nats-server', () => {
  test('lets nobody in when there are no clients', () => {
    const config = JSON.parse(renderServerConfig(SETTINGS, [])) as Config;
    expect(config.authorization.users).toEqual([
      {
        nkey: SETTINGS.placeholderKey,
        permissions: { publish: { deny: ['>'] }, subscribe: { deny: ['>'] } },
      },
    ]);
  });

  test('gives a client its own subjects and an inbox of its own, and nothing else', () => {
    const access = { publish: ['cse.a'], subscribe: ['cse.b workers'] };
    const config = JSON.parse(renderServerConfig(SETTINGS, [{ ...client, access }])) as Config;
    const nkey = nkeyName(publicKey);
    expect(config.authorization.users[1]).toMatchObject({
      nkey,
      permissions: {
        publish: { allow: ['cse.a'] },
        subscribe: { allow: ['cse.b workers', `${inboxPrefixOf(nkey)}.>`] },
      },
    });
  });

  test('lets a client publish nothing when its access names nothing', () => {
    const config = JSON.parse(renderServerConfig(SETTINGS, [{ ...client, access: {} }])) as Config;
    expect(config.authorization.users[1]?.permissions.publish).toEqual({ deny: ['>'] });
  });

  test.each([['a b c'], ['a..b'], [''], ['a"b'], [7]])('refuses the subject %j', (subject) => {
    expect(() => renderServerConfig(SETTINGS, [{ ...client, access: { publish: [subject] } }])).toThrow(
      /access.publish/,
    );
  });
});
