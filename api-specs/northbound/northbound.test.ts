import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { componentSchemas, holders, schemaParts } from '../testkit/openapi.ts';
import { isScalar, refusedExamples, withTarget, type Schema } from '../testkit/schemas.ts';

const directory = import.meta.dirname;
const names = readdirSync(directory).filter((name) => name.endsWith('.yaml'));
const documents = new Map(
  names.map((name) => [name, parse(readFileSync(join(directory, name), 'utf8')) as object]),
);

const addressOf = (name: string) => `http://northbound/${name}`;

/** Everything that has a name and a schema, by JSON pointer, with what its `$ref` says. */
function named(name: string): readonly (readonly [pointer: string, schema: Schema])[] {
  const document = documents.get(name) ?? {};
  return [
    ...Object.entries(componentSchemas(document)).map(
      ([own, schema]) => [`/components/schemas/${own}`, schema] as const,
    ),
    ...[...schemaParts(document)].flatMap(([pointer, { properties = {} }]) =>
      Object.entries(properties).map(([own, schema]) => [`${pointer}/properties/${own}`, schema] as const),
    ),
  ].map(([pointer, schema]) => [pointer, withTarget(documents, name, schema)] as const);
}

/** Parameters and headers; what their schemas say counts as theirs, but for the description. */
function parametersAndHeaders(name: string): readonly (readonly [pointer: string, schema: Schema])[] {
  return [...holders(documents.get(name) ?? {})]
    .filter(({ kind }) => kind === 'parameter or header')
    .map(({ pointer, schema, description, examples }) => {
      const { description: _ofSchema, ...whole } = withTarget(documents, name, schema);
      return [
        pointer,
        {
          ...whole,
          ...(description === undefined ? {} : { description }),
          ...(examples.length === 0 ? {} : { examples }),
        },
      ] as const;
    });
}

const needsExample = (schema: Schema): boolean =>
  isScalar(schema) && schema.enum === undefined && schema.const === undefined;

describe('the northbound documents', () => {
  const ajv = new Ajv2020({ strict: false, validateSchema: false, allErrors: true });
  formats.default(ajv);
  for (const [name, document] of documents) ajv.addSchema(document, addressOf(name), false, false);

  it('are all here', () => {
    expect(names).toEqual(expect.arrayContaining(['common.yaml', 'iotmano.yaml', 'vnflcm.yaml']));
  });

  it.each(names)('%s describes every schema, property, parameter and header', (name) => {
    const faults = [...named(name), ...parametersAndHeaders(name)]
      .filter(([, { description = '' }]) => description.trim() === '')
      .map(([pointer]) => pointer);
    expect(faults).toEqual([]);
  });

  it.each(names)('%s has an example of every one that is a plain value and no closed list', (name) => {
    const faults = [...named(name), ...parametersAndHeaders(name)]
      .filter(([, schema]) => needsExample(schema) && (schema.examples ?? []).length === 0)
      .map(([pointer]) => pointer);
    expect(faults).toEqual([]);
  });

  it.each(names)('%s takes its own examples', (name) => {
    const document = documents.get(name) ?? {};
    const faults = [
      ...[...schemaParts(document)].flatMap(([pointer, { examples = [] }]) =>
        refusedExamples(ajv, addressOf(name), pointer, examples),
      ),
      ...[...holders(document)].flatMap(({ pointer, examples }) =>
        refusedExamples(ajv, addressOf(name), `${pointer}/schema`, examples),
      ),
    ];
    expect(faults).toEqual([]);
  });
});
