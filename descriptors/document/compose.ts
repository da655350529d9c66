import { Composer, Lexer, Parser, type CST, type Document } from 'yaml';
import type { Finding } from './finding.ts';

/** Bounds that keep the reading of any text short: beyond them it is refused, not read. */
export const LIMITS = {
  textBytes: 5 * 1024 * 1024,
  tokens: 100_000,
  /** Of one text or comment, in characters. */
  token: 256 * 1024,
  depth: 64,
  values: 20_000,
} as const;

/** The one YAML document of the text as a syntax tree, or what is wrong with the text as YAML. */
export function composeYaml(text: string): {
  readonly document?: Document.Parsed;
  readonly findings: Finding[];
} {
  const tooBig = checkSize(text);
  if (tooBig !== undefined) return { findings: [tooBig] };
  const read = readTokens(text);
  if ('finding' in read) return { findings: [read.finding] };
  const composer = new Composer({ uniqueKeys: false, schema: 'core', merge: false, logLevel: 'silent' });
  const documents = [...composer.compose(read.tokens, true, text.length)];
  const [document, second] = documents;
  const findings = documents.flatMap(({ errors }) =>
    errors.map(({ message, pos, code }) => syntax(message, pos[0], code)),
  );
  if (second !== undefined) findings.push(severalDocuments(second.range[0]));
  return document === undefined ? { findings } : { document, findings };
}

function checkSize(text: string): Finding | undefined {
  const isTooBig = text.length > LIMITS.textBytes || Buffer.byteLength(text) > LIMITS.textBytes;
  if (!isTooBig) return undefined;
  return {
    rule: 'yaml/too-large',
    pointer: '',
    offset: 0,
    message: `the document is larger than ${LIMITS.textBytes / 1024 / 1024} MiB`,
    remedy: 'shorten it; what is large belongs into files of the package',
  };
}

/** The syntax tokens, with number and nesting bounded while they are read. */
function readTokens(text: string): { readonly tokens: CST.Token[] } | { readonly finding: Finding } {
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  let count = 0;
  for (const lexeme of new Lexer().lex(text)) {
    if (++count > LIMITS.tokens)
      return { finding: tooComplex(parser.offset, `more than ${LIMITS.tokens} tokens`) };
    if (lexeme.length > LIMITS.token)
      return { finding: tooComplex(parser.offset, `one text is longer than ${LIMITS.token} characters`) };
    tokens.push(...parser.next(lexeme));
    if (parser.stack.length > LIMITS.depth * 2)
      return { finding: tooComplex(parser.offset, `nested deeper than ${LIMITS.depth}`) };
  }
  tokens.push(...parser.end());
  return { tokens };
}

export function tooComplex(offset: number, what: string): Finding {
  return {
    rule: 'yaml/too-complex',
    pointer: '',
    offset,
    message: `the document is ${what.startsWith('nested') ? what : `too complex: ${what}`}`,
    remedy: 'a descriptor needs far less; shorten or flatten it',
  };
}

function severalDocuments(offset: number): Finding {
  return {
    rule: 'yaml/one-document',
    pointer: '',
    offset,
    message: 'the file holds more than one YAML document',
    remedy: 'keep one descriptor per file; remove what follows `---`',
  };
}

function syntax(message: string, offset: number, code: string): Finding {
  const [firstLine = message] = message.split('\n');
  return {
    rule: 'yaml/syntax',
    pointer: '',
    offset,
    message: `this is not valid YAML: ${firstLine.slice(0, 300)}`,
    remedy: REMEDIES[code] ?? 'correct the syntax at this place (indentation, quotes, brackets)',
  };
}

const REMEDIES: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'indent with spaces',
  BAD_INDENT: 'align the line with its siblings',
  BAD_ALIAS: 'define the anchor (`&name`) before the alias (`*name`)',
  MISSING_CHAR: 'add the missing character',
  BAD_SCALAR_START: 'put the text into quotes',
};
