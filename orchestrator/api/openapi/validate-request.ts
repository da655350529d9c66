import { IotmanoError } from '../../../kernel/index.ts';
import type { Operation, Parameter } from './documents.ts';

export interface RequestParts {
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Parsed; undefined where there is none. */
  readonly body: unknown;
  readonly mediaType: string | undefined;
}

/**
 * Checks parameters and body against the operation.
 * @throws IotmanoError `invalid-parameter` for a parameter, `malformed-request` for the body; the message names place and remedy
 */
export function validateRequest(operation: Operation, request: RequestParts): void {
  refuseUnknownQuery(operation, request.query);
  for (const parameter of operation.parameters) {
    const values = valuesOf(parameter, request);
    if (values.length > 1) throw refusal(parameter, 'is given more than once; give it once');
    const [text] = values;
    if (text !== undefined) validateParameter(parameter, text);
    else if (parameter.isRequired) throw refusal(parameter, 'is missing; add it');
  }
  if (request.body !== undefined) validateBody(operation, request);
}

/** @throws IotmanoError `malformed-request`; the message names the place in the body, and the remedy */
export function validateBody(
  operation: Operation,
  { body, mediaType }: Pick<RequestParts, 'body' | 'mediaType'>,
): void {
  const content = operation.bodies.find((each) => each.mediaType === mediaType);
  const violation = content?.check?.(body);
  if (violation === undefined) return;
  const { pointer, text } = violation;
  throw new IotmanoError('malformed-request', `body${pointer} ${text}`, { pointer });
}

function refuseUnknownQuery(operation: Operation, query: URLSearchParams): void {
  const known = operation.parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name);
  for (const name of query.keys()) {
    if (known.includes(name)) continue;
    const advice =
      known.length === 0 ? 'this resource takes none' : `this resource takes ${known.join(', ')}`;
    throw new IotmanoError(
      'invalid-parameter',
      `query parameter ${JSON.stringify(name.slice(0, 80))} is not known; ${advice}`,
      { parameter: name.slice(0, 80) },
    );
  }
}

function valuesOf(parameter: Parameter, request: RequestParts): readonly string[] {
  if (parameter.in === 'query') return request.query.getAll(parameter.name);
  const value =
    parameter.in === 'path' ? request.params[parameter.name] : request.headers[parameter.name.toLowerCase()];
  return value === undefined ? [] : [value];
}

function validateParameter(parameter: Parameter, text: string): void {
  const value = readAs(parameter.type, text);
  if (typeof value === 'string' && parameter.type !== 'string')
    throw refusal(parameter, `is ${JSON.stringify(text.slice(0, 80))}; ${SPELLING[parameter.type]}`);
  const violation = parameter.check(value);
  if (violation !== undefined) throw refusal(parameter, violation.text);
}

const SPELLING = {
  integer: 'write a whole number',
  number: 'write a number',
  boolean: 'write true or false',
  array: 'write values separated by commas',
} as const;

/** Text that does not read as the type stays text, which the schema then refuses by its type. */
function readAs(type: Parameter['type'], text: string): unknown {
  if (type === 'integer' || type === 'number')
    return /^-?\d{1,16}(\.\d{1,20})?(e[+-]?\d{1,3})?$/i.test(text) ? Number(text) : text;
  if (type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text;
  return type === 'array' ? text.split(',') : text;
}

function refusal(parameter: Parameter, text: string): IotmanoError {
  return new IotmanoError('invalid-parameter', `${parameter.in} parameter ${parameter.name} ${text}`, {
    parameter: parameter.name,
  });
}
