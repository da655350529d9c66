import { didYouMean, listed } from '../document/wording.ts';
import type { Fault } from '../types.ts';
import { tokenize, type Token } from './tokens.ts';

export type ComparisonOperator = '=' | '!=' | '<' | '<=' | '>' | '>=';

/** A label expression as a tree. */
export type LabelExpression =
  | { readonly type: 'and' | 'or'; readonly operands: readonly LabelExpression[] }
  | { readonly type: 'not'; readonly operand: LabelExpression }
  | {
      readonly type: 'compare';
      readonly label: string;
      readonly operator: ComparisonOperator;
      readonly value: string;
    }
  | { readonly type: 'in'; readonly label: string; readonly values: readonly string[] }
  | { readonly type: 'exists'; readonly label: string };

export interface ParsedExpression {
  /** Absent where there are faults. */
  readonly expression?: LabelExpression;
  readonly faults: readonly Fault[];
}

const OPERATORS: readonly ComparisonOperator[] = ['=', '!=', '<', '<=', '>', '>='];
const KEYWORDS: readonly string[] = ['and', 'or', 'not', 'in', 'exists'];
const MAX_LENGTH = 2000;
const MAX_DEPTH = 50;

/**
 * Parses a label expression such as `tier = device-edge and site in (north, south) and not version < 1.2`.
 * `not` binds closer than `and`, `and` closer than `or`. Never throws.
 */
export function parseExpression(text: string): ParsedExpression {
  try {
    if (text.length > MAX_LENGTH)
      throw new Refusal(0, `the expression is longer than ${MAX_LENGTH} characters`, 'shorten it');
    const tokens = tokenize(text);
    if ('badOffset' in tokens) throw badCharacter(text, tokens.badOffset);
    return { expression: new Parser(tokens).parse(), faults: [] };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const column = error.offset + 1;
    const message = `${error.message} (character ${column} of the expression)`;
    const place = { file: '', line: 1, column, pointer: '' };
    return {
      faults: [{ rule: 'invalid-expression', severity: 'error', ...place, message, remedy: error.remedy }],
    };
  }
}

/** Leaves the recursive descent; caught in `parseExpression`. */
class Refusal extends Error {
  readonly offset: number;
  readonly remedy: string;
  constructor(offset: number, message: string, remedy: string) {
    super(message);
    this.offset = offset;
    this.remedy = remedy;
  }
}

function badCharacter(text: string, offset: number): Refusal {
  const character = String.fromCodePoint(text.codePointAt(offset) ?? 0);
  const isQuote = character === '"' || character === "'";
  return isQuote
    ? new Refusal(offset, `the quote ${character} is not closed`, 'close it')
    : new Refusal(
        offset,
        `${JSON.stringify(character)} cannot be used here`,
        'put texts with other characters into quotes',
      );
}

class Parser {
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  parse(): LabelExpression {
    const expression = this.#disjunction();
    if (this.#peek().type !== 'end') throw this.#unexpected('`and`, `or` or the end', ['and', 'or']);
    return expression;
  }

  #peek(): Token {
    return this.#tokens[this.#next] ?? { type: 'end', text: '', offset: 0 };
  }

  #take(): Token {
    const token = this.#peek();
    this.#next++;
    return token;
  }

  #takeKeyword(keyword: string): boolean {
    const isThere = this.#peek().type === 'word' && this.#peek().text.toLowerCase() === keyword;
    if (isThere) this.#next++;
    return isThere;
  }

  #disjunction(): LabelExpression {
    return this.#chain('or', () => this.#chain('and', () => this.#negation()));
  }

  #chain(type: 'and' | 'or', operand: () => LabelExpression): LabelExpression {
    const first = operand();
    const operands = [first];
    while (this.#takeKeyword(type)) operands.push(operand());
    return operands.length === 1 ? first : { type, operands };
  }

  #negation(): LabelExpression {
    if (++this.#depth > MAX_DEPTH)
      throw new Refusal(this.#peek().offset, 'the expression is nested too deep', 'flatten it');
    const expression = this.#takeKeyword('not')
      ? { type: 'not' as const, operand: this.#negation() }
      : this.#primary();
    this.#depth--;
    return expression;
  }

  #primary(): LabelExpression {
    if (this.#peek().type !== '(') return this.#condition();
    const opening = this.#take();
    const inner = this.#disjunction();
    if (this.#take().type !== ')')
      throw new Refusal(opening.offset, 'the parenthesis `(` is not closed', 'add `)`');
    return inner;
  }

  #condition(): LabelExpression {
    const label = this.#peek();
    const isKeyword = label.type === 'word' && KEYWORDS.includes(label.text.toLowerCase());
    if ((label.type !== 'word' && label.type !== 'quoted') || isKeyword)
      throw this.#unexpected('the name of a label');
    this.#next++;
    if (this.#takeKeyword('exists')) return { type: 'exists', label: label.text };
    if (this.#takeKeyword('in')) return { type: 'in', label: label.text, values: this.#list() };
    if (this.#takeKeyword('not')) {
      if (!this.#takeKeyword('in')) throw this.#unexpected('`in` after `not`', ['in']);
      return { type: 'not', operand: { type: 'in', label: label.text, values: this.#list() } };
    }
    const operator = OPERATORS.find(
      (candidate) => this.#peek().type === 'operator' && candidate === this.#peek().text,
    );
    if (operator === undefined)
      throw this.#unexpected(`a comparison (${listed(OPERATORS)}, \`in (…)\` or \`exists\`)`, [
        'in',
        'exists',
        'not',
      ]);
    this.#next++;
    return { type: 'compare', label: label.text, operator, value: this.#value() };
  }

  #value(): string {
    const { type, text } = this.#peek();
    if (type !== 'word' && type !== 'quoted') throw this.#unexpected('a value');
    this.#next++;
    return text;
  }

  #list(): string[] {
    if (this.#peek().type !== '(') throw this.#unexpected('`(` and the values');
    this.#next++;
    const values = [this.#value()];
    while (this.#peek().type === ',') {
      this.#next++;
      values.push(this.#value());
    }
    if (this.#peek().type !== ')') throw this.#unexpected('`,` or `)`');
    this.#next++;
    return values;
  }

  #unexpected(wanted: string, candidates: readonly string[] = []): Refusal {
    const { type, text, offset } = this.#peek();
    const found = type === 'end' ? 'the expression ends' : `\`${text}\` stands`;
    return new Refusal(
      offset,
      `${found} where ${wanted} is expected`,
      `write ${wanted}.${didYouMean(text, candidates)}`,
    );
  }
}
