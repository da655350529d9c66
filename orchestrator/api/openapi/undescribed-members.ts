import { escapePointer } from '../bounded-json.ts';
import { resolveReference, type JsonObject, type SpecificationFiles } from './load-documents.ts';

/**
 * JSON pointers of the members of a value, at any depth, that no property of its schema names. The schemas are open, so such a member is valid,
 * and yet nobody could know of it. Free to have any members is what has no `properties` and `additionalProperties: true`, or, each described by
 * that schema, `additionalProperties: <schema>`; `additionalProperties: true` beside `properties` says only that later versions may have more.
 */
export function undescribedMembers(
  files: SpecificationFiles,
  schema: JsonObject,
  value: unknown,
): readonly string[] {
  return walk(files, [schema], value, '');
}

function walk(
  files: SpecificationFiles,
  schemas: readonly JsonObject[],
  value: unknown,
  pointer: string,
): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  const all = schemas.flatMap((schema) => alternatives(files, schema));
  if (Array.isArray(value)) {
    const items = all.map(({ items: of }) => of).filter(isSchema);
    return value.flatMap((item, index) => walk(files, items, item, `${pointer}/${index}`));
  }
  if (all.some(isFree)) return [];
  return Object.entries(value).flatMap(([name, member]) => {
    const place = `${pointer}/${escapePointer(name)}`;
    const named = all.flatMap(({ properties }) => {
      const own = isSchema(properties) && Object.hasOwn(properties, name) ? [properties[name]] : [];
      return own.filter(isSchema);
    });
    const described =
      named.length > 0 ? named : all.map(({ additionalProperties: each }) => each).filter(isSchema);
    return described.length === 0 ? [place] : walk(files, described, member, place);
  });
}

/** The schema and all whose words may hold too: what it refers to, combines, or asks for under a condition. */
function alternatives(files: SpecificationFiles, schema: JsonObject): readonly JsonObject[] {
  const { $ref, allOf, anyOf, oneOf, then, else: otherwise } = schema;
  const target = typeof $ref === 'string' ? [resolveReference(files, $ref)] : [];
  const others = [...target, ...[allOf, anyOf, oneOf, then, otherwise].flat()].filter(isSchema);
  return [schema, ...others.flatMap((other) => alternatives(files, other))];
}

function isFree({ properties, additionalProperties }: JsonObject): boolean {
  return properties === undefined && additionalProperties === true;
}

function isSchema(node: unknown): node is JsonObject {
  return typeof node === 'object' && node !== null;
}
