import type { Cursor } from '../document/cursor.ts';
import { didYouMean, listed } from '../document/wording.ts';
import { templateReferences } from '../templates/resolve-template.ts';
import { BOTH, type Rule, type RuleFinding } from './rule.ts';

const FIXED: readonly string[] = [
  'bindings.path',
  'instance.id',
  'instance.dir',
  'instance.listenAddress',
  'instance.localAddress',
  'host.id',
  'host.address',
  'vnf.id',
  'vnf.name',
  'tenant',
];

export const unresolvableTemplate: Rule = {
  name: 'unresolvable-template',
  summary:
    'Every `{{ … }}` names something that will be known: a port, a volume or a parameter that has a value, or a fixed name.',
  kinds: BOTH,
  *check(doc, kind) {
    if (kind === 'IoTServiceDescriptor') yield* checkService(doc);
    else yield* checkFunction(doc);
  },
};

/** What templates of one place may refer to, and what they must not, with the reason. */
export interface TemplateScope {
  readonly known: readonly string[];
  readonly refused: ReadonlyMap<string, { readonly why: string; readonly remedy: string }>;
}

/** Of the environment, the commands and the template files of a unit. */
export function scopeOfUnit(doc: Cursor, unit: Cursor): TemplateScope {
  const { known, refused } = scopeOfParameters(doc.at('config'), 'config');
  const ports = unit
    .at('ports')
    .names()
    .map((name) => `ports.${name}`);
  const volumes = unit
    .at('volumes')
    .names()
    .map((name) => `volumes.${name}`);
  const fixed = FIXED.filter((name) => name !== 'bindings.path' || unit.at('bindings').exists);
  return { known: [...fixed, ...ports, ...volumes, ...known], refused };
}

/** Parameters are known where they have a value for certain. */
function scopeOfParameters(schema: Cursor, group: 'config' | 'parameters'): TemplateScope {
  const required = new Set(schema.each('required').map(({ text }) => text));
  const known: string[] = [];
  const refused = new Map<string, { why: string; remedy: string }>();
  for (const [name, parameter] of schema.at('properties').entries()) {
    const path = `${group}.${name}`;
    const isSecret = group === 'config' && parameter.at('secret').value === true;
    if (isSecret) refused.set(path, { why: 'is a secret', remedy: 'read it from the bindings file' });
    else if (parameter.at('default').exists || required.has(name)) known.push(path);
    else
      refused.set(path, {
        why: 'may have no value',
        remedy: 'give the parameter a default, or list it in `required`',
      });
  }
  return { known, refused };
}

function* checkFunction(doc: Cursor): Iterable<RuleFinding> {
  for (const unit of doc.each('units')) {
    const scope = scopeOfUnit(doc, unit);
    for (const at of [...unit.at('env').values(), ...unit.each('artifacts', 'command')])
      yield* checkText(at, scope);
  }
}

function* checkService(doc: Cursor): Iterable<RuleFinding> {
  const scope = scopeOfParameters(doc.at('parameters'), 'parameters');
  for (const constituent of doc.each('functions')) yield* checkDeep(constituent.at('config'), scope, 0);
}

function* checkDeep(at: Cursor, scope: TemplateScope, depth: number): Iterable<RuleFinding> {
  if (depth > 16) return;
  yield* checkText(at, scope);
  for (const item of at.items()) yield* checkDeep(item, scope, depth + 1);
  for (const child of at.values()) yield* checkDeep(child, scope, depth + 1);
}

function* checkText(at: Cursor, scope: TemplateScope): Iterable<RuleFinding> {
  for (const { message, remedy } of findUnresolvable(at.text ?? '', scope)) yield { at, message, remedy };
}

/** A text that is all wrong is not told of at full length. */
const MAX_PER_TEXT = 100;

/** One template that cannot be resolved. */
export interface Unresolvable {
  /** Where it begins in the text, from 0. */
  readonly offset: number;
  readonly message: string;
  readonly remedy: string;
}

export function* findUnresolvable(text: string, { known, refused }: TemplateScope): Iterable<Unresolvable> {
  const { references, malformed } = templateReferences(text);
  for (const offset of malformed.slice(0, MAX_PER_TEXT)) {
    const message = `the template "${text.slice(offset, offset + 40)}" is malformed`;
    yield { offset, message, remedy: 'write `{{ name.part }}`' };
  }
  const unresolvable = references.filter(({ path }) => !known.includes(path));
  for (const { path, offset } of unresolvable.slice(0, MAX_PER_TEXT)) {
    const reason = refused.get(path);
    yield {
      offset,
      message: `\`{{ ${path} }}\` ${reason?.why ?? 'names nothing that is known here'}`,
      remedy: reason?.remedy ?? `known: ${listed(known)}.${didYouMean(path, known)}`,
    };
  }
}
