import type { ErrorObject } from 'ajv/dist/2020.js';
import { escapeToken } from './cursor.ts';
import type { Finding, Wording } from './finding.ts';
import { didYouMean, listed } from './wording.ts';

interface SchemaWording extends Wording {
  /** Where it is not the value at the error's instance path. */
  readonly pointer?: string;
  readonly isAtKey?: boolean;
}

/** Parts of the language that this version does not have yet. */
const NOT_YET = new Set(['devices', 'streams', 'external', 'waves', 'bake', 'stopAt']);

/**
 * The validator's errors in words for people.
 * @param whole what the document is called
 */
export function toFindings(errors: readonly ErrorObject[], whole = 'the descriptor'): Finding[] {
  return errors.flatMap((error) => {
    if (isPartOfChoice(error) || error.keyword === 'propertyNames' || error.keyword === 'if') return [];
    const wording = wordingOf(error, whole);
    return [{ rule: `schema/${error.keyword}`, pointer: error.instancePath, ...wording }];
  });
}

/** Errors of the branches of a `oneOf` say less than the `oneOf` itself, but where the `type` has chosen the branch already. */
function isPartOfChoice({ schemaPath, keyword, parentSchema }: ErrorObject): boolean {
  const { properties } = (parentSchema ?? {}) as { properties?: { type?: { const?: unknown } } };
  const isChosen = properties?.type?.const !== undefined;
  return keyword === 'required' && /\/oneOf\/\d+\/required$/.test(schemaPath) && !isChosen;
}

function wordingOf(error: ErrorObject, whole: string): SchemaWording {
  const { instancePath, params, data, parentSchema = {} } = error;
  const place = lastToken(instancePath, whole);
  const found = excerpt(data);
  switch (error.keyword) {
    case 'additionalProperties':
      return unknownProperty(error, String(params['additionalProperty']), whole);
    case 'required':
      return missingProperty(error, String(params['missingProperty']), whole);
    case 'type':
      return {
        message: `${place} is ${found}`,
        remedy: `it must be ${typeWords(params['type'])}${quoteHint(error)}`,
      };
    case 'enum': {
      const allowed = listOf(params['allowedValues']);
      const hint = typeof data === 'string' ? didYouMean(data, allowed.filter(isText)) : '';
      return { message: `${place} is ${found}`, remedy: `allowed: ${listed(allowed)}.${hint}` };
    }
    case 'const':
      return { message: `${place} is ${found}`, remedy: `it must be ${listed([params['allowedValue']])}` };
    case 'pattern':
      return patternWording(error, place, found);
    case 'oneOf':
      return choiceWording(error, place);
    case 'discriminator': {
      const allowed = branchTags(parentSchema);
      const hint = typeof params['tagValue'] === 'string' ? didYouMean(params['tagValue'], allowed) : '';
      return {
        message: `the \`type\` of ${place} is ${excerpt(params['tagValue'])}`,
        remedy: `allowed: ${listed(allowed)}.${hint}`,
        pointer: `${instancePath}/type`,
      };
    }
    default:
      return { message: `${place} is ${found}`, remedy: boundWords(error) };
  }
}

function unknownProperty(
  { instancePath, parentSchema }: ErrorObject,
  property: string,
  whole: string,
): SchemaWording {
  const known = Object.keys((parentSchema?.['properties'] ?? {}) as object);
  const where = lastToken(instancePath, whole);
  const remedy = NOT_YET.has(property)
    ? 'this part of the language is not supported by this version yet; leave it out'
    : `allowed: ${listed(known)}.${didYouMean(property, known)}`;
  const pointer = `${instancePath}/${escapeToken(property)}`;
  return {
    message: `\`${property.slice(0, 80)}\` is not a property of ${where}`,
    remedy,
    pointer,
    isAtKey: true,
  };
}

