import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { findAsyncApiFaults } from './asyncapi.ts';

const specifications = new URL('../api-specs/mco/', import.meta.url);
const path = fileURLToPath(new URL('mco.asyncapi.yaml', specifications));
const text = readFileSync(path, 'utf8');
const http = readFileSync(new URL('mco.openapi.yaml', specifications), 'utf8');

/** A whole document of one message. The one of Mco is large, and a parser that is slow on it is enough once. */
const SMALL = `asyncapi: 3.0.0
info: { title: Small, version: '1.0' }
channels:
  receipts:
    address: mco.v1.{hostId}.receipts
    parameters: { hostId: { description: The host. } }
    messages: { receipt: { $ref: '#/components/messages/receipt' } }
  empty: { address: mco.v1.empty }
operations:
  receiveReceipt:
    action: receive
    channel: { $ref: '#/channels/receipts' }
    messages: [{ $ref: '#/channels/receipts/messages/receipt' }]
components:
  messages:
    receipt:
      headers:
        schemaFormat: application/schema+json;version=draft-2020-12
        schema: { type: object, properties: { Mco-Status: { type: string, pattern: '^[2-5][0-9]{2}$' } } }
      payload:
        schemaFormat: application/schema+json;version=draft-2020-12
        schema: { $ref: ../schemas/receipt.json }
      examples: [{ headers: { Mco-Status: '200' }, payload: { nextSequence: 8, ignored: 0 } }]
`;

const schemasIn = (document: string): string[] =>
  [...new Set([...document.matchAll(/schemas\/([a-z-]+\.json)/g)].map(([, name = '']) => name))].toSorted();

describe('the check of an AsyncAPI document', { timeout: 120_000 }, () => {
  it('finds nothing wrong with the one of Mco, nor with a small one', async () => {
    expect(await findAsyncApiFaults(text, path)).toEqual([]);
    expect(await findAsyncApiFaults(SMALL, path)).toEqual([]);
  });

  it.each([
    [
      'a payload that its schema does not describe',
      'ignored: 0',
      'ignored: -1',
      /receipt\/payload, example 1/,
    ],
    ['a header that its schema does not describe', "'200'", "'999'", /receipt\/headers, example 1/],
    ['a message without an example', /examples: .*/, 'examples: []', /receipt: has no example/],
    ['a message without a schema', /payload:[^]*(?=examples)/, '', /receipt\/payload: has no schema/],
    ['a schema of another format', /draft-2020-12(?=\n.*ref)/, 'draft-07', /schemaFormat/],
    ['a schema that is not there', 'receipt.json', 'recipe.json', /recipe\.json/],
    ['a parameter that its subject does not have', '.{hostId}.', '.', /redundant.*hostId/],
    [
      'a message that its channel does not have',
      "'#/channels/receipts' }",
      "'#/channels/empty' }",
      /receiveReceipt/,
    ],
    ['an operation without an action', 'action: receive', 'acting: receive', /receiveReceipt/],
    ['text that is no YAML', 'asyncapi: 3.0.0', 'asyncapi: [3.0.0', /./],
  ])('finds %s', async (_, before, after, fault) => {
    const planted = SMALL.replace(before, after);
    expect(planted).not.toBe(SMALL);
    expect((await findAsyncApiFaults(planted, path)).join('\n')).toMatch(fault);
  });
});

describe('the two bindings of Mco', () => {
  it('have the same operations, and NATS two more for what comes by itself', () => {
    const operations = Object.keys((parse(text) as { operations: object }).operations);
    const overHttp = [...http.matchAll(/operationId: (\w+)/g)].map(([, name = '']) => name);
    expect(operations.toSorted()).toEqual([...overHttp, 'receiveReceipt', 'receiveWanted'].toSorted());
  });

  it('carry the same messages', () => {
    const isMessage = (name: string): boolean => !['session-proof.json', 'sealed-values.json'].includes(name);
    expect(schemasIn(text)).toEqual(schemasIn(http).filter(isMessage));
  });
});
