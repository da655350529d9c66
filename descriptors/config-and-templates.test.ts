import { describe, expect, it } from 'vitest';
import { parseBitsPerSecond, parseBytes, parseCpuMillis, parseSeconds } from '../kernel/index.ts';
import { checkConfig, KEEP_TEMPLATE, resolveTemplate, soleReference } from './index.ts';

const PARAMETERS = {
  schema: {
    type: 'object',
    properties: {
      level: { enum: ['debug', 'info'], default: 'info' },
      key: { type: 'string', secret: true, maxLength: 3 },
      slow: { type: 'string', pattern: '^(a+)+$' },
      site: { type: 'string' },
    },
    required: ['site'],
    additionalProperties: false,
  },
  defaults: { level: 'info' },
};

describe('checkConfig', () => {
  it('adds the defaults', () => {
    expect(checkConfig(PARAMETERS, { site: 'north' })).toEqual({
      values: { level: 'info', site: 'north' },
      faults: [],
    });
  });

  it('tells all faults, with the nearest name', () => {
    const { values, faults } = checkConfig(PARAMETERS, { levle: 'info', level: 'inof' });
    expect(values).toBeUndefined();
    expect(faults.map(({ pointer }) => pointer).toSorted()).toEqual(['', '/level', '/levle']);
    expect(faults.map(({ remedy }) => remedy).join(' ')).toMatch(
      /Did you mean `info`.*Did you mean `level`|Did you mean `level`.*Did you mean `info`/,
    );
  });

  it('never shows the value of a secret', () => {
    const { faults } = checkConfig(PARAMETERS, { site: 'x', key: 'hunter2' });
    expect(faults).toHaveLength(1);
    expect(JSON.stringify(faults)).not.toContain('hunter2');
  });

  it('refuses what no environment can hold, without showing it', () => {
    const { values, faults } = checkConfig(PARAMETERS, { site: 'a\0b', key: 'c\0d' });
    expect(values).toBeUndefined();
    expect(faults.map(({ pointer }) => pointer)).toEqual(['/site', '/key']);
    expect(JSON.stringify(faults)).not.toMatch(/a.{0,6}b|c\\u0000d/);
    expect(checkConfig(PARAMETERS, { site: String.raw`a\u0000b` }).faults).toEqual([]);
  });

  it('is not held up by a pattern that backtracks', () => {
    const before = performance.now();
    const { faults } = checkConfig(PARAMETERS, { site: 'x', slow: `${'a'.repeat(100)}b` });
    expect(faults.map(({ rule }) => rule)).toEqual(['schema/pattern']);
    expect(performance.now() - before).toBeLessThan(2000);
  });
});

describe('resolveTemplate', () => {
  const values: Readonly<Record<string, string | number>> = { 'ports.web': 8080, tenant: 'acme' };
  const lookup = (path: string) => (path.startsWith('host.') ? KEEP_TEMPLATE : values[path]);

  it('replaces what is known and leaves what somebody else resolves', () => {
    expect(resolveTemplate('http://{{ host.address }}:{{ports.web}}/{{ tenant }}', lookup)).toBe(
      'http://{{ host.address }}:8080/acme',
    );
  });

  it.each(['{{ ports.wbe }}', '{{ ports..web }}', '{{ }}', '{{ ports web }}', '{{ tenant'])(
    'refuses %j',
    (text) => {
      expect(() => resolveTemplate(text, lookup)).toThrow(/template/);
    },
  );

  it('does not resolve what a value brings in', () => {
    expect(resolveTemplate('{{ a }}', () => '{{ b }}')).toBe('{{ b }}');
  });

  it('knows a text that is one reference and nothing else', () => {
    expect(['{{ a.b }}', ' {{a.b}} ', 'x {{ a.b }}', '{{ a }}{{ b }}'].map(soleReference)).toEqual([
      'a.b',
      'a.b',
      undefined,
      undefined,
    ]);
  });
});

describe('quantities', () => {
  it.each([
    [parseCpuMillis, '250m', 250],
    [parseCpuMillis, 2, 2000],
    [parseCpuMillis, '0.5', 500],
    [parseCpuMillis, '1e3', undefined],
    [parseBytes, '128Mi', 128 * 2 ** 20],
    [parseBytes, '1k', 1000],
    [parseBytes, '1.5Gi', undefined],
    [parseBytes, '12', undefined],
    [parseBitsPerSecond, '256kbit', 256_000],
    [parseBitsPerSecond, '1Mbit', 1_000_000],
    [parseBitsPerSecond, '64bit', 64],
    [parseBitsPerSecond, '1Mb', undefined],
    [parseBitsPerSecond, '1.5Mbit', undefined],
    [parseBitsPerSecond, 1000, undefined],
    [parseSeconds, '500ms', 0.5],
    [parseSeconds, '1.5m', 90],
    [parseSeconds, '1m30s', undefined],
    [parseSeconds, '-1s', undefined],
  ])('%o reads %j as %j', (parseQuantity, text, expected) => expect(parseQuantity(text)).toBe(expected));
});
