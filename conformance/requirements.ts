import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One requirement of api-specs/mco/requirements.md. */
export interface Requirement {
  readonly id: string;
  /** `specified`: nothing does so yet. */
  readonly state: 'implemented' | 'specified';
  readonly sentence: string;
}

/** The requirements of a document, in its order. */
export function parseRequirements(document: string): readonly Requirement[] {
  const entries = document.matchAll(
    /^- \*\*(MCO-[OMDC]-\d{3})\*\* \((implemented|specified)\): (.+(?:\n {2}.+)*)/gm,
  );
  return [...entries].map(([, id = '', state = '', sentence = '']) => ({
    id,
    state: state as Requirement['state'],
    sentence: sentence.replaceAll(/\s+/g, ' '),
  }));
}

/** The requirements that this kit judges by: those of the document that it comes with. */
export function loadRequirements(): readonly Requirement[] {
  return parseRequirements(
    readFileSync(join(import.meta.dirname, '../api-specs/mco/requirements.md'), 'utf8'),
  );
}
