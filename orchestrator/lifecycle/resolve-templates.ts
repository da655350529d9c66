import { KEEP_TEMPLATE, resolveTemplate, soleReference } from '../../descriptors/index.ts';

/**
 * Puts values into the templates of a text. References that are not among the values stay: the host resolves those (`ports.*`,
 * `volumes.*`, `bindings.path`, `instance.*`, `host.*`); the parser has refused what nobody can resolve.
 */
export function resolveTemplates(text: string, values: ReadonlyMap<string, unknown>): string {
  return resolveTemplate(text, (path) => (values.has(path) ? toText(values.get(path)) : KEEP_TEMPLATE));
}

/** In a JSON value: a string that is one reference and nothing else becomes the value itself, of whatever type. */
export function resolveInValue(value: unknown, values: ReadonlyMap<string, unknown>): unknown {
  if (Array.isArray(value)) return value.map((item) => resolveInValue(item, values));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, resolveInValue(item, values)]),
    );
  if (typeof value !== 'string') return value;
  const sole = soleReference(value);
  return sole !== undefined && values.has(sole) ? values.get(sole) : resolveTemplates(value, values);
}

function toText(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}
