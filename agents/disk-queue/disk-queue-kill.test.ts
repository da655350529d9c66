import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { silentLogger } from '../../kernel/index.ts';
import { openDiskQueue } from './index.ts';

const directory = mkdtempSync(join(tmpdir(), 'disk-queue-kill-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Runs the writer for a while, kills it with SIGKILL, and returns what it said it had taken. */
function writeUntilKilled(afterMilliseconds: number): Promise<Map<number, number>> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'testkit-writer.ts'), directory], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (bytes: Buffer) => {
      if (output === '') setTimeout(() => child.kill('SIGKILL'), afterMilliseconds);
      output += bytes.toString();
    });
    child.on('close', () => {
      const lines = output.slice(0, output.lastIndexOf('\n')).split('\n');
      resolve(new Map(lines.map((line) => line.split(' ').map(Number) as [number, number])));
    });
  });
}

// MCO-M-014
it('has every entry that it took, in order and whole, after its process was killed at random instants', async () => {
  let before = 0;
  for (let round = 0; round < 5; round += 1) {
    const taken = await writeUntilKilled(20 + ((round * 53) % 170));
    const queue = await openDiskQueue({
      directory,
      maxBytes: 8 * 1024 * 1024,
      sync: 'each',
      log: silentLogger,
    });
    const found = await queue.peek({ entries: 100_000, bytes: 64 * 1024 * 1024 });
    const newestTaken = Math.max(...taken.keys());
    expect(newestTaken).toBeGreaterThan(before);
    expect(queue.newest).toBeGreaterThanOrEqual(newestTaken);
    expect(found.map((entry) => entry.sequence)).toEqual(
      Array.from({ length: found.length }, (_, index) => queue.acknowledged + 1 + index),
    );
    expect(found.at(-1)?.sequence).toBe(queue.newest);
    for (const { sequence, payload } of found) {
      expect(payload.length).toBe(((sequence - 1) * 37) % 700);
      expect(payload.every((byte) => byte === (sequence - 1) % 251)).toBe(true);
    }
    before = newestTaken;
    await queue.close();
  }
}, 60_000);
