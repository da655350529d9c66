import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { describe, expect, expectTypeOf, it } from 'vitest';
import type { Branded } from '../../kernel/index.ts';
import type { HostFactsDocument } from '../../orchestrator/domain/index.ts';
import type { ObservedWorkload, Workload } from '../../vim-drivers/index.ts';
import type { components } from '../generated/mco.ts';
import { isScalar, parts, refusedExamples, withTarget, type Schema } from '../testkit/schemas.ts';

const directory = import.meta.dirname;
const files = readdirSync(directory).filter((name) => name.endsWith('.json'));
const schemas = new Map(
  files.map((name) => [name, JSON.parse(readFileSync(join(directory, name), 'utf8')) as Schema]),
);

describe('message schemas', () => {
  const ajv = new Ajv2020({ strict: true, strictTypes: false, allErrors: true });
  formats.default(ajv);
  for (const [name, schema] of schemas) ajv.addSchema(schema, `http://schemas/${name}`);

  it.each(files.filter((name) => name !== 'identifiers.json'))('%s describes its own examples', (name) => {
    const validate = ajv.getSchema(`http://schemas/${name}`);
    const { examples = [] } = schemas.get(name) ?? {};
    expect(examples.length).toBeGreaterThan(0);
    for (const example of examples) {
      const isValid = validate?.(example);
      expect([isValid, validate?.errors]).toEqual([true, null]);
    }
  });

  it.each(files)('%s describes the examples of all its parts', (name) => {
    const faults = [...parts(schemas.get(name) ?? {})].flatMap(([pointer, { examples = [] }]) =>
      refusedExamples(ajv, `http://schemas/${name}`, pointer, examples),
    );
    expect(faults).toEqual([]);
  });

  it.each(files)('%s has an example of every member that is not made of others', (name) => {
    const faults = [...parts(schemas.get(name) ?? {})].flatMap(([pointer, part]) =>
      Object.entries(part.properties ?? {})
        .map(([member, own]) => [member, withTarget(schemas, name, own)] as const)
        .filter(([, whole]) => isScalar(whole) && whole.examples === undefined)
        .map(([member]) => `${pointer}/properties/${member}`),
    );
    expect(faults).toEqual([]);
  });

  it.each(files)('%s says of every object whether it is open, and describes every member', (name) => {
    const faults = [...parts(schemas.get(name) ?? {})].flatMap(([pointer, part]) => [
      ...(part.type === 'object' && part.additionalProperties === undefined
        ? [`${pointer} is undecided`]
        : []),
      ...Object.entries(part.properties ?? {}).flatMap(([member, own]) =>
        withTarget(schemas, name, own).description === undefined
          ? [`${pointer}/${member} has no description`]
          : [],
      ),
    ]);
    expect(faults).toEqual([]);
  });
});

/** The type without brands: ids are plain strings on the wire. */
type Plain<T> =
  T extends Branded<string>
    ? string
    : T extends readonly (infer Item)[]
      ? readonly Plain<Item>[]
      : T extends object
        ? { readonly [Name in keyof T]: Plain<T[Name]> }
        : T;

type Wire = components['schemas'];

it('gives workloads and facts the shape that drivers and the store know, in both directions', () => {
  expectTypeOf<Workload>().toExtend<Wire['workload']>();
  // Seeds of bindings are sealed apart.
  expectTypeOf<Omit<Wire['workload'], 'bindings'>>().toExtend<Plain<Omit<Workload, 'bindings'>>>();
  expectTypeOf<ObservedWorkload>().toExtend<Wire['observed-workload']>();
  expectTypeOf<Wire['observed-workload']>().toExtend<Plain<ObservedWorkload>>();
  expectTypeOf<HostFactsDocument>().toExtend<Wire['host-facts']>();
  expectTypeOf<Wire['host-facts']>().toExtend<Plain<Omit<HostFactsDocument, 'sequence' | 'bootId'>>>();
});
