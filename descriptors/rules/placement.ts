import { nearest, unknownName } from '../document/wording.ts';
import { parseExpression } from '../labels/parse-expression.ts';
import { JURISDICTIONS } from './jurisdictions.ts';
import { BOTH, FUNCTION, type Rule } from './rule.ts';

export const unknownJurisdiction: Rule = {
  name: 'unknown-jurisdiction',
  summary: 'A jurisdiction is an ISO 3166-1 alpha-2 code, or EU.',
  kinds: FUNCTION,
  *check(doc) {
    for (const at of doc.at('placement').each('jurisdictions')) {
      if (at.text === undefined || JURISDICTIONS.has(at.text)) continue;
      const upper = at.text.toUpperCase();
      const meant = ALIASES[upper] ?? (JURISDICTIONS.has(upper) ? upper : nearest(upper, JURISDICTIONS));
      const hint = meant === undefined ? '' : `. Did you mean \`${meant}\`?`;
      yield {
        at,
        message: `\`${at.text.slice(0, 40)}\` is not a jurisdiction`,
        remedy: `use two capital letters of ISO 3166-1, or EU${hint}`,
      };
    }
  },
};

const ALIASES: Readonly<Record<string, string>> = {
  UK: 'GB',
  EUROPE: 'EU',
  USA: 'US',
  DEU: 'DE',
  FRA: 'FR',
  EL: 'GR',
};

export const invalidExpression: Rule = {
  name: 'invalid-expression',
  summary:
    'Label expressions in `require`, `prefer`, `affinities`, `coverage.each` and `upgrade.waves` are well-formed.',
  kinds: BOTH,
  *check(doc) {
    const places = [
      ...doc.at('placement').each('require'),
      ...doc
        .at('placement', 'prefer')
        .items()
        .map((item) => item.at('expression')),
      ...doc
        .at('placement', 'affinities')
        .items()
        .map((item) => item.at('with')),
      ...doc.each('functions').map((item) => item.at('coverage', 'each')),
      ...doc.each('upgrade', 'waves').map((item) => item.at('label')),
    ];
    for (const at of places) {
      if (at.text === undefined) continue;
      for (const { message, remedy } of parseExpression(at.text).faults) yield { at, message, remedy };
    }
  },
};

export const unknownNear: Rule = {
  name: 'unknown-near',
  summary: '`near` names requirements of the function.',
  kinds: FUNCTION,
  *check(doc) {
    const known = doc
      .at('requires')
      .entries()
      .map(([name]) => name);
    for (const near of doc.at('placement', 'near').oneOrMore())
      for (const at of [near.at('requires'), near.at('data')])
        if (at.text !== undefined && !known.includes(at.text))
          yield { at, ...unknownName(at.text, known, 'a requirement of the function') };
  },
};
