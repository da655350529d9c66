import { spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { text as readAll } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchesLabels, parseDescriptor, parseExpression, resolveTemplate } from '../index.ts';
import { HOSTILE_TEXTS } from './hostile-texts.ts';

const VALID = readdirSync(new URL('../examples/valid/', import.meta.url)).map((name) =>
  readFileSync(new URL(`../examples/valid/${name}`, import.meta.url), 'utf8'),
);
const TIME_LIMIT = { interruptAfterTimeLimit: 2500, markInterruptAsFailure: false } as const;

/** Whatever the text: no exception, in time, and either a descriptor or a reason why not. */
function expectAnswer(text: string): void {
  const before = process.threadCpuUsage();
  const { descriptor, faults } = parseDescriptor(text, { file: 'fuzz.yaml' });
  expect(process.threadCpuUsage(before).user).toBeLessThan(1_000_000);
  expect(descriptor === undefined).toBe(faults.some(({ severity }) => severity === 'error'));
  for (const fault of faults)
    expect([fault.message, fault.remedy, fault.rule].every((part) => part.length > 0)).toBe(true);
}

const mutation = fc.record({
  document: fc.nat(VALID.length - 1),
  cuts: fc.array(
    fc.record({
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      length: fc.nat(30),
      insert: fc.oneof(
        fc.string({ maxLength: 20, unit: 'binary' }),
        fc.constantFrom(
          '{',
          '}',
          '[',
          ']',
          ': ',
          '- ',
          '\n',
          '\n  ',
          '&a ',
          '*a',
          '!!js ',
          '|',
          '>',
          '"',
          "'",
          '%',
          '#',
          '-1',
          '1e999',
          '.nan',
          'null',
          '~',
          '__proto__: 1',
          '{{ ',
          'constructor',
        ),
      ),
    }),
    { minLength: 1, maxLength: 6 },
  ),
});

describe('parseDescriptor', () => {
  it('answers to random bytes', () => {
    const bytes = fc.uint8Array({ maxLength: 2000 }).map((array) => Buffer.from(array).toString('utf8'));
    fc.assert(fc.property(bytes, expectAnswer), { numRuns: 1500, ...TIME_LIMIT });
  });

  it('answers to valid documents with random changes', () => {
    const change = ({
      document,
      cuts,
    }: {
      document: number;
      cuts: readonly { at: number; length: number; insert: string }[];
    }) =>
      cuts.reduce((text, { at, length, insert }) => {
        const offset = Math.floor(at * text.length);
        return text.slice(0, offset) + insert + text.slice(offset + length);
      }, VALID[document] ?? '');
    fc.assert(fc.property(mutation.map(change), expectAnswer), { numRuns: 1500, ...TIME_LIMIT });
  });

  it('answers to any JSON in the place of any value', () => {
    const json = fc.jsonValue({ maxDepth: 4 });
    const keys = fc.constantFrom(
      'metadata',
      'run',
      'state',
      'offline',
      'config',
      'requires',
      'provides',
      'units',
      'flavours',
      'scaling',
      'placement',
      'healing',
      'upgrade',
      'alarms',
      'functions',
      'aspects',
      'parameters',
    );
    const document = fc.record({
      kind: fc.constantFrom('IoTFunctionDescriptor', 'IoTServiceDescriptor'),
      parts: fc.array(
        fc.tuple(
          keys,
          fc.oneof(
            json,
            fc.array(
              fc.dictionary(
                fc.constantFrom('name', 'bind', 'instances', 'levels', 'ports', 'env', 'config', 'deltas'),
                json,
              ),
            ),
          ),
        ),
        { maxLength: 5 },
      ),
    });
    const text = document.map(({ kind, parts }) =>
      JSON.stringify({ apiVersion: 'iotmano/v1', kind, ...Object.fromEntries(parts) }),
    );
    fc.assert(fc.property(text, expectAnswer), { numRuns: 1500, ...TIME_LIMIT });
  });

  it('takes neither long nor much memory for hostile texts of up to 5 MiB', async () => {
    const program = fileURLToPath(new URL('parse-hostile-texts.ts', import.meta.url));
    // The heap is bounded to what Node and this program take (about 50 MiB) and 200 MiB: more kills the process.
    const child = spawn(process.execPath, ['--max-old-space-size=250', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = new Promise((resolve) => child.once('exit', resolve));
    const lines = (await readAll(child.stdout)).trim().split('\n');
    expect(await exited).toBe(0);
    const results = lines.map(
      (line) => JSON.parse(line) as { name: string; milliseconds: number; faults: number },
    );
    expect(results.map(({ name }) => name)).toEqual(Object.keys(HOSTILE_TEXTS));
    expect(results.filter(({ milliseconds, faults }) => milliseconds > 1000 || faults === 0)).toEqual([]);
  }, 60_000);
});

describe('label expressions', () => {
  const token = fc.constantFrom(
    'a',
    'b',
    'and',
    'or',
    'not',
    'in',
    'exists',
    '(',
    ')',
    ',',
    '=',
    '!=',
    '<=',
    '1.2',
    '"x',
    "'y'",
    '€',
  );
  it('are parsed or refused, whatever they are made of', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(token, { maxLength: 30 }).map((tokens) => tokens.join(' ')),
    );
    fc.assert(
      fc.property(text, (expression) => {
        const { expression: tree, faults } = parseExpression(expression);
        expect(tree === undefined).toBe(faults.length > 0);
        expect(tree === undefined || typeof matchesLabels(tree, { a: '1' }) === 'boolean').toBe(true);
      }),
      { numRuns: 3000, ...TIME_LIMIT },
    );
  });
});

describe('templates', () => {
  it('leave a text without `{{` as it is', () => {
    const plain = fc.string({ unit: 'binary' }).filter((text) => !text.includes('{{'));
    fc.assert(
      fc.property(plain, (text) => resolveTemplate(text, () => undefined) === text),
      TIME_LIMIT,
    );
  });
});
