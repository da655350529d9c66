/**
 * Parsers for what a server answers, put together from small ones. Members that are not named are ignored, so that
 * the two sides can be upgraded apart; what is named must be right. Small on purpose: a general validator would double the agent's own memory.
 */
export type Shape<T> = (value: unknown, at: string) => T;
export type Shaped<S> = S extends Shape<infer T> ? T : never;

/** What was wrong, and where in the message. */
export class ShapeError extends Error {
  constructor(at: string, wanted: string, value: unknown) {
    super(
      `${at === '' ? '/' : at} must be ${wanted}; got ${JSON.stringify(value)?.slice(0, 60) ?? 'nothing'}`,
    );
    this.name = 'ShapeError';
  }
}

export function text(pattern?: RegExp): Shape<string> {
  return (value, at) => {
    if (typeof value !== 'string') throw new ShapeError(at, 'a string', value);
    if (pattern !== undefined && !pattern.test(value))
      throw new ShapeError(at, `a string like ${pattern.source}`, value);
    return value;
  };
}

export function oneOf<const Value extends string>(...values: readonly Value[]): Shape<Value> {
  return (value, at) => {
    const found = values.find((each) => each === value);
    if (found === undefined) throw new ShapeError(at, values.join(' or '), value);
    return found;
  };
}

export const boolean: Shape<boolean> = (value, at) => {
  if (typeof value !== 'boolean') throw new ShapeError(at, 'true or false', value);
  return value;
};

/** A finite number of at least `minimum`. */
export function number(minimum = -Number.MAX_VALUE): Shape<number> {
  return (value, at) => {
    if (typeof value !== 'number' || !Number.isFinite(value) || value < minimum) {
      throw new ShapeError(at, `a number of at least ${minimum}`, value);
    }
    return value;
  };
}

export function integer(minimum = 0): Shape<number> {
  return (value, at) => {
    if (!Number.isSafeInteger(value) || (value as number) < minimum) {
      throw new ShapeError(at, `a whole number of at least ${minimum}`, value);
    }
    return value as number;
  };
}

export function list<T>(item: Shape<T>): Shape<readonly T[]> {
  return (value, at) => {
    if (!Array.isArray(value)) throw new ShapeError(at, 'a list', value);
    return value.map((each, index) => item(each, `${at}/${index}`));
  };
}

export function map<T>(item: Shape<T>): Shape<Readonly<Record<string, T>>> {
  return (value, at) => {
    const members = Object.entries(membersOf(value, at));
    return Object.fromEntries(members.map(([name, each]) => [name, item(each, `${at}/${name}`)]));
  };
}

/** Any JSON object, taken as it is. */
export const anyObject: Shape<Readonly<Record<string, unknown>>> = (value, at) => membersOf(value, at);

type Members = Readonly<Record<string, Shape<unknown>>>;
type ObjectOf<Required, Optional> = {
  readonly [Name in keyof Required]: Shaped<Required[Name]>;
} & { readonly [Name in keyof Optional]?: Shaped<Optional[Name]> };

/** Members that must be there, and those that may be. */
export function object<Required extends Members>(required: Required): Shape<ObjectOf<Required, object>>;
export function object<Required extends Members, Optional extends Members>(
  required: Required,
  optional: Optional,
): Shape<ObjectOf<Required, Optional>>;
export function object(required: Members, optional: Members = {}): Shape<Readonly<Record<string, unknown>>> {
  return (value, at) => {
    const members = membersOf(value, at);
    const entries: [string, unknown][] = [];
    for (const [name, shape] of Object.entries(required))
      entries.push([name, shape(members[name], `${at}/${name}`)]);
    for (const [name, shape] of Object.entries(optional)) {
      if (members[name] !== undefined) entries.push([name, shape(members[name], `${at}/${name}`)]);
    }
    return Object.fromEntries(entries);
  };
}

/** One of several objects, told apart by its member `type`. */
export function variant<const Variants extends Members>(
  variants: Variants,
): Shape<Shaped<Variants[keyof Variants]>> {
  return (value, at) => {
    const type = membersOf(value, at)['type'];
    const shape = typeof type === 'string' && Object.hasOwn(variants, type) ? variants[type] : undefined;
    if (shape === undefined) throw new ShapeError(`${at}/type`, Object.keys(variants).join(' or '), type);
    return shape(value, at) as Shaped<Variants[keyof Variants]>;
  };
}

function membersOf(value: unknown, at: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ShapeError(at, 'an object', value);
  return value as Readonly<Record<string, unknown>>;
}
