import { describe, expect, it } from 'vitest';
import { matchesLabels, parseExpression } from '../index.ts';

const LABELS = {
  tier: 'device-edge',
  site: 'north',
  version: '1.10.0',
  cores: '4',
  load: '0.5',
  power: 'mains',
  'a b': 'c d',
};

function holds(text: string): boolean {
  const { expression, faults } = parseExpression(text);
  expect(faults).toEqual([]);
  return expression !== undefined && matchesLabels(expression, LABELS);
}

describe('a label expression', () => {
  it.each([
    'tier = device-edge',
    'tier != cloud',
    'absent != cloud',
    'site in (north, south)',
    'site not in (east)',
    'not site in (east)',
    'power exists',
    'not gpu exists',
    'gpu = 1 or power = mains and cores >= 4',
    '(gpu = 1 or power = mains) and cores >= 4',
    'not gpu = 1 and power = mains',
    'version >= 1.2.0',
    'version < 2',
    'cores > 3.5',
    'cores < 10',
    'load <= 0.5',
    '"a b" = \'c d\'',
    'TIER exists or tier exists',
    'site = north AND power = mains',
  ])('%s holds', (text) => expect(holds(text)).toBe(true));

  it.each([
    'tier = Device-edge',
    'absent = x',
    'absent < 1',
    'site in (east, west)',
    'absent in (x)',
    'gpu exists',
    '(gpu = 1 or power = mains) and cores >= 5',
    'not (power = mains or gpu = 1)',
    'version < 1.9.0',
    'power > 1',
    'constructor exists',
  ])('%s does not hold', (text) => expect(holds(text)).toBe(false));

  it.each([
    ['', 1, 'the name of a label'],
    ['tier =', 7, 'a value'],
    ['tier device', 6, 'a comparison'],
    ['tier = a andd site = b', 10, '`and`'],
    ['site in north', 9, '`(`'],
    ['site in (north', 15, '`)`'],
    ['(a = b', 1, 'not closed'],
    ['a = b)', 6, '`and`, `or` or the end'],
    ['a = "b', 5, 'not closed'],
    ['a = b & c = d', 7, 'cannot be used here'],
    ['and = b', 1, 'the name of a label'],
    [`${'('.repeat(100)}a = b`, 51, 'nested too deep'],
    ['x'.repeat(3000), 1, 'longer than'],
  ])('%j is refused at character %i', (text, column, message) => {
    const { expression, faults } = parseExpression(text);
    expect(expression).toBeUndefined();
    expect(faults).toMatchObject([{ rule: 'invalid-expression', column }]);
    expect(faults[0]?.message).toContain(message);
  });
});
