import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFileDurably } from '../../vim-drivers/host-files/index.ts';
import { versionsDirectory } from './version-files.ts';

/** A version on trial: wanted by an order, and not confirmed yet. */
export interface Trial {
  readonly orderId: string;
  readonly version: string;
  readonly digest: string;
  readonly confirmWithinSeconds: number;
  /** Copies that ran when it began, as `runningCopies` names them. */
  readonly functions: readonly string[];
  /** RFC 3339; absent: not started yet. It is started once. */
  readonly startedAt?: string;
}

/** How the last order ended. */
export interface UpgradeOutcome {
  readonly orderId: string;
  readonly version: string;
  readonly state: 'CONFIRMED' | 'ROLLED_BACK' | 'REFUSED';
  readonly reason?: string;
  /** RFC 3339 */
  readonly at: string;
}

/**
 * Which version of the agent runs: `agent/versions.json` in the data directory. The installed program of any version reads what any other has
 * written, so members are added to it and never changed.
 */
export interface VersionPointer {
  /** Digest of the program that was installed by hand when this was written. */
  readonly installed: string;
  /** Digest of the version that runs: that of the installed program, or of a file beside this one. */
  readonly current: string;
  /** The version before, which is kept. */
  readonly previous?: string;
  readonly trial?: Trial;
  readonly last?: UpgradeOutcome;
}

function pointerFile(dataDirectory: string): string {
  return join(versionsDirectory(dataDirectory), 'versions.json');
}

/** Undefined where there is none, or none that can be read: then the installed program is the version that runs. */
export async function readPointer(dataDirectory: string): Promise<VersionPointer | undefined> {
  try {
    return parsePointer(JSON.parse(await readFile(pointerFile(dataDirectory), 'utf8')));
  } catch {
    return undefined;
  }
}

/** Durable when it resolves. */
export async function writePointer(dataDirectory: string, pointer: VersionPointer): Promise<void> {
  await mkdir(versionsDirectory(dataDirectory), { recursive: true, mode: 0o700 });
  await replaceFileDurably(
    pointerFile(dataDirectory),
    JSON.stringify({ schemaVersion: 1, ...pointer }, undefined, 2),
  );
}

/** A trial or an outcome that is not whole counts as none. @throws TypeError where no version can be told from it */
export function parsePointer(value: unknown): VersionPointer {
  const { installed, current, previous, trial, last } = value as Readonly<Record<string, unknown>>;
  if (!isDigest(installed) || !isDigest(current)) throw new TypeError('it lacks installed or current');
  return {
    installed,
    current,
    ...(isDigest(previous) ? { previous } : {}),
    ...(isTrial(trial) ? { trial } : {}),
    ...(isOutcome(last) ? { last } : {}),
  };
}

function isDigest(value: unknown): value is string {
  return typeof value === 'string' && /^sha256:[0-9a-f]{64}$/.test(value);
}

function isTrial(value: unknown): value is Trial {
  const { orderId, version, digest, confirmWithinSeconds, functions } = (value ?? {}) as Partial<Trial>;
  return (
    typeof orderId === 'string' &&
    typeof version === 'string' &&
    isDigest(digest) &&
    typeof confirmWithinSeconds === 'number' &&
    Array.isArray(functions)
  );
}

function isOutcome(value: unknown): value is UpgradeOutcome {
  const { orderId, version, state, at } = (value ?? {}) as Partial<UpgradeOutcome>;
  return [orderId, version, state, at].every((each) => typeof each === 'string');
}
