import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { systemClock } from '../../kernel/index.ts';
import { runTrial, type TrialEnd } from './run-trial.ts';

const directory = mkdtempSync(join(tmpdir(), 'iotmano-trial-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function tryProgram(code: string): Promise<TrialEnd> {
  const file = join(directory, 'version.mjs');
  writeFileSync(file, code);
  const digest = `sha256:${'0'.repeat(64)}`;
  const trial = { orderId: 'o-1', version: '2.0.0', digest, confirmWithinSeconds: 20, functions: [] };
  return runTrial({ file, trial, installed: file, args: [], env: process.env, clock: systemClock });
}

it('tells what a version on trial waited for, and hears nothing in a message of another form', async () => {
  const says = (message: string): string => `process.send(${message});`;
  const nonsense = ['{}', '{ waitsFor: 7 }', '"word"', 'null', '[]'].map(says).join('\n');
  const { reason, isStopped } = await tryProgram(
    `${says('{ waitsFor: "the link" }')}\n${nonsense}\nsetTimeout(() => process.exit(3), 100);`,
  );
  expect(isStopped).toBe(false);
  expect(reason).toMatch(/with exit code 3, before it had confirmed; it waited for the link$/);
});
