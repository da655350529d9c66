/**
 * A place in a document: a value and the JSON pointer to it. Reading is lenient: what is not there, or is of another type than
 * asked for, is simply absent, so that rules can look at a document that the schema has already found fault with.
 */
export class Cursor {
  readonly value: unknown;
  readonly pointer: string;

  constructor(value: unknown, pointer = '') {
    this.value = value;
    this.pointer = pointer;
  }

  /** The property or item of that name, present or not. */
  at(...path: readonly string[]): Cursor {
    return path.reduce<Cursor>((cursor, key) => cursor.#child(key), this);
  }

  #child(key: string): Cursor {
    const { value } = this;
    const isContainer = typeof value === 'object' && value !== null;
    const child =
      isContainer && Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
    return new Cursor(child, `${this.pointer}/${escapeToken(key)}`);
  }

  get exists(): boolean {
    return this.value !== undefined;
  }

  get text(): string | undefined {
    return typeof this.value === 'string' ? this.value : undefined;
  }

  get number(): number | undefined {
    return typeof this.value === 'number' ? this.value : undefined;
  }

  /** Items of a list; none where it is not one. */
  items(): Cursor[] {
    const list: readonly unknown[] = Array.isArray(this.value) ? this.value : [];
    return list.map((item, index) => new Cursor(item, `${this.pointer}/${index}`));
  }

  /** Items of a list; where it is an object instead, that alone. */
  oneOrMore(): Cursor[] {
    return this.entries().length > 0 ? [this] : this.items();
  }

  /** Items of the list of that name; with further names, items of the lists within those: `each('flavours', 'levels')` are all levels. */
  each(...lists: readonly string[]): Cursor[] {
    return lists.reduce<Cursor[]>(
      (within, name) => within.flatMap((cursor) => cursor.at(name).items()),
      [this],
    );
  }

  /** Properties of an object; none where it is not one. */
  entries(): [string, Cursor][] {
    const { value } = this;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
    return Object.keys(value).map((key) => [key, this.#child(key)]);
  }

  values(): Cursor[] {
    return this.entries().map(([, child]) => child);
  }

  keys(): string[] {
    return this.entries().map(([key]) => key);
  }

  /** The `name`s of the items, where they are texts. */
  names(property = 'name'): string[] {
    return this.items().flatMap((item) => item.at(property).text ?? []);
  }

  /** The value as the schema has established it to be. Only for documents without faults. */
  as<T>(): T {
    return this.value as T;
  }
}

/** A name as a token of a JSON pointer (RFC 6901). */
export function escapeToken(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** The tokens of a JSON pointer (RFC 6901). */
export function pointerTokens(pointer: string): string[] {
  if (pointer === '') return [];
  return pointer
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}
