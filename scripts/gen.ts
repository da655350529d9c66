/**
 * Writes everything that is generated: wire types from the API documents, docs from schemas and tables.
 * With --check it writes nothing and fails when a checked-in file differs from what would be written.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { renderArchitecture } from './gen-architecture.ts';
import { renderConformanceDocs } from './gen-conformance-docs.ts';
import { renderDescriptorDocs } from './gen-descriptor-docs.ts';
import { renderMcoDocs } from './gen-mco-docs.ts';
import { renderMcoRequirements } from './gen-mco-requirements.ts';
import { renderNatsOperations } from './gen-nats-operations.ts';
import { renderErrorDocs, renderStateDocs } from './gen-tables.ts';
import { renderWireTypes } from './gen-wire-types.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const isCheck = process.argv.includes('--check');

const files = new Map<string, string>([
  ['docs/architecture.md', await renderArchitecture()],
  ['docs/conformance.md', await renderConformanceDocs()],
  ['docs/errors.md', renderErrorDocs()],
  ['docs/states.md', renderStateDocs()],
  ['docs/descriptors.md', renderDescriptorDocs()],
  ['docs/mco-reference.md', renderMcoDocs()],
  ['api-specs/mco/requirements.md', await renderMcoRequirements()],
  ['api-specs/generated/mco-nats.ts', await renderNatsOperations()],
  ...(await renderWireTypes()),
]);

const stale: string[] = [];
for (const [file, content] of files) {
  const path = join(root, file);
  if (readOrNothing(path) === content) continue;
  stale.push(file);
  if (isCheck) continue;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}
if (isCheck && stale.length > 0) {
  process.stderr.write(
    `generated files are out of date; run "npm run gen" and commit: ${stale.join(', ')}\n`,
  );
  process.exitCode = 1;
} else {
  process.stdout.write(`${files.size} generated files, ${stale.length} ${isCheck ? 'stale' : 'written'}\n`);
}

function readOrNothing(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
