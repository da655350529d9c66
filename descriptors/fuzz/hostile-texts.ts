/** Texts that are made to take long or much memory. Each is at most about 5 MiB. */
const SIZE = 5 * 1024 * 1024 - 1024;
const fill = (piece: string, size = SIZE) => piece.repeat(Math.floor(size / piece.length));

function aliasBomb(levels: number, width: number): string {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x]'];
  for (let level = 1; level < levels; level++)
    lines.push(`a${level}: &a${level} [${Array.from({ length: width }, () => `*a${level - 1}`).join(', ')}]`);
  return lines.join('\n');
}

const HEAD = 'apiVersion: iotmano/v1\nkind: IoTFunctionDescriptor\n';
const manyUnits = (count: number) =>
  `${HEAD}units:\n${Array.from({ length: count }, (_, index) => `  - { nmae: u${index}, x: { y: 1 } }\n`).join('')}`;
const manyParameters = (count: number) =>
  `${HEAD}config:\n  properties:\n${Array.from({ length: count }, (_, i) => `    p${i}: { type: string, pattern: '^(a+)+$', default: ${'a'.repeat(40)}b }\n`).join('')}`;

const names = (count: number, prefix: string) =>
  Array.from({ length: count }, (_, index) => `{ name: ${prefix}-${index} }`).join(', ');
const provisions = (units: number, count: number, prefix: string) => {
  const list = Array.from({ length: count }, (_, index) => `{ unit: ${prefix}-${index}, port: web }`);
  return `${HEAD}units: [${names(units, 'unit')}]\nprovides: [${list.join(', ')}]`;
};
const manyReferences = (ports: number, references: number, units = 1) => {
  const words = Array.from({ length: references }, (_, index) => `'{{ ports.prt-of-a-long-name-${index} }}'`);
  const unit = `  - ports: [${names(ports, 'port-of-a-long-name')}]\n    artifacts: [{ command: [${words.join(', ')}] }]\n`;
  return `${HEAD}units:\n${unit.repeat(units)}`;
};

export const HOSTILE_TEXTS: Readonly<Record<string, () => string>> = {
  'an alias bomb': () => aliasBomb(10, 10),
  'a wide alias bomb': () => aliasBomb(3, 5000),
  'an alias in a circle': () => 'a: &a [*a]',
  'an alias bomb of mappings': () => `a: &a { k: v }\nb: &b { x: *a, y: *a }\n${fill('c: *b\n', 200_000)}`,
  'nested flow lists': () => fill('['),
  'nested flow mappings': () => fill('{a: '),
  'nested block lists': () => fill('- '),
  'nested block mappings': () =>
    Array.from({ length: 2000 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'),
  'explicit keys': () => fill('? '),
  'one long plain text': () => `a: ${fill('x')}`,
  'one long text with spaces': () => `a: ${fill('x ')}`,
  'one long line of spaces': () => `a: x${fill(' ')}y`,
  'one long quoted text': () => `a: "${fill('x\\n')}"`,
  'one quoted text of many lines': () => `a: "${fill('x  \n ')}"`,
  'a plain text of many lines': () => `a: ${fill('x \n  ')}`,
  'a quote that is not closed': () => `a: "${fill('x\n ')}`,
  'one literal block': () => `a: |\n${fill('  x\n')}`,
  'one folded block': () => `a: >\n${fill('  x y\n\n')}`,
  'empty lines': () => fill('\n'),
  comments: () => fill('# x\n'),
  'one long comment': () => `#${fill('x')}`,
  spaces: () => fill(' '),
  tabs: () => fill('\t'),
  colons: () => fill(': '),
  'nothing but colons': () => fill(':'),
  dashes: () => fill('---\n'),
  anchors: () => fill('&a '),
  tags: () => fill('!a '),
  'a long tag': () => `!${fill('a')} x`,
  stars: () => fill('*a '),
  percents: () => fill('%TAG ! tag:x\n'),
  'many keys': () => Array.from({ length: 300_000 }, (_, index) => `k${index}: ${index}`).join('\n'),
  'as many keys as are allowed': () =>
    Array.from({ length: 15_000 }, (_, index) => `k${index}: ${index}`).join('\n'),
  'the same key again and again': () => fill('k: 1\n'),
  'the same key as often as is allowed': () => fill('k: 1\n', 75_000),
  'many faults': () => manyUnits(3000),
  'many units': () => manyUnits(100_000),
  'many parameters with patterns': () => manyParameters(190),
  'long lists of expressions': () =>
    `${HEAD}placement:\n  require: [${fill("'(((((a = b or c = d) and not e = f))))', ", 2_000)}]`,
  'a long expression': () => `${HEAD}placement: { require: ['${fill('not ', 1900)}a = b'] }`,
  'null characters': () => fill('\0'),
  'lone surrogates': () => fill('\ud800'),
  'a large JSON document': () =>
    JSON.stringify({
      kind: 'IoTFunctionDescriptor',
      units: Array.from({ length: 100_000 }, () => ({ a: 1 })),
    }),
  'many templates that name none of many ports': () => manyReferences(4000, 6000),
  'many templates that nearly name one of many ports': () => manyReferences(90, 90, 60),
  'many units that nearly have the name that is asked for': () => provisions(4000, 4000, 'unt'),
  'many units and who provides something from each': () => provisions(4000, 4000, 'unit'),
  'templates that are not closed': () => `${HEAD}units: [{ env: { A: '${fill('{{ ', 30_000)}' } }]`,
  'long templates': () => `${HEAD}units: [{ env: { A: '{{${fill(' ', 4_000_000)}x' } }]`,
  'a long name': () => `${HEAD}${fill('x', 1000)}: 1`,
};
