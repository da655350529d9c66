/**
 * `{{ name }}` in a text of a descriptor. Names that are not among the values stay as they are: the host resolves those
 * (`ports.*`, `volumes.*`, `bindings.path`, `instance.*`, `host.*`); the parser has refused what nobody can resolve.
 */
const TEMPLATE = /\{\{\s*([A-Za-z0-9_.-]+)\s*\}\}/g;

/** Puts the values in; what is not a string is written as JSON. */
export function resolveTemplates(text: string, values: ReadonlyMap<string, unknown>): string {
  return text.replaceAll(TEMPLATE, (whole, name: string) =>
    values.has(name) ? toText(values.get(name)) : whole,
  );
}

/** In a JSON value: a string that is one template and nothing else becomes the value itself, of whatever type. */
export function resolveInValue(value: unknown, values: ReadonlyMap<string, unknown>): unknown {
  if (Array.isArray(value)) return value.map((item) => resolveInValue(item, values));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, resolveInValue(item, values)]),
    );
  if (typeof value !== 'string') return value;
  const whole = /^\{\{\s*([A-Za-z0-9_.-]+)\s*\}\}$/.exec(value)?.[1];
  return whole !== undefined && values.has(whole) ? values.get(whole) : resolveTemplates(value, values);
}

function toText(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}
