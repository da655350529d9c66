import { validateBounded, validatorOf } from '../check-config.ts';
import { pointerTokens, type Cursor } from '../document/cursor.ts';
import { BOTH, FUNCTION, type Rule, type RuleFinding } from './rule.ts';

const parametersOf = (doc: Cursor): [string, Cursor][] => [
  ...doc.at('config', 'properties').entries(),
  ...doc.at('parameters', 'properties').entries(),
];

export const secretWithDefault: Rule = {
  name: 'secret-with-default',
  summary: 'A secret parameter has neither default nor examples: a descriptor is no place for secrets.',
  kinds: BOTH,
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

/** Compiling a schema takes time in proportion to its size. */
const MAX_VALUES = 1500;

export const tooManyParameters: Rule = {
  name: 'too-many-parameters',
  summary: `The schema of the parameters holds at most ${MAX_VALUES} values.`,
  kinds: BOTH,
  *check(doc) {
    for (const at of [doc.at('config'), doc.at('parameters')]) {
      if (countValues(at.value, MAX_VALUES + 1) <= MAX_VALUES) continue;
      const message = `the schema of the parameters holds more than ${MAX_VALUES} values`;
      yield { at, message, remedy: 'leave out parameters, or give large settings as a file of the package' };
    }
  },
};

/** Counts no further than `atMost`. */
function countValues(value: unknown, atMost: number): number {
  if (typeof value !== 'object' || value === null || atMost <= 0) return 1;
  let count = 1;
  for (const item of Object.values(value)) {
    if (count >= atMost) break;
    count += countValues(item, atMost - count);
  }
  return count;
}

export const defaultNotValid: Rule = {
  name: 'default-not-valid',
  summary: 'The default of a parameter satisfies the schema of the parameter.',
  kinds: BOTH,
  *check(doc) {
    for (const at of [doc.at('config', 'properties'), doc.at('parameters', 'properties')]) {
      if (at.keys().length === 0 || countValues(at.value, MAX_VALUES + 1) > MAX_VALUES) continue;
      const withDefault = at.entries().filter(([, parameter]) => parameter.at('default').exists);
      const defaults = Object.fromEntries(
        withDefault.map(([name, parameter]) => [name, parameter.at('default').value]),
      );
      const validate = validatorOf({ type: 'object', properties: at.value });
      if (validate === undefined || validateBounded(validate, defaults)) continue;
      for (const { instancePath, message } of validate.errors ?? []) {
        const [name = ''] = pointerTokens(instancePath);
        yield {
          at: at.at(name, 'default'),
          message: `the default of \`${name}\` is not valid: it ${message ?? 'does not match'}`,
          remedy: 'change the default or the schema',
        };
      }
    }
  },
};

export const requiresWithoutBindings: Rule = {
  name: 'requires-without-bindings',
  summary:
    'A function that requires something, or reloads a parameter, has a unit with a bindings file to learn it from.',
  kinds: FUNCTION,
  *check(doc): Iterable<RuleFinding> {
    if (doc.each('units').some((unit) => unit.at('bindings').exists)) return;
    const remedy = 'add `bindings: { path: bindings.json }` to the unit that uses it';
    // The host itself heeds that one.
    const pausing = doc.at('run', 'pausedBy').text;
    for (const [name, at] of doc.at('requires').entries())
      yield {
        at,
        isAtKey: true,
        message: `no unit has a bindings file, so \`${name}\` reaches nobody`,
        remedy,
      };
    for (const [name, at] of doc.at('config', 'apply').entries())
      if (at.text === 'reload' && name !== pausing)
        yield {
          at,
          message: `no unit has a bindings file, so a reload of \`${name}\` reaches nobody`,
          remedy,
        };
  },
};
