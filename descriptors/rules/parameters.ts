import { validatorOf } from '../check-config.ts';
import type { Cursor } from '../document/cursor.ts';
import { BOTH, FUNCTION, type Rule, type RuleFinding } from './rule.ts';

const parametersOf = (doc: Cursor): [string, Cursor][] => [
  ...doc.at('config', 'properties').entries(),
  ...doc.at('parameters', 'properties').entries(),
];

export const secretWithDefault: Rule = {
  name: 'secret-with-default',
  summary: 'A secret parameter has neither default nor examples: a descriptor is no place for secrets.',
  kinds: BOTH,
  severity: 'error',
  *check(doc) {
    for (const [name, parameter] of parametersOf(doc)) {
      if (parameter.at('secret').value !== true) continue;
      for (const property of ['default', 'const', 'enum', 'examples']) {
        const at = parameter.at(property);
        if (at.exists)
          yield {
            at,
            isAtKey: true,
            message: `the secret \`${name}\` has \`${property}\``,
            remedy: 'remove it',
          };
      }
    }
  },
};

export const defaultNotValid: Rule = {
  name: 'default-not-valid',
  summary: 'The default of a parameter satisfies the schema of the parameter.',
  kinds: BOTH,
  severity: 'error',
  *check(doc) {
    // Compiling many schemas takes long; the schema of the language bounds their number only roughly.
    for (const [name, parameter] of parametersOf(doc).slice(0, 200)) {
      const at = parameter.at('default');
      if (!at.exists) continue;
      const validate = validatorOf(parameter.as<Record<string, unknown>>());
      if (validate === undefined || validate(at.value)) continue;
      const [error] = validate.errors ?? [];
      yield {
        at,
        message: `the default of \`${name}\` is not valid: it ${error?.message ?? 'does not match'}`,
        remedy: 'change the default or the schema',
      };
    }
  },
};

export const requiresWithoutBindings: Rule = {
  name: 'requires-without-bindings',
  summary:
    'A function that requires something, or reloads a parameter, has a unit with a bindings file to learn it from.',
  kinds: FUNCTION,
  severity: 'error',
  *check(doc): Iterable<RuleFinding> {
    if (
      doc
        .at('units')
        .items()
        .some((unit) => unit.at('bindings').exists)
    )
      return;
    const remedy = 'add `bindings: { path: bindings.json }` to the unit that uses it';
    for (const [name, at] of doc.at('requires').entries())
      yield {
        at,
        isAtKey: true,
        message: `no unit has a bindings file, so \`${name}\` reaches nobody`,
        remedy,
      };
    for (const [name, at] of doc.at('config', 'apply').entries())
      if (at.text === 'reload')
        yield {
          at,
          message: `no unit has a bindings file, so a reload of \`${name}\` reaches nobody`,
          remedy,
        };
  },
};
