import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { Descriptor } from '../types.ts';
import { SCHEMAS } from '../schemas/index.ts';
import type { Finding } from './finding.ts';
import { toFindings } from './schema-findings.ts';

export type Kind = Descriptor['kind'];
export const KINDS: readonly Kind[] = ['IoTFunctionDescriptor', 'IoTServiceDescriptor'];

type Validated = Kind | 'ScalingPolicy';
let validators: Readonly<Record<Validated, ValidateFunction>> | undefined;

/** Compiled at the first use, so that rooms which only need the types do not pay for it. */
function validatorOf(kind: Validated): ValidateFunction {
  if (validators === undefined) {
    const ajv = new Ajv2020({
      allErrors: true,
      verbose: true,
      discriminator: true,
      useDefaults: true,
      strict: false,
    });
    addFormats.default(ajv);
    ajv.addSchema(SCHEMAS.common);
    validators = {
      IoTFunctionDescriptor: ajv.compile(SCHEMAS.function),
      IoTServiceDescriptor: ajv.compile(SCHEMAS.service),
      ScalingPolicy: ajv.compile({ $ref: 'urn:iotmano:schema:common#/$defs/scalingPolicy' }),
    };
  }
  return validators[kind];
}

export interface Validation {
  /** Everything in which the value differs from the schema of its kind. */
  readonly findings: readonly Finding[];
  /** Some list or object has more members than the language allows. */
  readonly isTooLarge: boolean;
}

/** Defaults are written into the value. */
export function validateDocument(kind: Kind, value: unknown): Validation {
  const validate = validatorOf(kind);
  if (validate(value)) return { findings: [], isTooLarge: false };
  const errors: readonly ErrorObject[] = validate.errors ?? [];
  const isTooLarge = errors.some(({ keyword }) => keyword === 'maxItems' || keyword === 'maxProperties');
  return { findings: toFindings(errors.slice(0, MAX_ERRORS)), isTooLarge };
}

/** What is wrong with a scaling policy alone. */
export function validateScalingPolicy(value: unknown): readonly Finding[] {
  const validate = validatorOf('ScalingPolicy');
  if (validate(value)) return [];
  return toFindings((validate.errors ?? []).slice(0, MAX_ERRORS), 'the policy');
}

const MAX_ERRORS = 1000;
