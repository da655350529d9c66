import { appendFile, copyFile, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../kernel/index.ts';
import { run, sampleWorkload } from '../conformance-site.ts';
import { readOutput } from './logs.ts';
import { openProcessSite } from './testkit.ts';
import { statSync } from 'node:fs';

async function read(path: string, tailLines?: number): Promise<string> {
  let text = '';
  const options = { slot: 0, follow: false, ...(tailLines === undefined ? {} : { tailLines }) };
  for await (const chunk of readOutput(path, options, systemClock, () => true))
    text += Buffer.from(chunk).toString();
  return text;
}

describe('output', () => {
  let root: string;
  let path: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'iotmano-logs-'));
    path = join(root, 'output.log');
  });
  afterEach(async () => {
    await rm(root, { recursive: true });
  });

  it('is the older file and then the current one', async () => {
    await writeFile(`${path}.1`, 'a\nb\n');
    await writeFile(path, 'c\n');
    expect(await read(path)).toBe('a\nb\nc\n');
    expect(await read(join(root, 'nothing'))).toBe('');
  });

  it('has as its tail the last lines of both, whatever they hold', async () => {
    const lines = fc.array(fc.stringMatching(/^[a-c]{0,4}$/), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(
        lines,
        lines,
        fc.integer({ min: 0, max: 20 }),
        fc.boolean(),
        async (older, current, count, isOpen) => {
          const text = (all: readonly string[]): string => all.map((line) => `${line}\n`).join('');
          const last = isOpen ? 'unfinished' : '';
          await writeFile(`${path}.1`, text(older));
          await writeFile(path, text(current) + last);
          const all = [...older, ...current].map((line) => `${line}\n`).concat(isOpen ? [last] : []);
          expect(await read(path, count)).toBe(all.slice(all.length - Math.min(count, all.length)).join(''));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('can be followed over a rotation without losing a line', async () => {
    await writeFile(path, 'one\n');
    const abort = new AbortController();
    let text = '';
    const following = (async () => {
      const options = { slot: 0, follow: true, signal: abort.signal };
      for await (const chunk of readOutput(path, options, systemClock, () => true))
        text += Buffer.from(chunk).toString();
    })();
    await vi.waitFor(() => expect(text).toBe('one\n'));
    await appendFile(path, 'two\n');
    await copyFile(path, `${path}.1`);
    await truncate(path);
    await appendFile(path, 'x\n');
    await vi.waitFor(() => expect(text).toBe('one\ntwo\nx\n'), { timeout: 3000 });
    abort.abort();
    await following;
  });

  it('of a program that never stops talking stays bounded, with the driver and without', async () => {
    const site = await openProcessSite({ outputLimitBytes: 10_000, outputCheckSeconds: 0.1 });
    try {
      const command = ['sh', '-c', 'while :; do printf "%0400d\\n" 0; sleep 0.005; done'];
      const workload = sampleWorkload(site, { command });
      await run(site, workload);
      const file = join(
        site.directory,
        'workloads',
        `${workload.key.vnfInstanceId}-main-g1`,
        '0',
        'output.log',
      );
      await site.driver.close();
      await vi.waitFor(() => expect(statSync(`${file}.1`).size).toBeGreaterThan(10_000), {
        timeout: 15_000,
      });
      const rotated = statSync(`${file}.1`).mtimeMs;
      await vi.waitFor(() => expect(statSync(`${file}.1`).mtimeMs).toBeGreaterThan(rotated), {
        timeout: 15_000,
      });
      expect(statSync(file).size).toBeLessThan(100_000);
      await site.reopen();
    } finally {
      await site.close();
    }
  });
});
