import { IotmanoError } from '../../kernel/index.ts';

/**
 * Freezes a document all the way down and checks that it is plain JSON, so that what a test reads is what a restart would read.
 * What is frozen already is taken to be so all the way down.
 * @param what names the document, for the message
 * @throws IotmanoError `internal`, naming the place
 */
export function protectDocument(value: unknown, what: string): void {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'undefined':
      return;
    case 'number':
      if (Number.isFinite(value)) return;
      throw notJson(what, String(value));
    case 'object':
      if (value !== null) protectObject(value, what);
      return;
    default:
      throw notJson(what, `a ${typeof value}`);
  }
}

function protectObject(value: object, what: string): void {
  if (Object.isFrozen(value)) return;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) {
    throw notJson(what, `an instance of ${value.constructor.name}`);
  }
  for (const [key, member] of Object.entries(value)) protectDocument(member, `${what}/${key}`);
  Object.freeze(value);
}

function notJson(what: string, found: string): IotmanoError {
  return new IotmanoError('internal', `${what} is ${found}, which JSON cannot hold: store plain data`);
}
