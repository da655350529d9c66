import { matchesLabels, parseExpression, type LabelExpression } from '../../descriptors/index.ts';
import { Bits } from './bits.ts';

interface Column {
  /** By row; 0: the host has no such label. */
  codes: Uint32Array;
  /** By code. */
  readonly values: (string | undefined)[];
  readonly codeOf: Map<string, number>;
}

interface Cached {
  readonly bits: Bits;
  readonly holds: (row: number) => boolean;
}

/** Rows in the order of their codes. */
interface Grouped {
  /** By code: where its rows begin; one more at the end. */
  readonly starts: Uint32Array;
  readonly rows: Int32Array;
}

const MOST_CACHED = 2000;

/**
 * Texts of hosts by column, each distinct one stored once. What is asked of a column is answered for each distinct text, not for each host, kept as
 * a set of rows, and kept true row by row as hosts change.
 */
export class LabelColumns {
  /** Rises when codes no longer stand for what they stood for. */
  generation = 0;
  readonly #columns = new Map<string, Column>();
  readonly #cache = new Map<string, Cached>();
  /** By column, until any host says anything else. */
  readonly #grouped = new Map<string, Grouped>();
  readonly #idOf: (row: number) => string;
  readonly #rowOf: (id: string) => number | undefined;
  #size: number;

  /** @param idOf,rowOf the column `host`, of which every text is another one */
  constructor(size: number, idOf: (row: number) => string, rowOf: (id: string) => number | undefined) {
    this.#size = size;
    this.#idOf = idOf;
    this.#rowOf = rowOf;
  }

