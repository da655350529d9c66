import { Cursor } from '../document/cursor.ts';
import { toFaults, type Finding } from '../document/finding.ts';
import { didYouMean } from '../document/wording.ts';
import { Positions } from '../document/positions.ts';
import { readDocument } from '../document/read-document.ts';
import { findUnresolvable, scopeOfUnit, type TemplateScope } from '../rules/templates.ts';
import type { Fault } from '../types.ts';
import { ARTIFACTS, TEMPLATE_BYTES } from './limits.ts';
import { packageFault } from './package-fault.ts';
import { decodeUtf8 } from './unpack.ts';

/** The artifacts of a package, wherever they are. */
export interface ArtifactSource {
  /** Paths in the package; those outside `Artifacts/` do not matter. */
  readonly paths: readonly string[];
  /** The bytes of one of them; nothing where they are more than that, or cannot be read. */
  read(path: string, maxBytes: number): Promise<Buffer | undefined>;
}

/** What is wrong with the files that a descriptor names: one is missing, or is a template that cannot be resolved. */
export async function checkArtifacts(text: string, file: string, source: ArtifactSource): Promise<Fault[]> {
  const { value, locate } = readDocument(text);
  const doc = new Cursor(value);
  const missing = toFaults(findMissing(doc, source.paths), file, locate);
  return [...missing, ...(await checkTemplates(doc, source))];
}

function findMissing(doc: Cursor, paths: readonly string[]): Finding[] {
  const artifacts = new Set(
    paths.filter((path) => path.startsWith(ARTIFACTS)).map((path) => path.slice(ARTIFACTS.length)),
  );
  return referencesOf(doc).flatMap(({ pointer, text: path }) => {
    if (path === undefined || artifacts.has(path)) return [];
    const message = `\`${path}\` is not in the package`;
    const remedy = `put it there as ${ARTIFACTS}${path}.${didYouMean(path, artifacts)}`;
    return [{ rule: 'missing-artifact', pointer, message, remedy }];
  });
}

function referencesOf(doc: Cursor): Cursor[] {
  return doc
    .each('units')
    .flatMap((unit) => [
      ...unit.each('artifacts').map((artifact) => artifact.at('files')),
      ...unit.each('files').map((file) => file.at('template')),
    ]);
}

/** Each unit that writes a template has ports, volumes and bindings of its own. */
async function checkTemplates(doc: Cursor, source: ArtifactSource): Promise<Fault[]> {
  const present = new Set(source.paths);
  const faults: Fault[] = [];
  for (const unit of doc.each('units')) {
    const scope = scopeOfUnit(doc, unit);
    for (const name of new Set(unit.at('files').names('template'))) {
      const path = ARTIFACTS + name;
      if (present.has(path)) faults.push(...(await checkTemplate(path, scope, source)));
    }
  }
  return faults;
}

async function checkTemplate(path: string, scope: TemplateScope, source: ArtifactSource): Promise<Fault[]> {
  const bytes = await source.read(path, TEMPLATE_BYTES);
  const text = bytes === undefined ? undefined : decodeUtf8(bytes);
  if (text === undefined) {
    const message = `the template ${path} is no UTF-8 text of at most ${TEMPLATE_BYTES} bytes`;
    return [
      packageFault(RULE, path, message, 'shorten it, or put the file into the archive of the artifact'),
    ];
  }
  const positions = new Positions(text);
  const findings = [...findUnresolvable(text, scope)].map((found) => ({ ...found, rule: RULE, pointer: '' }));
  return toFaults(findings, path, ({ offset }) => (offset === undefined ? undefined : positions.at(offset)));
}

const RULE = 'unresolvable-template-file';
