import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { IotmanoError } from '../kernel/index.ts';

const REMEDY = 'install HAProxy 2.4 or newer (Debian: apt-get install haproxy)';
/** Of the C library, which belongs to the base image as its loader does. */
const OF_THE_BASE = /^(libc|libm|libdl|librt|libpthread|ld-linux[\w-]*)\.so/;
/** Above the licence of each program and library. */
const RULE = '-'.repeat(80);

/**
 * Puts the haproxy of PATH below the folder, with the libraries that it is linked to and their licences: the base image need not have them, and is
 * not changed by them.
 * @returns its version
 * @throws IotmanoError `artifact-unusable` when there is none, or an older one
 */
export function addHaproxy(folder: string): string {
  const program = run('sh', ['-c', 'command -v haproxy']).trim();
  const version = program === '' ? '' : (run(program, ['-v']).split('\n')[0] ?? '');
  const [, major = 0, minor = 0] = /version (\d+)\.(\d+)/.exec(version)?.map(Number) ?? [];
  if (major * 100 + minor < 204) {
    throw new IotmanoError(
      'artifact-unusable',
      `the image needs haproxy 2.4 or newer, and PATH has ${version || 'none'}: ${REMEDY}`,
    );
  }
  const own = join(folder, 'haproxy');
  mkdirSync(own, { recursive: true });
  const libraries = librariesOf(program);
  for (const file of [program, ...libraries]) {
    copyFileSync(file, join(own, basename(file)));
    chmodSync(join(own, basename(file)), 0o755);
  }
  const command = join(folder, 'bin', 'haproxy');
  const place = '/opt/iotmano/haproxy';
  writeFileSync(command, `#!/bin/sh\nLD_LIBRARY_PATH=${place} exec ${place}/${basename(program)} "$@"\n`);
  chmodSync(command, 0o755);
  const texts = [program, ...libraries].map((file) => `${file}\n\n${licenceOf(file)}`);
  writeFileSync(
    join(folder, 'haproxy.LICENSES.txt'),
    `${version} and its libraries, as Debian packs them\n\n${[...new Set(texts)].join(`\n${RULE}\n`)}`,
  );
  return version.replace(/^HAProxy version (\S+).*/, 'haproxy: $1');
}

/** Paths of the libraries that the program is linked to, by their names in it. */
function librariesOf(program: string): readonly string[] {
  return run('ldd', [program])
    .split('\n')
    .flatMap((line) => {
      const path = /=> (\/\S+)/.exec(line)?.[1];
      return path === undefined || OF_THE_BASE.test(basename(path)) ? [] : [path];
    });
}

/** What the package manager of this machine keeps of the file's licence. */
function licenceOf(file: string): string {
  const path = realpathSync(file);
  // Packages may name a file by its place before /lib and /usr/lib became one.
  const owners = [path, path.replace(/^\/usr/, ''), `/usr${path}`].map((place) => run('dpkg', ['-S', place]));
  const owner = owners.map((text) => /^([^\s:,]+)/.exec(text)?.[1]).find((name) => name !== undefined);
  const text = `/usr/share/doc/${owner ?? ''}/copyright`;
  if (owner !== undefined && existsSync(text)) return readFileSync(text, 'utf8');
  throw new IotmanoError(
    'artifact-unusable',
    `${file} comes without a licence: no package of this machine (dpkg -S) has one for it`,
  );
}

/** @returns what it prints; nothing when it fails */
function run(command: string, args: readonly string[]): string {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8' });
  return status === 0 ? stdout : '';
}
