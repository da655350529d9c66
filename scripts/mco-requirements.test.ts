import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseRequirements } from '../conformance/index.ts';
import { findAllNamings, findMentions, findNamings, findRequirementFaults } from './mco-requirements.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (file: string): string => readFileSync(new URL(`../api-specs/${file}`, import.meta.url), 'utf8');
const document = read('mco/requirements.md');
const requirements = parseRequirements(document);

describe('the requirements of Mco', () => {
  it('are each one sentence with its own id, and those that are implemented are shown by tests', () => {
    expect(requirements.length).toBeGreaterThan(80);
    expect(findRequirementFaults(requirements, findAllNamings(root))).toEqual([]);
  });

  it('are all there is: whatever the document or the sources name is one, or was withdrawn', () => {
    const known = new Set(requirements.map(({ id }) => id));
    const withdrawn = new Set(/Withdrawn so far: (.*)\./.exec(document)?.[1]?.split(', '));
    const mentioned = [...findMentions(root), ...(document.match(/MCO-[OMDC]-\d{3}/g) ?? [])];
    expect(mentioned.filter((id) => !known.has(id) && !withdrawn.has(id))).toEqual([]);
    expect([...withdrawn].filter((id) => known.has(id))).toEqual([]);
  });

  it('come with every operation, and with a mapping of every message to oneM2M', () => {
    const operations = [...read('mco/mco.openapi.yaml').matchAll(/operationId: (\w+)/g)];
    expect(operations.map(([, name]) => name).filter((name) => !document.includes(`| \`${name}\``))).toEqual(
      [],
    );
    const annex = document.slice(document.indexOf('## Annex A'));
    const messages = readdirSync(new URL('../api-specs/schemas/', import.meta.url));
    expect(messages.filter((name) => name.endsWith('.json') && !annex.includes(name))).toEqual([]);
  });
});

describe('the check of requirements', () => {
  const entry = (id: string, state: string, sentence: string): string =>
    `- **${id}** (${state}): ${sentence}\n`;
  const good = entry('MCO-C-901', 'implemented', 'An agent SHALL listen.');
  const shown = findNamings('a.test.ts', "// MCO-C-901\nit('listens', () => {});");

  it.each([
    ['an id that is there twice', good + good, shown, 'MCO-C-901 is there twice'],
    ['a requirement without a test', good, [], 'MCO-C-901 is implemented, and no test names it'],
    ['a test of something that is not there', '', shown, 'a.test.ts:1: there is no MCO-C-901'],
    [
      'a test of what is said not to be implemented',
      good.replace('implemented', 'specified'),
      shown,
      'a.test.ts:1: MCO-C-901 is not implemented, as the document has it',
    ],
    [
      'a requirement that requires nothing',
      good.replace('SHALL listen', 'listens'),
      shown,
      'MCO-C-901 says neither SHALL nor SHOULD nor MAY',
    ],
    [
      'more than one sentence',
      good.replace('listen.', 'listen. Always.'),
      shown,
      'MCO-C-901 is not one sentence',
    ],
  ])('finds %s', (_, text, namings, fault) => {
    expect(findRequirementFaults(parseRequirements(text), namings)).toEqual([fault]);
  });

  it('takes a name or a comment right above a test, and no other mention', () => {
    const text = "// MCO-C-901 MCO-C-902\n  it('a', f);\n// MCO-C-903\nconst x = 1;\ntest('MCO-C-904 b', f);";
    expect(findNamings('a', text).map(({ id }) => id)).toEqual(['MCO-C-901', 'MCO-C-902', 'MCO-C-904']);
  });
});
