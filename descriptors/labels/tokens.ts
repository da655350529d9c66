export interface Token {
  readonly type: 'word' | 'quoted' | 'operator' | '(' | ')' | ',' | 'end';
  readonly text: string;
  /** From 0. */
  readonly offset: number;
}

const SPACE = /\s+/y;
const OPERATOR = /(?:!=|>=|<=|=|>|<)/y;
const WORD = /[A-Za-z0-9_][A-Za-z0-9._:/+-]*/y;
const QUOTED = /"([^"]*)"|'([^']*)'/y;

/** The tokens of a label expression, ending in `end`; or the offset of what is none. */
export function tokenize(text: string): readonly Token[] | { readonly badOffset: number } {
  const tokens: Token[] = [];
  let offset = 0;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = offset;
    return pattern.exec(text);
  };
  while (offset < text.length) {
    const space = match(SPACE);
    if (space !== null) {
      offset += space[0].length;
      continue;
    }
    const token = nextToken(text, offset, match);
    if (token === undefined) return { badOffset: offset };
    tokens.push(token.token);
    offset += token.length;
  }
  return [...tokens, { type: 'end', text: '', offset }];
}

function nextToken(
  text: string,
  offset: number,
  match: (pattern: RegExp) => RegExpExecArray | null,
): { readonly token: Token; readonly length: number } | undefined {
  const mark = text[offset];
  if (mark === '(' || mark === ')' || mark === ',')
    return { token: { type: mark, text: mark, offset }, length: 1 };
  const operator = match(OPERATOR);
  if (operator !== null)
    return { token: { type: 'operator', text: operator[0], offset }, length: operator[0].length };
  const quoted = match(QUOTED);
  if (quoted !== null) {
    const content = quoted[1] ?? quoted[2] ?? '';
    return { token: { type: 'quoted', text: content, offset }, length: quoted[0].length };
  }
  const word = match(WORD);
  return word === null
    ? undefined
    : { token: { type: 'word', text: word[0], offset }, length: word[0].length };
}
