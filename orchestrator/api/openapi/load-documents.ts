import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { IotmanoError } from '../../../kernel/index.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

/** Files of one tree of specifications by address; every `$ref` in them is absolute. */
export type SpecificationFiles = ReadonlyMap<string, JsonObject>;

/** Base of the addresses; nothing is ever fetched from there. */
const BASE = 'http://api-specs.invalid/';

/** Where the documents lie, beside the code that serves them. */
export const API_SPECS_DIRECTORY = fileURLToPath(new URL('../../../api-specs/', import.meta.url));

/** Folders of `api-specs/` that hold OpenAPI documents served by the orchestrator. */
const DOCUMENT_FOLDERS = ['northbound', 'mco'];

/**
 * Reads every OpenAPI document below `directory` and the files that they refer to.
 * @throws IotmanoError `internal` where a file or a reference is broken: the documents are part of the program
 */
export function loadSpecificationFiles(directory: string = API_SPECS_DIRECTORY): SpecificationFiles {
  const files = new Map<string, JsonObject>();
  const pending = DOCUMENT_FOLDERS.flatMap((folder) => openApiFiles(directory, folder));
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const address = BASE + path;
    if (files.has(address)) continue;
    const content = withAbsoluteReferences(readSpecification(directory, path), address);
    files.set(address, content.value);
    pending.push(...content.files.map((file) => file.slice(BASE.length)));
  }
  return files;
}

function openApiFiles(directory: string, folder: string): string[] {
  try {
    return readdirSync(join(directory, folder))
      .filter((name) => name.endsWith('.yaml') && !name.includes('asyncapi'))
      .map((name) => posix.join(folder, name));
  } catch {
    return [];
  }
}

/** YAML, or JSON, which is YAML too, but cheap to read: the built program has its documents in JSON under the same names. */
function readSpecification(directory: string, path: string): JsonObject {
  try {
    const text = readFileSync(join(directory, path), 'utf8');
    return (text.startsWith('{') ? JSON.parse(text) : parse(text)) as JsonObject;
  } catch (error) {
    throw new IotmanoError('internal', `specification file ${path} cannot be read`, { path }, error);
  }
}

/** Drops `$id` and `$schema` of a file: its address is its identity here. */
function withAbsoluteReferences(
  root: JsonObject,
  address: string,
): { readonly value: JsonObject; readonly files: string[] } {
  const files = new Set<string>();
  const rewrite = (node: unknown): unknown => {
    if (Array.isArray(node)) return node.map(rewrite);
    if (typeof node !== 'object' || node === null) return node;
    const copy: Record<string, unknown> = {};
    for (const [name, member] of Object.entries(node)) {
      if (name === '$ref' && typeof member === 'string') {
        const target = new URL(member, address).href;
        files.add(target.split('#', 1)[0] ?? target);
        copy[name] = target;
      } else if (!isForPeople(name, member)) copy[name] = rewrite(member);
    }
    return copy;
  };
  const { $id: _id, $schema: _schema, ...rest } = rewrite(root) as Record<string, unknown>;
  return { value: rest, files: [...files] };
}

/** What validates nothing is not kept in memory. A property may be called `description`; then it holds a schema, not a text. */
function isForPeople(name: string, member: unknown): boolean {
  if (name === 'example' || name === 'examples') return true;
  return (name === 'description' || name === 'summary') && typeof member === 'string';
}

/**
 * The node that an absolute reference names.
 * @throws IotmanoError `internal` where there is none
 */
export function resolveReference(files: SpecificationFiles, reference: string): JsonObject {
  const [address = '', fragment = ''] = reference.split('#', 2);
  let node: unknown = files.get(address);
  for (const segment of fragment.split('/').slice(1)) {
    const name = decodeURIComponent(segment).replaceAll('~1', '/').replaceAll('~0', '~');
    node = typeof node === 'object' && node !== null ? (node as JsonObject)[name] : undefined;
  }
  if (typeof node !== 'object' || node === null)
    throw new IotmanoError('internal', `reference ${reference} of a specification leads nowhere`);
  return node as JsonObject;
}
