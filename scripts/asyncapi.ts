import { DiagnosticSeverity, Parser } from '@asyncapi/parser';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { IotmanoError, messageOf } from '../kernel/index.ts';

/** The only format of schemas in our documents: the one of the shared schemas. */
const SCHEMA_FORMAT = 'application/schema+json;version=draft-2020-12';

/** What else the parser finds is only a hint: that there is a newer version of AsyncAPI, for one. */
const SEVERE: readonly DiagnosticSeverity[] = [DiagnosticSeverity.Error, DiagnosticSeverity.Warning];

// The parser resolves schemas of any format, and checks those that it has a parser for; ours are compiled below.
const parser = new Parser();
parser.registerSchemaParser({
  getMimeTypes: () => [SCHEMA_FORMAT],
  validate: () => [],
  parse: ({ data }) => data as boolean,
});

type ParsedDocument = NonNullable<Awaited<ReturnType<Parser['parse']>>['document']>;

/**
 * Everything that is wrong with an AsyncAPI document, each with its place; empty: nothing. Beside what the parser finds: schemas that cannot be
 * compiled, messages without an example, and examples that their own schemas do not describe.
 * @param source path of the document, from which its references are resolved
 */
export async function findAsyncApiFaults(text: string, source: string): Promise<readonly string[]> {
  const { document, diagnostics } = await parser.parse(text, { source });
  const faults = diagnostics
    .filter(({ severity }) => SEVERE.includes(severity))
    .map(({ path, message }) => `${path.join('/')}: ${message}`);
  if (document === undefined)
    return faults.length > 0 ? faults : [`${source}: the parser gave no document and no reason`];
  return [...faults, ...exampleFaults(document)];
}

function exampleFaults(document: ParsedDocument): string[] {
  return document
    .components()
    .messages()
    .all()
    .flatMap((message) => {
      const place = `components/messages/${message.id()}`;
      const examples = message.examples().all();
      const parts = [
        {
          name: 'headers',
          schema: message.headers()?.json(),
          values: examples.map((each) => each.headers()),
        },
        {
          name: 'payload',
          schema: message.payload()?.json(),
          values: examples.map((each) => each.payload()),
        },
      ];
      return [
        ...(examples.length === 0 ? [`${place}: has no example`] : []),
        ...parts.flatMap(({ name, schema, values }) =>
          schema === undefined
            ? [`${place}/${name}: has no schema`]
            : valueFaults(`${place}/${name}`, schema, values),
        ),
      ];
    });
}

/** A message without a payload says so with the type null, and its example leaves the payload out. */
function valueFaults(place: string, holder: unknown, values: readonly unknown[]): string[] {
  try {
    const validate = compile(holder);
    return values.flatMap((value, index) =>
      validate(value ?? null)
        ? []
        : [`${place}, example ${index + 1}: ${JSON.stringify(validate.errors?.slice(0, 3))}`],
    );
  } catch (error) {
    return [`${place}: ${messageOf(error)}`];
  }
}

/** @throws IotmanoError `invalid-parameter` where the holder of a schema does not name our format, or holds none */
function compile(holder: unknown): ValidateFunction {
  const { schemaFormat, schema } = holder as { readonly schemaFormat?: unknown; readonly schema?: unknown };
  if (schemaFormat !== SCHEMA_FORMAT || typeof schema !== 'object' || schema === null) {
    throw new IotmanoError(
      'invalid-parameter',
      `there is no schema of the format ${SCHEMA_FORMAT}; name it as schemaFormat, beside schema`,
    );
  }
  // What the parser adds to schemas begins with "x-parser-", so unknown keywords cannot be refused here.
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  return ajv.compile(schema);
}
