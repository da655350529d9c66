import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { IotmanoError } from '../../kernel/index.ts';
import { parseBindings, requiredService } from './bindings.ts';

const KEY = Buffer.alloc(32, 7).toString('base64url');

describe('the bindings file', () => {
  test('is read with its configuration, endpoints, credential and clients', () => {
    const bindings = parseBindings(
      JSON.stringify({
        config: { cseId: '/id-in' },
        requires: {
          broker: {
            capability: 'message-broker',
            protocol: 'nats',
            endpoints: [{ host: '127.0.0.1', port: 4222, instance: 'i' }],
            credential: { id: 'me', seed: KEY },
          },
        },
        clients: [
          {
            id: 'c',
            capability: 'message-broker',
            publicKey: KEY,
            access: { publish: ['a'] },
            function: 'f',
          },
        ],
      }),
    );
    expect(requiredService(bindings, 'broker').endpoints).toEqual([
      { host: '127.0.0.1', port: 4222, instance: 'i' },
    ]);
    expect(requiredService(bindings, 'nothing').endpoints).toEqual([]);
    expect(bindings.clients[0]?.access).toEqual({ publish: ['a'] });
  });

  test.each([
    ['not JSON', '{', /not JSON/],
    ['a list', '[]', /must be an object/],
    [
      'a wrong port',
      '{"requires":{"b":{"endpoints":[{"host":"h","port":0}]}}}',
      /\/requires\/b\/endpoints\/0\/port/,
    ],
    ['a short key', '{"clients":[{"id":"c","publicKey":"AA"}]}', /\/clients\/0\/publicKey/],
  ])('is refused when it is or has %s, naming the place', (_, text, message) => {
    expect(() => parseBindings(text)).toThrow(message);
  });

  test('whatever it holds, reading it gives bindings or one of our errors', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        try {
          parseBindings(text);
          return true;
        } catch (error) {
          return error instanceof IotmanoError;
        }
      }),
    );
  });
});
