import type { Cursor } from '../document/cursor.ts';
import { didYouMean, listed } from '../document/nearest.ts';
import { templateReferences } from '../resolve-template.ts';
import { BOTH, type Rule, type RuleFinding } from './rule.ts';

const FIXED: readonly string[] = [
  'bindings.path',
  'instance.id',
  'instance.dir',
  'host.id',
  'host.address',
  'vnf.id',
  'vnf.name',
  'tenant',
];

export const unresolvableTemplate: Rule = {
  name: 'unresolvable-template',
  summary:
    'Every `{{ … }}` names something that will be known: a port, a volume or a parameter that is declared, or a fixed name.',
  kinds: BOTH,
  severity: 'error',
  *check(doc, kind) {
    if (kind === 'IoTServiceDescriptor') yield* checkService(doc);
    else yield* checkFunction(doc);
  },
};

function* checkFunction(doc: Cursor): Iterable<RuleFinding> {
  const parameters = doc.at('config', 'properties');
  const secrets = new Set(
    parameters
      .entries()
      .filter(([, at]) => at.at('secret').value === true)
      .map(([name]) => name),
  );
  const config = parameters.keys().filter((name) => !secrets.has(name));
  for (const unit of doc.at('units').items()) {
    const known = [
      ...FIXED.filter((name) => name !== 'bindings.path' || unit.at('bindings').exists),
      ...unit
        .at('ports')
        .names()
        .map((name) => `ports.${name}`),
      ...unit
        .at('volumes')
        .names()
        .map((name) => `volumes.${name}`),
      ...config.map((name) => `config.${name}`),
    ];
    for (const [, at] of unit.at('env').entries()) yield* checkText(at, known, secrets);
  }
}

function* checkService(doc: Cursor): Iterable<RuleFinding> {
  const known = doc
    .at('parameters', 'properties')
    .keys()
    .map((name) => `parameters.${name}`);
  for (const constituent of doc.at('functions').items()) yield* checkDeep(constituent.at('config'), known, 0);
}

function* checkDeep(at: Cursor, known: readonly string[], depth: number): Iterable<RuleFinding> {
  if (depth > 16) return;
  yield* checkText(at, known, new Set());
  for (const item of at.items()) yield* checkDeep(item, known, depth + 1);
  for (const [, child] of at.entries()) yield* checkDeep(child, known, depth + 1);
}

function* checkText(
  at: Cursor,
  known: readonly string[],
  secrets: ReadonlySet<string>,
): Iterable<RuleFinding> {
  const text = at.text ?? '';
  const { references, malformed } = templateReferences(text);
  for (const offset of malformed) {
    const message = `the template "${text.slice(offset, offset + 40)}" is malformed`;
    yield { at, message, remedy: 'write `{{ name.part }}`' };
  }
  for (const { path } of references) {
    if (known.includes(path)) continue;
    const isSecret = path.startsWith('config.') && secrets.has(path.slice('config.'.length));
    const message = isSecret
      ? `\`{{ ${path} }}\` would put a secret into an environment variable`
      : `\`{{ ${path} }}\` names nothing that is known here`;
    const remedy = isSecret
      ? 'read it from the bindings file'
      : `known: ${listed(known)}.${didYouMean(path, known)}`;
    yield { at, message, remedy };
  }
}
