import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';
import { IotmanoError } from '../kernel/index.ts';

const SPECS = join(import.meta.dirname, '../api-specs');
/** Where references of the documents to the schemas lead. */
export const SCHEMA_BASE = 'https://schemas.iotmano.invalid/';

interface Parameter {
  readonly name: string;
  readonly in: 'header' | 'query' | 'path';
  readonly required: boolean;
  readonly check: ValidateFunction;
  readonly isNumber: boolean;
  readonly isBoolean: boolean;
}

export interface Operation {
  readonly operationId: string;
  readonly method: string;
  /** With the parameters in braces. */
  readonly path: string;
  readonly pattern: RegExp;
  readonly parameters: readonly Parameter[];
  readonly body: ValidateFunction | undefined;
  readonly answers: Readonly<Record<string, ValidateFunction | undefined>>;
}

interface Document {
  readonly paths: Record<string, Record<string, unknown>>;
  readonly components: Record<string, Record<string, unknown>>;
}

/** The schemas of all messages. */
export function loadSchemas(): Ajv2020 {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  for (const name of readdirSync(join(SPECS, 'schemas')).filter((each) => each.endsWith('.json'))) {
    ajv.addSchema({
      ...(JSON.parse(readFileSync(join(SPECS, 'schemas', name), 'utf8')) as object),
      $id: SCHEMA_BASE + name,
    });
  }
  return ajv;
}

/** The operations of Mco, read from its document, with what checks requests and answers against it. */
export function loadOperations(): readonly Operation[] {
  operations ??= readOperations();
  return operations;
}

/** Checks of all messages take a while to be made, and have no state. */
let operations: readonly Operation[] | undefined;

function readOperations(): readonly Operation[] {
  const ajv = loadSchemas();
  const text = readFileSync(join(SPECS, 'mco/mco.openapi.yaml'), 'utf8').replaceAll(
    '../schemas/',
    SCHEMA_BASE,
  );
  const document = parse(text) as Document;
  const resolve = (value: unknown): Record<string, unknown> => {
    const reference = (value as { $ref?: string }).$ref;
    if (reference === undefined || !reference.startsWith('#/components/'))
      return value as Record<string, unknown>;
    const [, , kind = '', name = ''] = reference.split('/');
    return document.components[kind]?.[name] as Record<string, unknown>;
  };
  const jsonSchemaOf = (holder: unknown, type: string): ValidateFunction | undefined => {
    const content = resolve(holder)['content'] as Record<string, { schema?: object }> | undefined;
    const schema = content?.[type]?.schema;
    return schema === undefined ? undefined : ajv.compile(schema);
  };
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([method]) => ['get', 'post', 'put', 'delete'].includes(method))
      .map(([method, raw]): Operation => {
        const operation = raw as Record<string, unknown>;
        const parameters = [
          ...((item['parameters'] ?? []) as unknown[]),
          ...((operation['parameters'] ?? []) as unknown[]),
        ];
        return {
          operationId: String(operation['operationId']),
          method: method.toUpperCase(),
          path,
          pattern: new RegExp(`^${path.replaceAll(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`),
          parameters: parameters.map((each) => {
            const {
              name,
              in: place,
              required,
              schema,
            } = resolve(each) as unknown as Parameter & { schema: { type?: string } };
            return {
              name,
              in: place,
              required,
              check: ajv.compile(schema),
              isNumber: schema.type === 'integer' || schema.type === 'number',
              isBoolean: schema.type === 'boolean',
            };
          }),
          body:
            operation['requestBody'] === undefined
              ? undefined
              : jsonSchemaOf(operation['requestBody'], 'application/json'),
          answers: Object.fromEntries(
            Object.entries(operation['responses'] as object).map(([status, response]) => [
              status,
              jsonSchemaOf(response, 'application/json') ??
                jsonSchemaOf(response, 'application/problem+json'),
            ]),
          ),
        };
      }),
  );
}

/** The headers of a message, as Node has them: names in lower case. */
export type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** Everything that is wrong with a request, by the document. */
export function faultsOf(
  operation: Operation,
  request: { readonly headers: Headers },
  url: URL,
  body: unknown,
): string[] {
  const groups = operation.pattern.exec(url.pathname)?.groups ?? {};
  const faults = operation.parameters.flatMap((parameter) => {
    const sources = {
      header: request.headers[parameter.name.toLowerCase()],
      query: url.searchParams.get(parameter.name) ?? undefined,
      path: groups[parameter.name],
    };
    const text = sources[parameter.in];
    if (text === undefined) return parameter.required ? [`${parameter.name} is missing`] : [];
    const value = parameter.isNumber ? Number(text) : parameter.isBoolean ? booleanOf(text) : text;
    return parameter.check(value)
      ? []
      : [`${parameter.name}: ${JSON.stringify(parameter.check.errors?.[0])} (${String(text)})`];
  });
  if (operation.body === undefined)
    return body === undefined ? faults : [...faults, 'a body where there is none'];
  return operation.body(body)
    ? faults
    : [...faults, `body: ${JSON.stringify(operation.body.errors?.slice(0, 3))}`];
}

function booleanOf(text: string | string[]): unknown {
  return text === 'true' ? true : text === 'false' ? false : text;
}

/** Everything that is wrong with an answer, by the document; `undefined` as body where there was none. */
export function answerFaults(
  operation: Operation,
  { status, headers, body }: { readonly status: number; readonly headers: Headers; readonly body: unknown },
): string[] {
  if (!Object.hasOwn(operation.answers, String(status)))
    return [`status ${status} is none of ${Object.keys(operation.answers).join(', ')}`];
  const faults: string[] = [];
  if (status < 400) {
    for (const name of ['mco-version', 'mco-sp-id'])
      if (headers[name] === undefined) faults.push(`the header ${name} is missing`);
  } else if (!String(headers['content-type']).startsWith('application/problem+json'))
    faults.push(`an error has to be application/problem+json, not ${String(headers['content-type'])}`);
  const check = operation.answers[String(status)];
  if (check !== undefined && !check(body)) faults.push(`body: ${JSON.stringify(check.errors?.slice(0, 3))}`);
  return faults;
}

/** Everything that is wrong with a value, by one of the schemas. */
export function schemaFaults(name: string, value: unknown): string[] {
  const ajv = loadSchemas();
  const check = ajv.getSchema(SCHEMA_BASE + name);
  if (check === undefined) throw new IotmanoError('internal', `Mco has no schema ${name}`);
  return check(value) === true ? [] : [ajv.errorsText(check.errors?.slice(0, 3))];
}
