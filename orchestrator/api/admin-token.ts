import {
  chmodSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_TENANT, toTimestamp } from '../../kernel/index.ts';
import { hashSecret, newSecret } from '../domain/index.ts';
import { findAccessToken, formatAccessToken } from './access-token.ts';
import type { AccessTokenOptions } from './access-token-routes.ts';

/** Name of the file that holds the admin token, in the data directory. */
const ADMIN_TOKEN_FILE = 'admin.token';

/**
 * Makes sure that `directory/admin.token` holds a token that works, readable by its owner only. Whoever may read that file owns the
 * installation anyway. Called once at the start.
 * @returns the path of the file
 */
export async function ensureAdminToken(options: AccessTokenOptions, directory: string): Promise<string> {
  const { store, clock, ids, random } = options;
  const path = join(directory, ADMIN_TOKEN_FILE);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const present = readOrNothing(path);
  if (present !== undefined && findAccessToken(store, clock, present)?.document.role === 'admin') {
    chmodSync(path, 0o600);
    return path;
  }
  const id = ids.uuid();
  const token = formatAccessToken(id, newSecret(random));
  // The file first: a crash in between leaves a token that is unknown, never one that works and that nobody has.
  writeSecretFile(path, token);
  const document = {
    name: 'admin',
    role: 'admin',
    tokenHash: hashSecret(token),
    createdAt: toTimestamp(clock.now()),
  } as const;
  store.commit([{ op: 'create', kind: 'access-token', id, tenant: DEFAULT_TENANT, document }]);
  await store.whenDurable();
  return path;
}

function readOrNothing(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}

function writeSecretFile(path: string, content: string): void {
  const temporary = `${path}.new`;
  const file = openSync(temporary, 'w', 0o600);
  try {
    chmodSync(temporary, 0o600);
    writeSync(file, `${content}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
}
