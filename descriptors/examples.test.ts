import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  checkService,
  parseDescriptor,
  RULES,
  SERVICE_RULES,
  type Fault,
  type IoTFunctionDescriptor,
} from './index.ts';

const read = (kind: string, name: string) =>
  readFileSync(new URL(`examples/${kind}/${name}`, import.meta.url), 'utf8');
const names = (kind: string) => readdirSync(new URL(`examples/${kind}/`, import.meta.url)).toSorted();

const onboarded = names('valid').flatMap((name): IoTFunctionDescriptor[] => {
  const { descriptor } = parseDescriptor(read('valid', name), { file: name });
  return descriptor?.kind === 'IoTFunctionDescriptor' ? [descriptor] : [];
});

/** What a reader is told who onboards the example beside all valid ones. */
function faultsOf(text: string, file: string): readonly Fault[] {
  const { descriptor, faults } = parseDescriptor(text, { file });
  if (descriptor?.kind !== 'IoTServiceDescriptor') return faults;
  const lookup = (id: string) => onboarded.filter(({ metadata }) => metadata.invariantId === id);
  return [...faults, ...checkService(descriptor, lookup, { text, file }).faults];
}

describe('examples/valid', () => {
  it.each(names('valid'))('%s has no faults', (name) => {
    const errors = faultsOf(read('valid', name), name).filter(({ severity }) => severity === 'error');
    expect(errors).toEqual([]);
  });
});

describe('examples/invalid', () => {
  const byName = names('invalid').map((file) => file.replace('.yaml', ''));

  it('holds one example for each rule, and no other', () => {
    const rules = [...RULES.map(({ name }) => name), ...Object.keys(SERVICE_RULES)];
    expect(byName).toEqual(rules.toSorted());
  });

  it.each(byName)('%s is refused by this rule and no other, with place and remedy', (rule) => {
    const faults = faultsOf(read('invalid', `${rule}.yaml`), `${rule}.yaml`);
    expect(new Set(faults.map((fault) => fault.rule))).toEqual(new Set([rule]));
    for (const { line, column, pointer, message, remedy } of faults) {
      expect(line).toBeGreaterThan(1);
      expect(column).toBeGreaterThan(0);
      expect(pointer).toMatch(/^\//);
      expect(message.length * remedy.length).toBeGreaterThan(0);
    }
  });
});
