import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const ROOMS =
  '{kernel,descriptors,vnf-catalog,api-specs,vim-drivers,agents,orchestrator,cli,conformance,load,bench,simulation,test,scripts}';
const pages = globSync(['*.md', 'docs/**/*.md', `${ROOMS}/**/*.md`], { cwd: root });
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

describe('the documents', () => {
  it.each(pages)('%s links only to files that are there', (page) => {
    const targets = [...read(page).matchAll(/\]\(([^)#\s]+)[^)]*\)/g)]
      .map(([, target = '']) => target)
      .filter((target) => !/^[a-z]+:/.test(target));
    expect(targets.filter((target) => !existsSync(join(root, dirname(page), target)))).toEqual([]);
  });

  it('name for every single point of failure the tests that show what is said of it, as they are called', () => {
    const [, ...components] = read('docs/spof.md').split(/^### /m);
    const silent = components
      .filter((text) => !text.includes('**Shown by**'))
      .map((text) => text.split('\n')[0]);
    const named = components.flatMap((text) =>
      [...text.matchAll(/\]\(\.\.\/([^)]+\.test\.ts)\): ((?:"[^"]+"(?:,\s+)?)+)/g)].flatMap(
        ([, file = '', names = '']) =>
          [...names.matchAll(/"([^"]+)"/g)].map(([, name = '']) => ({ file, name })),
      ),
    );
    expect(silent).toEqual([]);
    expect(named.length).toBeGreaterThanOrEqual(components.length);
    expect(named.filter(({ file, name }) => !read(file).includes(name))).toEqual([]);
  });

  it('name every row of the matrix of offline autonomy as its test is called, and no other', () => {
    const rows = read('docs/autonomy.md')
      .split('\n')
      .filter((line) => line.startsWith('| ') && line.includes('"'))
      .map((line) => /"([^"]+)"\s*\|$/.exec(line)?.[1] ?? '');
    const tests = ['autonomy', 'autonomy-orchestrator'].flatMap((name) =>
      [...read(`test/system/${name}.test.ts`).matchAll(/'((?:when|from|and) [^'\n]+)',/g)].map(
        ([, title]) => title,
      ),
    );
    expect(rows.length).toBeGreaterThan(12);
    expect(new Set(rows)).toEqual(new Set(tests));
    expect(rows).toHaveLength(tests.length);
  });

  it('speak only of functions and members that the sources have', () => {
    const sources = globSync(`${ROOMS}/**/*.{ts,yaml,json,sh}`, { cwd: root });
    const words = new Set(sources.flatMap((file) => read(file).match(/\w+/g) ?? []));
    const unknown = pages.flatMap((page) =>
      [...read(page).matchAll(/`([a-z]+[A-Z]\w*)(?:\([^`\n]*\))?`/g)]
        .map(([, name = '']) => name)
        .filter((name) => !words.has(name))
        .map((name) => `${page}: ${name}`),
    );
    expect(unknown).toEqual([]);
  });
});
