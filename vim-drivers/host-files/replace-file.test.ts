import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { replaceFile, replaceFileDurably } from './index.ts';

describe('a file that is replaced', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'replace-file-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('holds the last of several contents that were given at once, and nothing is left beside it', async () => {
    const path = join(directory, 'file');
    const contents = Array.from({ length: 20 }, (_, index) => String(index).repeat(1 + 1000 * (20 - index)));
    await Promise.all(
      contents.map((content, index) => (index % 2 === 0 ? replaceFile : replaceFileDurably)(path, content)),
    );
    expect(readFileSync(path, 'utf8')).toBe(contents.at(-1));
    expect(readdirSync(directory)).toEqual(['file']);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('can be replaced again after a replacement has failed', async () => {
    const path = join(directory, 'later', 'file');
    await expect(replaceFile(path, 'x')).rejects.toThrow('ENOENT');
    await expect(replaceFileDurably(path, 'x')).rejects.toThrow('ENOENT');
    await replaceFile(join(directory, 'file'), 'y');
    expect(readFileSync(join(directory, 'file'), 'utf8')).toBe('y');
  });
});
