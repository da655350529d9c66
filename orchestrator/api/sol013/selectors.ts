import { IotmanoError } from '../../../kernel/index.ts';
import { parsePath } from './filter.ts';

/** What of a resource type can be selected, and what is left out when nobody asks for it. */
export interface ResourceShape {
  /** All attributes at the top level, for the message about an unknown one. */
  readonly attributes: readonly string[];
  /** Complex attributes that may be absent: what `fields` and `exclude_fields` act on. */
  readonly optionalComplex: readonly string[];
  readonly excludedByDefault: readonly string[];
}

type Resource = Readonly<Record<string, unknown>>;

/**
 * Attribute selectors of SOL013 clause 5.3, as a function that trims a resource.
 * @throws IotmanoError `invalid-filter` for an unknown attribute or selectors that exclude each other
 */
export function parseSelectors(
  query: URLSearchParams,
  shape: ResourceShape,
): (resource: Resource) => Resource {
  const all = query.has('all_fields');
  const fields = pathsOf(query, 'fields', shape);
  const excluded = pathsOf(query, 'exclude_fields', shape);
  if ((all && (fields ?? excluded) !== undefined) || (all && query.has('exclude_default')))
    throw contradiction('all_fields cannot be combined with another selector');
  if (fields !== undefined && excluded !== undefined)
    throw contradiction('fields and exclude_fields cannot be combined');
  if (excluded !== undefined && query.has('exclude_default'))
    throw contradiction('exclude_fields and exclude_default cannot be combined');
  if (all) return (resource) => resource;
  if (excluded !== undefined)
    return (resource) => excluded.reduce((rest, path) => without(rest, path), resource);
  if (fields === undefined) return (resource) => omit(resource, shape.excludedByDefault);
  const candidates = query.has('exclude_default') ? shape.excludedByDefault : shape.optionalComplex;
  return (resource) => only(resource, candidates, fields);
}

function pathsOf(
  query: URLSearchParams,
  name: string,
  shape: ResourceShape,
): readonly (readonly string[])[] | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  return text.split(',').map((item) => {
    const path = parsePath(item);
    const [first = ''] = path;
    if (!shape.attributes.includes(first)) {
      throw new IotmanoError(
        'invalid-filter',
        `${name}: there is no attribute ${JSON.stringify(first.slice(0, 60))}; use one of ${shape.attributes.join(', ')}`,
        { parameter: name },
      );
    }
    return path;
  });
}

function contradiction(what: string): IotmanoError {
  return new IotmanoError('invalid-filter', `${what}; use one of them`, { parameter: 'fields' });
}

function omit(resource: Resource, names: readonly string[]): Resource {
  return Object.fromEntries(Object.entries(resource).filter(([name]) => !names.includes(name)));
}

/** Keeps what is no candidate for leaving out, and of the candidates what a path names. */
function only(
  resource: Resource,
  candidates: readonly string[],
  paths: readonly (readonly string[])[],
): Resource {
  const entries = Object.entries(resource).flatMap(([name, value]): [string, unknown][] => {
    if (!candidates.includes(name)) return [[name, value]];
    const wanted = paths.filter(([first]) => first === name).map((path) => path.slice(1));
    if (wanted.length === 0) return [];
    return [[name, wanted.some((rest) => rest.length === 0) ? value : pick(value, wanted)]];
  });
  return Object.fromEntries(entries);
}

function pick(value: unknown, paths: readonly (readonly string[])[]): unknown {
  if (Array.isArray(value)) return value.map((element) => pick(element, paths));
  if (typeof value !== 'object' || value === null || paths.some((path) => path.length === 0)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, member]): [string, unknown][] => {
      const wanted = paths.filter(([first]) => first === name).map((path) => path.slice(1));
      return wanted.length === 0 ? [] : [[name, pick(member, wanted)]];
    }),
  );
}

function without(value: Resource, path: readonly string[]): Resource {
  return remove(value, path) as Resource;
}

function remove(value: unknown, [name, ...rest]: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((element) => remove(element, [name ?? '', ...rest]));
  if (typeof value !== 'object' || value === null || name === undefined) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, member]): [string, unknown][] => {
      if (key !== name) return [[key, member]];
      return rest.length === 0 ? [] : [[key, remove(member, rest)]];
    }),
  );
}
