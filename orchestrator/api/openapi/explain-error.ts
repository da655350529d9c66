import type { ErrorObject } from 'ajv/dist/2020.js';
import { escapePointer } from '../bounded-json.ts';

/** One violation of a schema in words: where, what was wrong, what to do. */
export interface Violation {
  /** JSON pointer into the value; for a missing or surplus member, of that member. */
  readonly pointer: string;
  readonly text: string;
}

/** The first violation that says the most: what is inside an `anyOf` says more than that none of it matched. */
export function explainErrors(errors: readonly ErrorObject[] | null | undefined): Violation {
  const telling = (errors ?? []).filter(({ keyword }) => !['anyOf', 'oneOf', 'if', 'not'].includes(keyword));
  const error = telling[0] ?? errors?.[0];
  if (error === undefined) return { pointer: '', text: 'is not valid; compare it with the OpenAPI document' };
  return explain(error);
}

function explain(error: ErrorObject): Violation {
  const pointer = error.instancePath;
  // What must never be shown is not shown to whoever sent it either: messages end up in terminals, logs and tickets.
  const show = error.parentSchema?.['writeOnly'] === true ? () => 'a secret' : showValue;
  const params = error.params as Record<string, unknown>;
  switch (error.keyword) {
    case 'required':
      return {
        pointer: `${pointer}/${String(params['missingProperty'])}`,
        text: `is missing; add "${String(params['missingProperty'])}"`,
      };
    case 'additionalProperties':
    case 'unevaluatedProperties':
      return surplus(error, String(params['additionalProperty'] ?? params['unevaluatedProperty']));
    case 'enum':
      return {
        pointer,
        text: `is ${show(error.data)}; use one of ${list(params['allowedValues'])}`,
      };
    case 'const':
      return { pointer, text: `is ${show(error.data)}; it must be ${show(params['allowedValue'])}` };
    case 'type':
      return { pointer, text: `is ${typeName(error.data)}; make it ${list(params['type'])}` };
    case 'pattern':
      return { pointer, text: `is ${show(error.data)}; it must match ${String(params['pattern'])}` };
    case 'format':
      return { pointer, text: `is ${show(error.data)}; write it as ${String(params['format'])}` };
    default:
      return { pointer, text: `is ${show(error.data)}; it ${error.message ?? 'is not valid'}` };
  }
}

function surplus(error: ErrorObject, name: string): Violation {
  const known = Object.keys((error.parentSchema?.['properties'] ?? {}) as object);
  const advice = known.length === 0 ? 'remove it' : `remove it, or use one of ${known.join(', ')}`;
  return {
    pointer: `${error.instancePath}/${escapePointer(name)}`,
    text: `is not known here; ${advice}`,
  };
}

/** A value as a message shows it: JSON, cut where it is long. */
function showValue(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : `of type ${typeof value}`;
}

function list(value: unknown): string {
  return (Array.isArray(value) ? value : [value]).map(String).join(', ');
}
