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
import { createAccount, createOperator, type KeyPair } from '@nats-io/nkeys';
import { IotmanoError, messageOf } from '../../../kernel/index.ts';
import { signingKey } from './signing-key.ts';

/** What signs everything that the NATS servers of this orchestrator believe. */
export interface AccountKeys {
  /** Signs accounts. */
  readonly operator: KeyPair;
  /** Of the account that orchestrator and hosts are users of; signs those. */
  readonly account: KeyPair;
  /** Of the servers' own account, through which revocations reach them. */
  readonly system: KeyPair;
}

const FILE = 'nats-keys.json';
const NAMES = ['operator', 'account', 'system'] as const;
const PREFIXES = { operator: 'SO', account: 'SA', system: 'SA' } as const;

/**
 * The keys in `directory/nats-keys.json`, readable by their owner only, made where there are none. Who has them can be any host: they are
 * not part of what servers of NATS are given, nor of a backup of the store.
 * @throws IotmanoError `store-failed` where the file is there and holds no keys; it stays as it is
 */
export function loadAccountKeys(directory: string): AccountKeys {
  const path = join(directory, FILE);
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const text = readOrMake(path);
    chmodSync(path, 0o600);
    return parseKeys(text);
  } catch (error) {
    throw new IotmanoError(
      'store-failed',
      `the keys for NATS in ${path} cannot be used: ${messageOf(error)}; restore the file, or move it away and set up the servers of NATS and all their hosts anew`,
      { path },
      error,
    );
  }
}

function parseKeys(text: string): AccountKeys {
  const seeds = JSON.parse(text) as Partial<Record<string, string>>;
  const keyOf = (name: (typeof NAMES)[number]): KeyPair => {
    const seed = seeds[name] ?? '';
    if (!seed.startsWith(PREFIXES[name])) throw new TypeError(`"${name}" is no seed`);
    return signingKey(seed);
  };
  return { operator: keyOf('operator'), account: keyOf('account'), system: keyOf('system') };
}

function readOrMake(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    make(path);
    return readFileSync(path, 'utf8');
  }
}

/** Whole or not at all, and never over one that is there. */
function make(path: string): void {
  const temporary = `${path}.${process.pid}.new`;
  rmSync(temporary, { force: true });
  const file = openSync(temporary, 'wx', 0o600);
  const seedOf = (key: KeyPair): string => Buffer.from(key.getSeed()).toString();
  const keys = {
    operator: seedOf(createOperator()),
    account: seedOf(createAccount()),
    system: seedOf(createAccount()),
  };
  try {
    writeSync(file, `${JSON.stringify(keys, undefined, 2)}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  try {
    linkSync(temporary, path);
  } catch (error) {
    // Another process was first: its keys are the ones.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(temporary);
  }
}
