import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { IotmanoError } from '../kernel/index.ts';

const ROOT = join(import.meta.dirname, '..');

/** File of the licences beside a bundled program. */
export const LICENSES = 'LICENSES.txt';

/** The licence texts of the libraries and data that these modules are part of. */
export function licensesOf(modules: readonly string[]): string {
  const files = new Set<string>([]);
  // Ids that begin with NUL are the bundler's own glue.
  for (const id of modules.filter((module) => !module.startsWith('\0'))) {
    const library = /^(.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+)[\\/]/.exec(id)?.[1];
    const text = library === undefined ? id.replace(/\.json$/, '.LICENSE.txt') : licenseFileOf(library);
    if (text.endsWith('.ts')) continue;
    if (!existsSync(text))
      throw new IotmanoError('invalid-package', `${id} comes without a licence: ${text} is missing`);
    files.add(text);
  }
  const texts = [...files]
    .toSorted()
    .map((file) => `${relative(ROOT, file)}\n\n${readFileSync(file, 'utf8')}`);
  return texts.join(`\n${'-'.repeat(80)}\n`);
}

function licenseFileOf(library: string): string {
  return join(library, readdirSync(library).find((name) => /^licen[cs]e(\.\w+)?$/i.test(name)) ?? 'LICENSE');
}
