import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readVersioned, type Versioned } from './versioned-file.ts';

const FORMAT: Versioned<{ readonly names: readonly string[] }> = {
  version: 3,
  upcasters: {
    1: (document) => ({ ...document, name: String(document['title']) }),
    2: (document) => ({ ...document, names: [document['name']] }),
  },
  parse: (document) => {
    if (!Array.isArray(document['names'])) throw new TypeError('names is not a list');
    return { names: document['names'].map(String) };
  },
};
let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'durable-'));
  path = join(directory, 'file.json');
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

describe('a document with a schemaVersion', () => {
  it('is undefined where there is no file', async () => {
    expect(await readVersioned(path, FORMAT)).toBeUndefined();
  });

  it.each([
    { schemaVersion: 3, names: ['a'] },
    { schemaVersion: 2, name: 'a' },
    { schemaVersion: 1, title: 'a' },
  ])('is read as of today when it is %j', async (document) => {
    writeFileSync(path, JSON.stringify(document));
    expect(await readVersioned(path, FORMAT)).toEqual({ names: ['a'] });
  });

  it('is refused when a newer version has written it, naming both versions', async () => {
    writeFileSync(path, JSON.stringify({ schemaVersion: 4 }));
    await expect(readVersioned(path, FORMAT)).rejects.toThrow(/schemaVersion 4, this one knows up to 3/);
  });

  it.each(['', '{', '[]', 'null', '{"schemaVersion":0}', '{"schemaVersion":3}', '{}'])(
    'is refused with its path when it is %j',
    async (text) => {
      writeFileSync(path, text);
      await expect(readVersioned(path, FORMAT)).rejects.toMatchObject({
        code: 'store-failed',
        context: { path },
      });
    },
  );
});
