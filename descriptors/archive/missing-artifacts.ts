import type { Finding } from '../document/finding.ts';
import { toFaults } from '../document/finding.ts';
import { didYouMean } from '../document/nearest.ts';
import { readDocument } from '../document/read-document.ts';
import { Cursor } from '../document/cursor.ts';
import type { Fault } from '../types.ts';
import { ARTIFACTS } from './limits.ts';

/** Files that the descriptor names and the package does not have below `Artifacts/`. */
export function missingArtifacts(text: string, file: string, paths: readonly string[]): Fault[] {
  const artifacts = new Set(
    paths.filter((path) => path.startsWith(ARTIFACTS)).map((path) => path.slice(ARTIFACTS.length)),
  );
  const { value, locate } = readDocument(text);
  const findings = referencesOf(new Cursor(value))
    .filter(({ text: path }) => path !== undefined && !artifacts.has(path))
    .map((at): Finding => {
      const path = at.text ?? '';
      return {
        rule: 'missing-artifact',
        pointer: at.pointer,
        message: `\`${path}\` is not in the package`,
        remedy: `put it there as ${ARTIFACTS}${path}.${didYouMean(path, artifacts)}`,
      };
    });
  return toFaults(findings, file, locate);
}

function referencesOf(doc: Cursor): Cursor[] {
  return doc
    .at('units')
    .items()
    .flatMap((unit) => [
      ...unit
        .at('artifacts')
        .items()
        .map((artifact) => artifact.at('files')),
      ...unit
        .at('files')
        .items()
        .map((file) => file.at('template')),
    ]);
}