  /**
   * Replaces all that is known of a row. Where that says the same, as it does when only what is placed there has changed, nothing is answered anew.
   * @returns whether it says anything else
   */
  set(row: number, texts: Readonly<Record<string, string>>): boolean {
    if (row < this.#size && this.#says(row, texts)) return false;
    this.#grouped.clear();
    this.#size = Math.max(this.#size, row + 1);
    for (const column of this.#columns.values()) if (row < column.codes.length) column.codes[row] = 0;
    for (const name in texts) {
      const text = texts[name];
      if (text !== undefined && name !== 'host') this.#put(name, row, text);
    }
    for (const { bits, holds } of this.#cache.values()) bits.put(row, holds(row));
    return true;
  }

  #says(row: number, texts: Readonly<Record<string, string>>): boolean {
    for (const [name, { codes, values }] of this.#columns)
      if (values[codes[row] ?? 0] !== (Object.hasOwn(texts, name) ? texts[name] : undefined)) return false;
    for (const name in texts)
      if (texts[name] !== undefined && name !== 'host' && !this.#columns.has(name)) return false;
    return true;
  }

  text(row: number, name: string): string | undefined {
    if (name === 'host') return this.#idOf(row);
    const column = this.#columns.get(name);
    return column?.values[column.codes[row] ?? 0];
  }

  /** A number that stands for the text; 0 where there is none. */
  code(row: number, name: string): number {
    return name === 'host' ? row + 1 : (this.#columns.get(name)?.codes[row] ?? 0);
  }

  /** How many different texts a column has had. */
  distinct(name: string): number {
    return name === 'host' ? this.#size : (this.#columns.get(name)?.values.length ?? 1);
  }

  /** The codes of a column by row; it may be shorter than there are rows, whose code is 0 then. */
  codes(name: string): Uint32Array {
    return this.#columns.get(name)?.codes ?? new Uint32Array(0);
  }

  /** The rows whose code in a column is this one, in their order. */
  rowsOf(name: string, code: number): Int32Array {
    const known = this.#grouped.get(name);
    const { starts, rows } = known ?? this.#group(name);
    return rows.subarray(starts[code], starts[code + 1]);
  }

  #group(name: string): Grouped {
    const starts = new Uint32Array(this.distinct(name) + 1);
    for (let row = 0; row < this.#size; row += 1) {
      const next = this.code(row, name) + 1;
      starts[next] = (starts[next] ?? 0) + 1;
    }
    for (let at = 1; at < starts.length; at += 1) starts[at] = (starts[at] ?? 0) + (starts[at - 1] ?? 0);
    const ends = starts.slice();
    const rows = new Int32Array(this.#size);
    for (let row = 0; row < this.#size; row += 1) {
      const code = this.code(row, name);
      const at = ends[code] ?? 0;
      rows[at] = row;
      ends[code] = at + 1;
    }
    const grouped = { starts, rows };
    this.#grouped.set(name, grouped);
    return grouped;
  }

  /** The rows whose text satisfies what is asked; `question` names it, so that it is asked once. */
  where(name: string, question: string, holds: (text: string | undefined) => boolean): Bits {
    const key = `${name} ${question}`;
    const known = this.#cache.get(key);
    if (known !== undefined) return known.bits;
    return this.#remember(key, this.#scan(name, holds), (row) => holds(this.text(row, name)));
  }

  /** The rows whose labels satisfy a label expression; one that cannot be read is satisfied nowhere. */
  matching(text: string): Bits {
    const known = this.#cache.get(text);
    if (known !== undefined) return known.bits;
    const { expression } = parseExpression(text);
    if (expression === undefined) return this.#remember(text, new Bits(this.#size), () => false);
    return this.#remember(text, this.#evaluate(expression), (row) => this.#holds(expression, row));
  }

  #remember(key: string, bits: Bits, holds: (row: number) => boolean): Bits {
    if (this.#cache.size >= MOST_CACHED) this.#cache.clear();
    this.#cache.set(key, { bits, holds });
    return bits;
  }

  #evaluate(expression: LabelExpression): Bits {
    switch (expression.type) {
      case 'not': {
        const bits = Bits.ofAll(this.#size);
        bits.drop(this.#evaluate(expression.operand));
        return bits;
      }
      case 'and':
      case 'or': {
        const [first, ...others] = expression.operands.map((operand) => this.#evaluate(operand));
        for (const other of others) {
          if (expression.type === 'and') first?.keep(other);
          else first?.join(other);
        }
        return first ?? new Bits(this.#size);
      }
      default:
        return this.#evaluateLeaf(expression);
    }
  }

  #evaluateLeaf(leaf: Extract<LabelExpression, { readonly label: string }>): Bits {
    const ids = leaf.label === 'host' ? namedIds(leaf) : undefined;
    if (ids === undefined) return this.#scan(leaf.label, (text) => holdsFor(leaf, text));
    const bits = new Bits(this.#size);
    for (const id of ids) {
      const row = this.#rowOf(id);
      if (row !== undefined) bits.put(row, true);
    }
    return bits;
  }

  #holds(expression: LabelExpression, row: number): boolean {
    switch (expression.type) {
      case 'not':
        return !this.#holds(expression.operand, row);
      case 'and':
        return expression.operands.every((operand) => this.#holds(operand, row));
      case 'or':
        return expression.operands.some((operand) => this.#holds(operand, row));
      default:
        return holdsFor(expression, this.text(row, expression.label));
    }
  }

  #scan(name: string, holds: (text: string | undefined) => boolean): Bits {
    const bits = new Bits(this.#size);
    const { words } = bits;
    if (name === 'host') {
      for (let row = 0; row < this.#size; row += 1) if (holds(this.#idOf(row))) bits.put(row, true);
      return bits;
    }
    const column = this.#columns.get(name);
    const answers = Uint8Array.from(column?.values ?? [undefined], (text) => Number(holds(text)));
    const codes = column?.codes ?? new Uint32Array(0);
    const known = Math.min(codes.length, this.#size);
    for (let row = 0; row < known; row += 1)
      if (answers[codes[row] ?? 0] === 1) words[row >>> 5] = (words[row >>> 5] ?? 0) | (1 << (row & 31));
    if (answers[0] === 1) for (let row = known; row < this.#size; row += 1) bits.put(row, true);
    return bits;
  }

  /** Forgets texts that no host has any more: of a label that changes all the time there would be ever more. */
  #compact(column: Column): void {
    const { codes, values, codeOf } = column;
    const known = values.splice(1);
    codeOf.clear();
    for (const [row, old] of codes.entries()) {
      const text = old === 0 ? undefined : known[old - 1];
      if (text === undefined) continue;
      const code = codeOf.get(text) ?? values.push(text) - 1;
      codeOf.set(text, code);
      codes[row] = code;
    }
    this.generation += 1;
  }

  #put(name: string, row: number, text: string): void {
    let column = this.#columns.get(name);
    if (column === undefined) {
      column = { codes: new Uint32Array(this.#size), values: [undefined], codeOf: new Map() };
      this.#columns.set(name, column);
    }
    if (row >= column.codes.length) {
      const longer = new Uint32Array(Math.max(row + 1, column.codes.length * 2));
      longer.set(column.codes);
      column.codes = longer;
    }
    let code = column.codeOf.get(text);
    if (code === undefined) {
      if (column.values.length > 2 * this.#size + MOST_CACHED) this.#compact(column);
      code = column.values.length;
      column.values.push(text);
      column.codeOf.set(text, code);
    }
    column.codes[row] = code;
  }
}

/** Whether the one label alone, or its absence, satisfies a leaf. */
function holdsFor(
  leaf: Extract<LabelExpression, { readonly label: string }>,
  text: string | undefined,
): boolean {
  return matchesLabels(leaf, text === undefined ? {} : { [leaf.label]: text });
}

/** The hosts that a leaf over `host` names one by one. */
function namedIds(leaf: Extract<LabelExpression, { readonly label: string }>): readonly string[] | undefined {
  if (leaf.type === 'in') return leaf.values;
  return leaf.type === 'compare' && leaf.operator === '=' ? [leaf.value] : undefined;
}
