import type { Dirent } from 'node:fs';
import { readFile, readdir, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import type { Fault } from '../types.ts';
import type { ArtifactSource } from './check-artifacts.ts';
import { pathProblem } from './entry-path.ts';
import { ARTIFACTS } from './limits.ts';
import { packageFault } from './package-fault.ts';
import type { FileMember } from './write-zip.ts';

/** The name of the descriptor in a folder: `descriptor.yaml`, or the only candidate. */
export async function findDescriptor(directory: string): Promise<string | Fault> {
  const names = (await readdir(directory)).filter((name) => /\.(ya?ml|json)$/.test(name)).toSorted();
  const preferred = names.find((name) => name === 'descriptor.yaml');
  const [only, second] = names;
  if (preferred !== undefined) return preferred;
  if (only !== undefined && second === undefined) return only;
  const message =
    only === undefined ? 'there is no descriptor' : `there are several candidates: ${names.join(', ')}`;
  return packageFault(
    'package/missing-descriptor',
    directory,
    message,
    'call the descriptor descriptor.yaml',
  );
}

/** All files below `artifacts/`, in the order of their paths. */
export async function listArtifacts(
  directory: string,
): Promise<{ readonly files: FileMember[]; readonly faults: Fault[] }> {
  const root = join(directory, 'artifacts');
  const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [] as Dirent[];
    throw error;
  });
  const faults: Fault[] = [];
  const files: FileMember[] = [];
  for (const entry of entries) {
    if (entry.isDirectory()) continue;
    const source = join(entry.parentPath, entry.name);
    const path = ARTIFACTS + relative(root, source).split(sep).join('/');
    const problem = pathProblem(Buffer.from(path));
    if (!entry.isFile())
      faults.push(
        packageFault(
          'package/link',
          path,
          `${path} is a link or a special file`,
          'put the file itself there',
        ),
      );
    else if (problem !== undefined)
      faults.push(packageFault('package/bad-path', path, `the path ${path} ${problem}`, 'rename the file'));
    else files.push({ path, source });
  }
  return { files: files.toSorted((a, b) => (a.path < b.path ? -1 : 1)), faults };
}

export function sourceOf(artifacts: readonly FileMember[]): ArtifactSource {
  const sources = new Map(artifacts.map(({ path, source }) => [path, source]));
  return {
    paths: [...sources.keys()],
    read: async (path, maxBytes) => {
      const source = sources.get(path);
      if (source === undefined || (await stat(source)).size > maxBytes) return undefined;
      return readFile(source);
    },
  };
}
