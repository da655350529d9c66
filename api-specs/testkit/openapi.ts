import { escapePointer, parts, type Part, type Schema } from './schemas.ts';

/** A node of an OpenAPI document that has a schema and is none: a parameter, a header, or the content of one media type. */
export interface Holder {
  readonly kind: 'parameter or header' | 'content';
  readonly pointer: string;
  readonly description?: string;
  readonly schema: Schema;
  /** Examples beside the schema. */
  readonly examples: readonly unknown[];
}

type Node = Readonly<Record<string, unknown>>;

/** All schemas of an OpenAPI document, and all that these hold. */
export function* schemaParts(document: object): Iterable<Part> {
  for (const [name, schema] of Object.entries(componentSchemas(document)))
    yield* parts(schema, `/components/schemas/${escapePointer(name)}`);
  for (const { pointer, schema } of holders(document)) yield* parts(schema, `${pointer}/schema`);
}

/** The schemas that have a name of their own. */
export function componentSchemas(document: object): Readonly<Record<string, Schema>> {
  return (document as { components?: { schemas?: Record<string, Schema> } }).components?.schemas ?? {};
}

/** All that has a schema; what it refers to is a part of somewhere else. */
export function* holders(node: object, pointer = '', parent = ''): Iterable<Holder> {
  const { schema, description, example, examples = {} } = node as Node;
  if (typeof schema === 'object')
    yield {
      kind: parent === 'content' ? 'content' : 'parameter or header',
      pointer,
      ...(typeof description === 'string' ? { description } : {}),
      schema: schema as Schema,
      examples: [
        ...(example === undefined ? [] : [example]),
        ...Object.values(examples as Readonly<Record<string, Node>>).map(({ value }) => value),
      ],
    };
  const own = pointer.slice(pointer.lastIndexOf('/') + 1);
  for (const [name, member] of Object.entries(node))
    if (typeof member === 'object' && member !== null && !isOther(name, pointer))
      yield* holders(member, `${pointer}/${escapePointer(name)}`, own);
}

function isOther(name: string, pointer: string): boolean {
  return (
    ['schema', 'example', 'examples'].includes(name) || (pointer === '/components' && name === 'schemas')
  );
}
