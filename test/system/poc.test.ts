/** The short form of the proof of concept, as somebody runs it who wants to see it. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { endProcessesOf, processesOf } from '../../scripts/demo/processes.ts';
import type { PocResult } from '../../scripts/poc/account.ts';
import { isServiceMissing } from '../kit/services.ts';
import type { CommandResult } from '../kit/test-system.ts';

const PROGRAM = join(import.meta.dirname, '../../scripts/poc.ts');

/** Whatever it makes is below this folder. */
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'iotmano-shown-'));
});

afterEach(async () => {
  await endProcessesOf(folder);
  rmSync(folder, { recursive: true, force: true });
});

/** @param stopAfter ends it with SIGINT when its output has that */
function runPoc(stopAfter?: string): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, TMPDIR: folder };
    const child = spawn(process.execPath, [PROGRAM, '--short'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk;
      if (stopAfter !== undefined && stderr.includes(stopAfter)) child.kill('SIGINT');
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}

describe.skipIf(isServiceMissing('nats-server') || isServiceMissing('haproxy'))(
  'the proof of concept',
  () => {
    it('scales out, heals, upgrades and scales in without a failed request, and leaves nothing behind', async () => {
      const { code, stdout, stderr } = await runPoc();
      expect(stderr).not.toContain('the poc failed');
      const result = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as PocResult;
      expect([code, result]).toMatchObject([0, { failed: 0, upgrade: { failed: 0 }, isWhole: true }]);
      expect(result.instanceSeconds).toBeGreaterThan(0);
      expect([processesOf(folder), readdirSync(folder)]).toEqual([[], []]);
    }, 240_000);

    it('ends everything that it has started when it is stopped', async () => {
      const { code, stderr } = await runPoc('onboarding the catalogue');
      expect([code, stderr]).toEqual([1, expect.stringContaining('stopped by SIGINT')]);
      expect([processesOf(folder), readdirSync(folder)]).toEqual([[], []]);
    }, 120_000);
  },
);
