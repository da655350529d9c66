import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const read = (file: string): string => readFileSync(new URL(`../${file}`, import.meta.url), 'utf8');

/** Names in the first column of each table, table by table. */
function librariesInTables(page: string): string[][] {
  const tables = page.split(/\n\n/).filter((block) => block.startsWith('|'));
  return tables.map((table) =>
    table
      .trim()
      .split('\n')
      .slice(2)
      .flatMap((row) => (row.split('|')[1] ?? '').split(','))
      .map((name) => name.trim()),
  );
}

describe('docs/dependencies.md', () => {
  const { dependencies, devDependencies } = JSON.parse(read('package.json')) as Record<string, object>;
  const [published, development] = librariesInTables(read('docs/dependencies.md'));

  it('has a reason for every library of the published package, and for no other', () => {
    expect(published?.toSorted()).toEqual(Object.keys(dependencies ?? {}).toSorted());
  });

  it('has a reason for every library of development, and for no other', () => {
    expect(development?.toSorted()).toEqual(Object.keys(devDependencies ?? {}).toSorted());
  });
});
