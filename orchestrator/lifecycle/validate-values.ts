import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { IotmanoError } from '../../kernel/index.ts';

type Schema = Readonly<Record<string, unknown>>;

const ajv = new Ajv2020({ allErrors: true, strict: false, validateFormats: true });
(addFormats as unknown as (target: Ajv2020) => void)(ajv);
const compiled = new WeakMap<Schema, ValidateFunction>();

/**
 * Checks values against a JSON Schema of a descriptor (which was checked itself when it was onboarded). All faults at once.
 * @param what what the values are, for the message, e.g. `parameters of virtual-cse`
 * @throws IotmanoError `unprocessable`
 */
export function validateValues(
  schema: Schema,
  values: Readonly<Record<string, unknown>>,
  what: string,
): void {
  const known = schema['properties'];
  const names = typeof known === 'object' && known !== null ? Object.keys(known) : [];
  const strange = Object.keys(values).filter((name) => !names.includes(name));
  const faults = strange.map((name) => `/${name} is not known; known are: ${names.join(', ') || 'none'}`);
  const validate = compiled.get(schema) ?? compile(schema);
  if (!validate(values)) faults.push(...(validate.errors ?? []).map(describe));
  if (faults.length > 0)
    throw new IotmanoError('unprocessable', `${what}: ${[...new Set(faults)].join('; ')}`, { faults });
}

function compile(schema: Schema): ValidateFunction {
  // `apply` and `secret` are of the descriptor language, not of JSON Schema.
  const { apply: _apply, ...pure } = schema;
  const validate = ajv.compile(pure);
  compiled.set(schema, validate);
  return validate;
}

function describe({ instancePath, message, params }: ErrorObject): string {
  const allowed = 'allowedValues' in params ? `: ${JSON.stringify(params['allowedValues'])}` : '';
  return `${instancePath || '/'} ${message ?? 'is not valid'}${allowed}`;
}
