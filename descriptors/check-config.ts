import { Script, createContext } from 'node:vm';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { toFindings } from './document/schema-findings.ts';
import { toFaults } from './document/finding.ts';
import type { Fault } from './types.ts';

/** Parameters of a function (`config`) or of a service (`parameters`). */
export interface Parameters {
  readonly schema: Readonly<Record<string, unknown>>;
  readonly defaults: Readonly<Record<string, unknown>>;
}

export interface CheckedConfig {
  /** The values with defaults; absent where there are faults. */
  readonly values?: Readonly<Record<string, unknown>>;
  readonly faults: readonly Fault[];
}

/** Checks values that a caller gives for parameters, and adds the defaults. Never throws; secrets' values are not in the faults. */
export function checkConfig(
  parameters: Parameters,
  values: Readonly<Record<string, unknown>>,
): CheckedConfig {
  const complete = { ...parameters.defaults, ...values };
  const validate = validatorOf(parameters.schema);
  if (validate === undefined) return { faults: [unusable()] };
  const faults = Object.entries(complete).flatMap(([name, value]) => (holdsNul(value) ? [nulIn(name)] : []));
  if (faults.length > 0) return { faults };
  if (validateBounded(validate, complete)) return { values: complete, faults: [] };
  const errors = (validate.errors ?? []).slice(0, 100).map((error) => hideSecret(error, parameters.schema));
  return { faults: toFaults(toFindings(errors), 'config', () => undefined) };
}

/** No environment variable and no argument can hold a NUL, and every value may become one. */
function holdsNul(value: unknown): boolean {
  if (typeof value === 'string') return value.includes('\0');
  return typeof value === 'object' && value !== null && Object.values(value).some(holdsNul);
}

function nulIn(name: string): Fault {
  return {
    rule: 'config-text',
    severity: 'error',
    file: 'config',
    pointer: `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`,
    message: `\`${name}\` holds a NUL character`,
    remedy: 'leave it out',
  };
}

const validators = new WeakMap<object, ValidateFunction>();

/** A schema is compiled once; nothing where it cannot be compiled. */
export function validatorOf(schema: Readonly<Record<string, unknown>>): ValidateFunction | undefined {
  const known = validators.get(schema);
  if (known !== undefined) return known;
  try {
    const ajv = new Ajv2020({
      allErrors: true,
      verbose: true,
      strict: false,
      ownProperties: true,
      code: { regExp: boundedRegExp },
    });
    addFormats.default(ajv);
    const validate = ajv.compile(schema);
    validators.set(schema, validate);
    return validate;
  } catch {
    return undefined;
  }
}

/** For all patterns of one validation together. */
const PATTERN_MILLISECONDS = 200;
let remainingMilliseconds = PATTERN_MILLISECONDS;

/** Validates with the patterns' time bounded: they come from whoever wrote the descriptor, and may backtrack without end. */
export function validateBounded(validate: ValidateFunction, value: unknown): boolean {
  remainingMilliseconds = PATTERN_MILLISECONDS;
  return validate(value);
}

const context = createContext(
  { pattern: /x/, text: '' },
  { codeGeneration: { strings: false, wasm: false } },
);
const test = new Script('pattern.test(text)');

/** A pattern that takes too long matches nothing. */
function boundedRegExp(source: string, flags: string): { toString(): string; test(text: string): boolean } {
  const pattern = new RegExp(source, flags);
  return {
    // The validator takes patterns with the same text for the same pattern.
    toString: () => String(pattern),
    test: (text) => testBounded(pattern, text),
  };
}

function testBounded(pattern: RegExp, text: string): boolean {
  if (remainingMilliseconds < 1) return false;
  const start = performance.now();
  Object.assign(context, { pattern, text });
  try {
    return test.runInContext(context, { timeout: Math.ceil(remainingMilliseconds) }) === true;
  } catch {
    return false;
  } finally {
    remainingMilliseconds -= performance.now() - start;
  }
}
boundedRegExp.code = 'boundedRegExp';

type SchemaError = NonNullable<ValidateFunction['errors']>[number];

function hideSecret(error: SchemaError, schema: Readonly<Record<string, unknown>>): SchemaError {
  const [, name = ''] = error.instancePath.split('/');
  const properties = (schema['properties'] ?? {}) as Readonly<Record<string, { readonly secret?: boolean }>>;
  const isSecret = Object.hasOwn(properties, name) && properties[name]?.secret === true;
  return isSecret ? { ...error, data: '(secret)', params: { ...error.params, tagValue: undefined } } : error;
}

function unusable(): Fault {
  return {
    rule: 'config-schema',
    severity: 'error',
    file: 'config',
    pointer: '',
    message: 'the parameters of the descriptor are not a schema that can be used',
    remedy: 'correct the descriptor',
  };
}
