import { IotmanoError } from '../../../kernel/index.ts';

/** Attribute-based filtering of SOL013 clause 5.2. */
export interface FilterTerm {
  readonly operator: Operator;
  /** Attribute names from the outside in; `@key` stands for the keys of a map. */
  readonly path: readonly string[];
  readonly values: readonly string[];
}

/** All terms must hold. */
export type Filter = readonly FilterTerm[];

const ONE_VALUE = ['eq', 'neq', 'gt', 'gte', 'lt', 'lte'] as const;
const MANY_VALUES = ['in', 'nin', 'cont', 'ncont'] as const;
type Operator = (typeof ONE_VALUE)[number] | (typeof MANY_VALUES)[number];

const MAX_TERMS = 50;
const MAX_DEPTH = 16;

/**
 * Reads `(op,attr/path,value[,value…]);(…)`. Values may be quoted with `'`, in which `''` is a quote; in attribute names `~0` is `~`,
 * `~1` is `/`, `~a` is `,`, and `~b` is `@`.
 * @throws IotmanoError `invalid-filter` with the position
 */
export function parseFilter(text: string): Filter {
  const terms: FilterTerm[] = [];
  let position = 0;
  for (;;) {
    const term = parseTerm(text, position);
    terms.push(term.value);
    if (terms.length > MAX_TERMS) throw refuse(`more than ${MAX_TERMS} expressions`, position, 'use fewer');
    position = term.end;
    if (position === text.length) return terms;
    if (text[position] !== ';')
      throw refuse('";" or the end is missing', position, 'separate expressions with ";"');
    position += 1;
  }
}

interface Parsed<Value> {
  readonly value: Value;
  /** Position after it. */
  readonly end: number;
}

function parseTerm(text: string, start: number): Parsed<FilterTerm> {
  if (text[start] !== '(') throw refuse('"(" is missing', start, 'write (op,attribute,value)');
  const operator = readUntilComma(text, start + 1);
  if (!isOperator(operator.value)) {
    throw refuse(
      `operator ${JSON.stringify(operator.value.slice(0, 20))} is not known`,
      start + 1,
      `use ${[...ONE_VALUE, ...MANY_VALUES].join(', ')}`,
    );
  }
  const attribute = readUntilComma(text, operator.end + 1);
  const path = parsePath(attribute.value, operator.end + 1);
  const values: string[] = [];
  let end = attribute.end;
  while (text[end] === ',') {
    const value = readValue(text, end + 1);
    values.push(value.value);
    end = value.end;
  }
  if (text[end] !== ')')
    throw refuse('")" is missing', end, 'close the expression; quote a value that holds , or )');
  const isOne = (ONE_VALUE as readonly string[]).includes(operator.value);
  if (isOne && values.length !== 1)
    throw refuse(
      `${operator.value} takes one value, here are ${values.length}`,
      start,
      'use in or cont for several',
    );
  return { value: { operator: operator.value, path, values }, end: end + 1 };
}

function isOperator(text: string): text is Operator {
  return ([...ONE_VALUE, ...MANY_VALUES] as readonly string[]).includes(text);
}

function readUntilComma(text: string, start: number): Parsed<string> {
  let end = start;
  while (end < text.length && text[end] !== ',' && text[end] !== ')') end += 1;
  if (text[end] !== ',') throw refuse('"," is missing', end, 'write (op,attribute,value)');
  return { value: text.slice(start, end), end };
}

function readValue(text: string, start: number): Parsed<string> {
  if (text[start] !== "'") {
    let end = start;
    while (end < text.length && text[end] !== ',' && text[end] !== ')') end += 1;
    return { value: text.slice(start, end), end };
  }
  let value = '';
  for (let index = start + 1; index < text.length; index += 1) {
    if (text[index] !== "'") value += text[index];
    else if (text[index + 1] === "'") {
      value += "'";
      index += 1;
    } else return { value, end: index + 1 };
  }
  throw refuse('the quoted value has no end', start, "close it with '");
}

/**
 * Reads `a/b/@key` with its escapes, for filters and selectors alike.
 * @throws IotmanoError `invalid-filter`
 */
export function parsePath(text: string, position = 0): readonly string[] {
  const path = text.split('/').map((name) => {
    if (name === '')
      throw refuse('an attribute name is empty', position, 'name the attribute, such as id or _links/self');
    if (/~(?![01ab])/.test(name))
      throw refuse('"~" starts no known escape', position, 'use ~0, ~1, ~a or ~b');
    // A plain @key is the keys of a map; an escaped one is an attribute of that name.
    return name === '@key' ? '@key' : unescape(name);
  });
  if (path.length > MAX_DEPTH)
    throw refuse('the attribute path is too deep', position, `use at most ${MAX_DEPTH} names`);
  return path;
}

const ESCAPES: Readonly<Record<string, string>> = { '~0': '~', '~1': '/', '~a': ',', '~b': '@' };

function unescape(name: string): string {
  const plain = name.replaceAll(/~[01ab]/g, (escape) => ESCAPES[escape] ?? escape);
  // Kept apart from the map-key marker.
  return plain === '@key' ? '@key\u0000' : plain;
}

function refuse(what: string, position: number, remedy: string): IotmanoError {
  return new IotmanoError('invalid-filter', `filter: ${what} at character ${position}; ${remedy}`, {
    parameter: 'filter',
  });
}

/** Whether an object matches all terms. An attribute that it does not have matches nothing. */
export function matchesFilter(filter: Filter, value: unknown): boolean {
  return filter.every((term) => someLeaf(value, term.path, (leaf) => holds(term, leaf)));
}

/** Arrays match if any element does; below a map, the next name is a key of it. */
function someLeaf(value: unknown, path: readonly string[], test: (leaf: unknown) => boolean): boolean {
  if (Array.isArray(value)) return value.some((element) => someLeaf(element, path, test));
  const [name, ...rest] = path;
  if (name === undefined) return test(value);
  if (typeof value !== 'object' || value === null) return false;
  if (name === '@key') return rest.length === 0 && Object.keys(value).some((key) => test(key));
  const key = name === '@key\u0000' ? '@key' : name;
  return Object.hasOwn(value, key) && someLeaf((value as Record<string, unknown>)[key], rest, test);
}

function holds({ operator, values }: FilterTerm, leaf: unknown): boolean {
  if (typeof leaf !== 'string' && typeof leaf !== 'number' && typeof leaf !== 'boolean') return false;
  const [first = ''] = values;
  switch (operator) {
    case 'eq':
      return compare(leaf, first) === 0;
    case 'neq':
      return compare(leaf, first) !== 0;
    case 'gt':
      return compare(leaf, first) > 0;
    case 'gte':
      return compare(leaf, first) >= 0;
    case 'lt':
      return compare(leaf, first) < 0;
    case 'lte':
      return compare(leaf, first) <= 0;
    case 'in':
      return values.some((value) => compare(leaf, value) === 0);
    case 'nin':
      return values.every((value) => compare(leaf, value) !== 0);
    case 'cont':
      return values.some((value) => String(leaf).includes(value));
    case 'ncont':
      return values.every((value) => !String(leaf).includes(value));
  }
}

/** By the type of the attribute: numbers as numbers, everything else as text, so that timestamps compare too. NaN where it makes no sense. */
function compare(leaf: string | number | boolean, value: string): number {
  if (typeof leaf === 'number') return value.trim() === '' ? Number.NaN : Math.sign(leaf - Number(value));
  const text = String(leaf);
  return text === value ? 0 : text < value ? -1 : 1;
}
