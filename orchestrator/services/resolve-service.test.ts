import { describe, expect, it } from 'vitest';
import { DEFAULT_TENANT } from '../../kernel/index.ts';
import type { IoTFunctionDescriptor, ServiceConstituent } from '../../descriptors/index.ts';
import {
  buildConstituent,
  buildFunction,
  buildProvider,
  buildService,
  requirement,
} from '../../test/kit/descriptor-builder.ts';
import { onboardFunction } from '../../test/kit/simulated-host.ts';
import { createFunctionCatalog } from '../lifecycle/index.ts';
import { createMemoryStore } from '../store/index.ts';
import { resolveService } from './resolve-service.ts';

function resolve(
  packages: readonly IoTFunctionDescriptor[],
  functions: readonly ServiceConstituent[],
  parameters: Record<string, unknown> = {},
) {
  const store = createMemoryStore();
  for (const descriptor of packages) onboardFunction(store, descriptor);
  const service = buildService('s', functions, {
    parameters: {
      schema: { type: 'object', properties: { count: { type: 'integer' }, name: { type: 'string' } } },
      defaults: { count: 2, name: 'in' },
    },
  });
  const catalog = createFunctionCatalog(store);
  return resolveService(service, parameters, ({ function: invariantId, version }) =>
    catalog.resolve(DEFAULT_TENANT, invariantId, version),
  );
}

const broker = buildProvider('broker');
const worker = buildFunction('worker', { requires: [requirement('broker')] });

describe('a service', () => {
  it('binds what is required to the one function that provides it', () => {
    const { constituents } = resolve(
      [broker, worker],
      [buildConstituent('worker'), buildConstituent('broker')],
    );
    expect(constituents[0]).toMatchObject({ name: 'worker', bind: { broker: 'broker' }, after: ['broker'] });
  });

  it('does not wait for what is optional', () => {
    const easy = buildFunction('worker', { requires: [requirement('broker', true)] });
    const functions = [buildConstituent('worker'), buildConstituent('broker')];
    expect(resolve([broker, easy], functions).constituents[0]).toMatchObject({
      bind: { broker: 'broker' },
      after: [],
    });
    expect(resolve([easy], [buildConstituent('worker')]).constituents[0]).toMatchObject({
      bind: {},
      after: [],
    });
  });

  it('keeps the type of a parameter that is a whole value, and writes others into text', () => {
    const config = {
      n: '{{ parameters.count }}',
      list: ['cse-{{ parameters.name }}-{{ parameters.count }}'],
    };
    const { constituents } = resolve([broker], [buildConstituent('broker', { config })], { count: 3 });
    expect(constituents[0]?.config).toEqual({ n: 3, list: ['cse-in-3'] });
  });

  it.each([
    [
      'two functions provide what one requires',
      [
        buildConstituent('worker'),
        buildConstituent('broker'),
        buildConstituent('other', { function: 'urn:test:function:broker' }),
      ],
      'worker: requires "broker" (broker over http), which broker and other provide: name one in bind',
    ],
    [
      'nothing provides what is required',
      [buildConstituent('worker')],
      'worker: requires "broker" (broker over http), which no function of the service provides',
    ],
    [
      'a binding names the wrong function',
      [buildConstituent('worker', { bind: { broker: 'worker' } })],
      'worker: bind.broker: worker does not provide broker over http',
    ],
    [
      'no package satisfies a version',
      [buildConstituent('broker', { version: '^2.0.0' })],
      'broker: no onboarded and enabled package of urn:test:function:broker satisfies ^2.0.0',
    ],
    [
      'a level does not exist',
      [buildConstituent('broker', { level: 'huge' })],
      'broker: broker has no level "huge"; it has: small',
    ],
  ] satisfies [string, ServiceConstituent[], string][])('is refused when %s', (_what, functions, message) => {
    expect(() => resolve([broker, worker], functions)).toThrow(message);
  });

  it('is refused for parameters that its schema does not allow', () => {
    expect(() => resolve([broker], [buildConstituent('broker')], { count: 'many' })).toThrow(
      /parameters of s: \/count/,
    );
  });
});
