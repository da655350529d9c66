import {
  chmodSync,
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../../kernel/index.ts';
import type { RandomBytes } from '../domain/index.ts';
import type { SecretsKey } from './secret-box.ts';

const FILE = 'secrets.key';
const KEY_BYTES = 32;

/**
 * The key that credentials of VIMs are sealed with: `directory/secrets.key`, readable by its owner only, made where there is none. Not part of a backup of the store:
 * who has the one without the other has no credentials. A file that is no key stays as it is, so that a mistake can be put right.
 */
export function loadSecretsKey(directory: string, random: RandomBytes): SecretsKey {
  const path = join(directory, FILE);
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const text = readOrMake(path, random);
    chmodSync(path, 0o600);
    const key = Buffer.from(text.trim(), 'base64url');
    if (key.length === KEY_BYTES && key.toString('base64url') === text.trim()) return { type: 'key', key };
    return unusable(path, 'it holds no key');
  } catch (error) {
    return unusable(path, messageOf(error));
  }
}

function readOrMake(path: string, random: RandomBytes): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    make(path, random);
    return readFileSync(path, 'utf8');
  }
}

/** Whole or not at all, and never over one that is there. */
function make(path: string, random: RandomBytes): void {
  const temporary = `${path}.new`;
  rmSync(temporary, { force: true });
  const file = openSync(temporary, 'wx', 0o600);
  try {
    writeSync(file, `${random(KEY_BYTES).toString('base64url')}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  linkSync(temporary, path);
  rmSync(temporary);
}

function unusable(path: string, why: string): SecretsKey {
  return {
    type: 'unusable',
    reason: `${path} cannot be used (${why}); put the right file back, or remove it, start again, and give the credentials of all VIMs anew`,
  };
}
