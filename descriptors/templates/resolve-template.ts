import { IotmanoError } from '../../kernel/index.ts';

/** What a lookup answers for a reference that somebody else resolves later: it stays as it is. */
export const KEEP_TEMPLATE: unique symbol = Symbol('keep template');

/** What stands behind a reference such as `ports.metrics`; `undefined`: nothing does. */
export type TemplateLookup = (path: string) => string | number | boolean | typeof KEEP_TEMPLATE | undefined;

export interface TemplateReference {
  /** `ports.metrics` */
  readonly path: string;
  /** Where it begins in the text, from 0. */
  readonly offset: number;
}

const REFERENCE =
  /\{\{\s{0,20}([A-Za-z][A-Za-z0-9_-]{0,63}(?:\.[A-Za-z][A-Za-z0-9_-]{0,63}){0,3})\s{0,20}\}\}/g;

/** The references of a text, and the offsets at which a `{{` begins none. */
export function templateReferences(text: string): {
  readonly references: readonly TemplateReference[];
  readonly malformed: readonly number[];
} {
  const references = [...text.matchAll(REFERENCE)].map(({ 1: path = '', index }) => ({
    path,
    offset: index,
  }));
  const good = new Set(references.map(({ offset }) => offset));
  const malformed = [...text.matchAll(/\{\{/g)]
    .map(({ index }) => index)
    .filter((offset) => !good.has(offset));
  return { references, malformed };
}

/** The path where the text is one reference and nothing else: its value may keep its type. */
export function soleReference(text: string): string | undefined {
  const { references } = templateReferences(text);
  const [only] = references;
  return references.length === 1 && text.trim().replace(REFERENCE, '') === '' ? only?.path : undefined;
}

/**
 * Replaces every `{{ a.b }}` by what the lookup says.
 * @throws IotmanoError `unprocessable`, naming the reference that cannot be resolved or is malformed
 */
export function resolveTemplate(text: string, lookup: TemplateLookup): string {
  const { malformed } = templateReferences(text);
  const [bad] = malformed;
  if (bad !== undefined) {
    const excerpt = text.slice(bad, bad + 40);
    throw new IotmanoError('unprocessable', `the template "${excerpt}" is malformed; write {{ name.part }}`);
  }
  return text.replace(REFERENCE, (whole: string, path: string) => {
    const value = lookup(path);
    if (value === undefined)
      throw new IotmanoError('unprocessable', `the template "${whole}" names nothing that is known here`, {
        path,
      });
    return value === KEEP_TEMPLATE ? whole : String(value);
  });
}
