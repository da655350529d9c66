import { execFile } from 'node:child_process';
import { copyFile, link, mkdir, rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { IotmanoError, messageOf } from '../../kernel/index.ts';
import { syncDirectory } from '../../vim-drivers/host-files/index.ts';
import type { ArtifactSource } from '../../vim-drivers/index.ts';
import type { UpgradeOrder } from '../mco-client/index.ts';
import { whyUnreadable } from '../state-formats.ts';
import { isIntact, readProgram } from './program.ts';
import { versionFile, versionsDirectory } from './version-files.ts';

const PREFLIGHT_MILLISECONDS = 20_000;

/**
 * Fetches the program of an order, verifies it and puts it beside the other versions; asks it for its version, so that one that does not start here at all is
 * never tried.
 * @throws IotmanoError `artifact-unusable` where this program is not to be run here; others are worth another attempt
 */
export async function prepareVersion(
  order: UpgradeOrder,
  dataDirectory: string,
  artifacts: ArtifactSource,
  signal: AbortSignal,
): Promise<void> {
  const { digest } = order.artifact;
  const file = versionFile(dataDirectory, digest);
  if (!isIntact(file, digest)) {
    const fetched = await artifacts.open(order.artifact, signal);
    await mkdir(versionsDirectory(dataDirectory), { recursive: true, mode: 0o700 });
    await rm(file, { force: true });
    // Where files can have one name only, another copy.
    await link(fetched, file).catch(() => copyFile(fetched, file));
    await syncDirectory(versionsDirectory(dataDirectory));
    if (!isIntact(file, digest)) throw new IotmanoError('unavailable', `the file ${file} is damaged`);
  }
  const program = readProgram(file);
  if (program === undefined) throw unusable(order, 'it is no program of an agent');
  if (program.version !== order.version) throw unusable(order, `it calls itself ${program.version}`);
  const fault = whyUnreadable(program.formats);
  if (fault !== undefined) throw unusable(order, fault);
  await askVersion(order, file, signal);
}

async function askVersion(order: UpgradeOrder, file: string, signal: AbortSignal): Promise<void> {
  const { PATH = '' } = process.env;
  const options = { timeout: PREFLIGHT_MILLISECONDS, killSignal: 'SIGKILL', env: { PATH }, signal } as const;
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [file, '--version'], options);
    if (stdout.trim() !== order.version)
      throw new TypeError(`it answers ${JSON.stringify(stdout.slice(0, 100))}`);
  } catch (error) {
    if (signal.aborted) throw new IotmanoError('unavailable', 'interrupted', {}, error);
    throw unusable(order, `asked for its version, it fails on this host: ${messageOf(error).slice(0, 600)}`);
  }
}

function unusable({ version }: UpgradeOrder, why: string): IotmanoError {
  return new IotmanoError('artifact-unusable', `version ${version} is not tried: ${why}`);
}
