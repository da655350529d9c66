import type { Ajv2020 } from 'ajv/dist/2020.js';

/** A JSON Schema, as far as the tests of the documents look at one. */
export interface Schema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly examples?: readonly unknown[];
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly allOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  /** What `if` holds is a condition and describes nothing. */
  readonly then?: Schema;
  readonly else?: Schema;
  readonly contentSchema?: Schema;
}

/** A schema and its JSON pointer in its file. */
export type Part = readonly [pointer: string, schema: Schema];

const MAPS = ['properties', '$defs'] as const;
const LISTS = ['allOf', 'anyOf', 'oneOf'] as const;
const SINGLE = ['items', 'additionalProperties', 'then', 'else', 'contentSchema'] as const;

/** The schema and all that it holds; what it refers to is a part of somewhere else. */
export function* parts(schema: Schema, pointer = ''): Iterable<Part> {
  yield [pointer, schema];
  for (const keyword of MAPS)
    for (const [name, part] of Object.entries(schema[keyword] ?? {}))
      yield* parts(part, `${pointer}/${keyword}/${escapePointer(name)}`);
  for (const keyword of LISTS)
    for (const [index, part] of (schema[keyword] ?? []).entries())
      yield* parts(part, `${pointer}/${keyword}/${index}`);
  for (const keyword of SINGLE) {
    const part = schema[keyword];
    if (typeof part === 'object') yield* parts(part, `${pointer}/${keyword}`);
  }
}

export function escapePointer(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

const SCALARS = ['string', 'number', 'integer', 'boolean'];

/** Whether its values are made of nothing else; null is no value. */
export function isScalar({ type = [] }: Schema): boolean {
  const types = [type].flat().filter((each) => each !== 'null');
  return types.length > 0 && types.every((each) => SCALARS.includes(each));
}

/** Files of one folder, by name. */
export type SchemaFiles = ReadonlyMap<string, object>;

/** The schema, and where it says nothing itself, what it refers to says. */
export function withTarget(files: SchemaFiles, file: string, schema: Schema): Schema {
  if (schema.$ref === undefined) return schema;
  const [name = '', pointer = ''] = schema.$ref.split('#');
  const target = name === '' ? file : name;
  let node: unknown = files.get(target);
  for (const segment of pointer.split('/').slice(1))
    node = (node as Record<string, unknown> | undefined)?.[segment];
  if (node === undefined) throw new RangeError(`${schema.$ref} of ${file} leads nowhere`);
  return { ...withTarget(files, target, node as Schema), ...schema };
}

/** Examples that the schema at that place refuses, in words; `address` is that of the file in the validator. */
export function refusedExamples(
  ajv: Ajv2020,
  address: string,
  pointer: string,
  examples: readonly unknown[],
): string[] {
  if (examples.length === 0) return [];
  const fragment = pointer.split('/').map(encodeURIComponent).join('/');
  const validate = ajv.getSchema(`${address}#${fragment}`);
  return examples.flatMap((example) =>
    validate?.(example) === true
      ? []
      : [`${pointer}: ${JSON.stringify(example)} is refused: ${ajv.errorsText(validate?.errors)}`],
  );
}
