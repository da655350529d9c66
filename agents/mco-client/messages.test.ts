import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, expectTypeOf, it } from 'vitest';
import type { components } from '../../api-specs/generated/mco.ts';
import {
  collectionJob,
  enrolment,
  fence,
  session,
  wanted,
  assignment,
  challenge,
  receipt,
  leaving,
  problem,
} from './messages.ts';
import type { Shape, Shaped } from './shape.ts';
import { createTransport } from './transport.ts';

type Schemas = components['schemas'];
const SCHEMAS = join(import.meta.dirname, '../../api-specs/schemas');
const shapes: Readonly<Record<string, Shape<unknown>>> = {
  'assignment.json': assignment,
  'challenge.json': challenge,
  'collection-job.json': collectionJob,
  'enrolment.json': enrolment,
  'fence.json': fence,
  'leaving.json': leaving,
  'problem-details.json': problem,
  'receipt.json': receipt,
  'sequence-problem.json': problem,
  'session.json': session,
  'wanted.json': wanted,
};

interface SchemaFile {
  readonly examples: readonly Readonly<Record<string, unknown>>[];
}

function examplesOf(name: string): SchemaFile['examples'] {
  return (JSON.parse(readFileSync(join(SCHEMAS, name), 'utf8')) as SchemaFile).examples;
}

describe('reading what an orchestrator answers', () => {
  // MCO-C-006
  it.each(Object.keys(shapes))(
    'takes every example of %s, also with members that it does not know',
    (name) => {
      expect(readdirSync(SCHEMAS)).toContain(name);
      for (const example of examplesOf(name)) {
        expect(() =>
          shapes[name]?.({ ...example, somethingNew: { of: 'a later version' } }, ''),
        ).not.toThrow();
      }
    },
  );

  // MCO-C-007
  it('takes nothing that lacks a member', () => {
    for (const example of examplesOf('wanted.json')) {
      for (const name of Object.keys(example).filter((each) => each !== 'diagnosticRequests')) {
        expect(() =>
          wanted(Object.fromEntries(Object.entries(example).filter(([each]) => each !== name)), ''),
        ).toThrow(name);
      }
    }
  });

  it('names the place of what is wrong', () => {
    const [example] = examplesOf('assignment.json');
    const wrong = JSON.parse(
      JSON.stringify(example).replace('"coldBoot":true', '"coldBoot":"yes"'),
    ) as unknown;
    expect(() => assignment(wrong, '')).toThrow('/workload/spec/coldBoot must be true or false; got "yes"');
  });

  it('gives what the types that are generated from the schemas say', () => {
    expectTypeOf<Shaped<typeof wanted>>().toExtend<Omit<Schemas['wanted'], 'diagnosticRequests'>>();
    expectTypeOf<Shaped<typeof session>>().toExtend<Omit<Schemas['session'], 'serverTime'>>();
    expectTypeOf<Shaped<typeof receipt>>().toExtend<Schemas['receipt']>();
    expectTypeOf<Shaped<typeof collectionJob>>().toExtend<Schemas['collection-job']>();
    expectTypeOf<Shaped<typeof fence>>().toExtend<Schemas['fence']>();
  });
});

describe('where the orchestrator is', () => {
  it.each([
    'http://127.0.0.1:8900',
    'http://localhost:8900',
    'http://[::1]:8900',
    'https://mano.example:8900',
  ])('may be %s', (serverUrl) => {
    expect(() => createTransport({ serverUrl }).close()).not.toThrow();
  });

  // MCO-C-002
  it.each(['http://192.0.2.1:8900', 'http://127.example.org'])(
    'may be %s only when that is asked for',
    (serverUrl) => {
      expect(() => createTransport({ serverUrl })).toThrow(/--insecure-http/);
      expect(() => createTransport({ serverUrl, isInsecureHttpAllowed: true }).close()).not.toThrow();
    },
  );

  it.each(['nonsense', 'ftp://127.0.0.1', ''])('cannot be %j', (serverUrl) => {
    expect(() => createTransport({ serverUrl })).toThrow(/https:\/\/host:8900/);
  });

  it('is refused with the name of a CA file that is not there', () => {
    expect(() => createTransport({ serverUrl: 'https://127.0.0.1', caFile: '/nowhere/ca.pem' })).toThrow(
      /\/nowhere\/ca.pem/,
    );
  });
});
