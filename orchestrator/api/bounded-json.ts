import { IotmanoError } from '../../kernel/index.ts';

/** Deeper than any document of ours; a validator that recurses is safe far beyond it. */
export const MAX_JSON_DEPTH = 64;

/**
 * Parses JSON from outside: refuses what is nested too deeply, numbers that overflow, and the member name `__proto__`.
 * @throws IotmanoError `malformed-request` with the place
 */
export function parseBoundedJson(text: string): unknown {
  requireShallow(text);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new IotmanoError(
      'malformed-request',
      `the body is not valid JSON: ${describeSyntax(error)}; check it with a JSON linter`,
      { pointer: '' },
      error,
    );
  }
  requirePlain(value);
  return value;
}

/** Before parsing, so that nothing recurses over it. Brackets in strings do not count. */
function requireShallow(text: string): void {
  let depth = 0;
  let isInString = false;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (isInString) {
      if (code === 0x5c) index += 1;
      else if (code === 0x22) isInString = false;
    } else if (code === 0x22) isInString = true;
    else if (code === 0x7b || code === 0x5b) {
      depth += 1;
      if (depth > MAX_JSON_DEPTH) {
        throw new IotmanoError(
          'malformed-request',
          `the body is nested deeper than ${MAX_JSON_DEPTH} levels at character ${index}; flatten it`,
          { pointer: '' },
        );
      }
    } else if (code === 0x7d || code === 0x5d) depth -= 1;
  }
}

/** A part of a body, with the way to it: its pointer is only made where something is wrong there. */
interface Place {
  readonly value: object;
  readonly within?: { readonly place: Place; readonly name: string };
}

/** Without recursion: the value may be large. */
function requirePlain(root: unknown): void {
  requireFinite(root);
  if (typeof root !== 'object' || root === null) return;
  const pending: Place[] = [{ value: root }];
  for (let place = pending.pop(); place !== undefined; place = pending.pop()) {
    for (const [name, member] of Object.entries(place.value) as [string, unknown][]) {
      requireFinite(member, place);
      if (name === '__proto__') {
        const pointer = pointerTo(place);
        throw new IotmanoError(
          'malformed-request',
          `body${pointer}: the member name "__proto__" is not allowed; rename it`,
          { pointer },
        );
      }
      if (typeof member === 'object' && member !== null)
        pending.push({ value: member, within: { place, name } });
    }
  }
}

function requireFinite(value: unknown, place?: Place): void {
  if (typeof value !== 'number' || Number.isFinite(value)) return;
  const pointer = pointerTo(place);
  throw new IotmanoError('malformed-request', `body${pointer}: a number is too large; use a smaller one`, {
    pointer,
  });
}

function pointerTo(place: Place | undefined): string {
  const names: string[] = [];
  for (let within = place?.within; within !== undefined; within = within.place.within)
    names.unshift(escapePointer(within.name));
  return names.map((name) => `/${name}`).join('');
}

/** One segment of a JSON pointer (RFC 6901), cut where it is absurdly long. */
export function escapePointer(segment: string): string {
  return segment.slice(0, 100).replaceAll('~', '~0').replaceAll('/', '~1');
}

/** V8 quotes the input; a message shows a bounded part of it. */
function describeSyntax(error: unknown): string {
  const message = error instanceof Error ? error.message : 'syntax error';
  return message.length > 160 ? `${message.slice(0, 160)}…` : message;
}
