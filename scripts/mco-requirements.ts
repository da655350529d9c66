import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Requirement } from '../conformance/index.ts';

const ID = /MCO-[OMDC]-\d{3}/g;
const ROOMS =
  '{kernel,descriptors,vnf-catalog,api-specs,vim-drivers,agents,orchestrator,cli,conformance,simulation,test}';

/** A test, or suite of tests, that names a requirement, in its own name or in a comment right above it. */
export interface Naming {
  readonly id: string;
  /** `file:line`. */
  readonly place: string;
}

const TEST = /^\s*(?:it|test|describe)\b/;
const COMMENT = /^\s*\/\/ MCO-/;

/** Where the tests of one file name requirements. A comment that is not right above a test names nothing. */
export function findNamings(file: string, text: string): readonly Naming[] {
  const lines = text.split('\n');
  return lines.flatMap((line, index) => {
    const isNaming = TEST.test(line) || (COMMENT.test(line) && TEST.test(lines[index + 1] ?? ''));
    return isNaming ? [...line.matchAll(ID)].map(([id]) => ({ id, place: `${file}:${index + 1}` })) : [];
  });
}

/** All namings in the tests, and in the conformance suites that tests run. */
export function findAllNamings(root: string): readonly Naming[] {
  const files = globSync([`${ROOMS}/**/*.test.ts`, 'vim-drivers/conformance/*.ts'], { cwd: root });
  return files.toSorted().flatMap((file) => findNamings(file, readFileSync(join(root, file), 'utf8')));
}

/** Every id in tests, wherever it stands, so that one that names nothing by mistake is found. */
export function findMentions(root: string): readonly string[] {
  const files = globSync([`${ROOMS}/**/*.ts`], { cwd: root });
  return files.flatMap((file) => [...readFileSync(join(root, file), 'utf8').matchAll(ID)].map(([id]) => id));
}

/** What does not fit between the requirements and the tests; empty: everything fits. */
export function findRequirementFaults(
  requirements: readonly Requirement[],
  namings: readonly Naming[],
): readonly string[] {
  const known = new Map(requirements.map((each) => [each.id, each]));
  const named = new Set(namings.map(({ id }) => id));
  const ids = requirements.map(({ id }) => id);
  return [
    ...ids.filter((id, index) => ids.indexOf(id) !== index).map((id) => `${id} is there twice`),
    ...requirements.flatMap(({ id, sentence }) => sentenceFaults(id, sentence)),
    ...requirements
      .filter(({ id, state }) => state === 'implemented' && !named.has(id))
      .map(({ id }) => `${id} is implemented, and no test names it`),
    ...namings.filter(({ id }) => !known.has(id)).map(({ id, place }) => `${place}: there is no ${id}`),
    ...namings
      .filter(({ id }) => known.get(id)?.state === 'specified')
      .map(({ id, place }) => `${place}: ${id} is not implemented, as the document has it`),
  ];
}

function sentenceFaults(id: string, sentence: string): string[] {
  return [
    ...(/\b(SHALL|SHOULD|MAY)\b/.test(sentence) ? [] : [`${id} says neither SHALL nor SHOULD nor MAY`]),
    ...(/^[^.]*(?:\.\d[^.]*)*\.$/.test(sentence) ? [] : [`${id} is not one sentence`]),
  ];
}