function missingProperty(
  { instancePath, parentSchema }: ErrorObject,
  property: string,
  whole: string,
): SchemaWording {
  const properties = (parentSchema?.['properties'] ?? {}) as Readonly<
    Record<string, { description?: string; examples?: unknown[] }>
  >;
  const schema = properties[property];
  const where = lastToken(instancePath, whole);
  const example =
    schema?.examples?.[0] === undefined
      ? ''
      : `, e.g. \`${property}: ${JSON.stringify(schema.examples[0])}\``;
  return {
    message: `${where} has no \`${property}\``,
    remedy: `add it${example}. ${schema?.description ?? ''}`.trim(),
    isAtKey: true,
  };
}

function patternWording(
  { parentSchema, propertyName, instancePath }: ErrorObject,
  place: string,
  found: string,
): SchemaWording {
  const { description, examples } = (parentSchema ?? {}) as { description?: string; examples?: unknown[] };
  const example = examples?.[0] === undefined ? '' : ` Example: ${JSON.stringify(examples[0])}.`;
  const remedy = `${description ?? `it must match ${String(parentSchema?.['pattern'])}`}${example}`;
  if (propertyName === undefined) return { message: `${place} is ${found}`, remedy };
  const pointer = `${instancePath}/${escapeToken(propertyName)}`;
  return {
    message: `the name \`${propertyName.slice(0, 80)}\` is not valid`,
    remedy,
    pointer,
    isAtKey: true,
  };
}

function choiceWording({ schema, params }: ErrorObject, place: string): SchemaWording {
  const choices = listOf(schema).flatMap((branch) =>
    listOf((branch as { required?: unknown }).required).map(String),
  );
  const several = params['passingSchemas'] === null ? 'none' : 'more than one';
  return {
    message: `${place} has ${several} of ${listed(choices)}`,
    remedy: `give exactly one of ${listed(choices)}`,
  };
}

function boundWords({ keyword, params, message }: ErrorObject): string {
  const limit = String(params['limit'] ?? '');
  const WORDS: Readonly<Record<string, string>> = {
    minimum: `it must be at least ${limit}`,
    maximum: `it must be at most ${limit}`,
    exclusiveMinimum: `it must be greater than ${limit}`,
    exclusiveMaximum: `it must be less than ${limit}`,
    minLength: `it must have at least ${limit} characters`,
    maxLength: `it must have at most ${limit} characters`,
    minItems: `it must have at least ${limit} items`,
    maxItems: `it must have at most ${limit} items`,
    minProperties: `it must have at least ${limit} properties`,
    maxProperties: `it must have at most ${limit} properties`,
    multipleOf: `it must be a multiple of ${String(params['multipleOf'])}`,
    format: `it must be a valid ${String(params['format'])}`,
  };
  return WORDS[keyword] ?? `it ${message ?? 'is not valid'}`;
}

function typeWords(type: unknown): string {
  const types = (Array.isArray(type) ? type : String(type).split(',')).map(String);
  const WORDS: Readonly<Record<string, string>> = {
    array: 'a list',
    object: 'an object',
    integer: 'a whole number',
    string: 'a text',
  };
  return types.map((name) => WORDS[name] ?? `a ${name}`).join(' or ');
}

/** `1.0` is a number in YAML: a text needs quotes there. */
function quoteHint({ params, data }: ErrorObject): string {
  const isUnquoted = params['type'] === 'string' && ['number', 'boolean'].includes(typeof data);
  return isUnquoted ? `; put it into quotes: "${String(data)}"` : '';
}

function branchTags(parentSchema: object): string[] {
  const branches = listOf((parentSchema as { oneOf?: unknown }).oneOf);
  return branches.flatMap((branch) => {
    const tag = (branch as { properties?: { type?: { const?: unknown } } }).properties?.type?.const;
    return typeof tag === 'string' ? [tag] : [];
  });
}

function lastToken(pointer: string, whole: string): string {
  return pointer === '' ? whole : `\`${pointer.slice(1).split('/').slice(-2).join('/')}\``;
}

function excerpt(value: unknown): string {
  const text = JSON.stringify(value) ?? 'absent';
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
