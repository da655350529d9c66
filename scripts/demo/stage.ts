import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeControlGroups } from './control-groups.ts';
import { AGENT_NAMES } from './installation.ts';
import { endProcessesOf, processesOf } from './processes.ts';

/** Where a demonstration plays: all that it starts is below one folder, and is ended with it. */
export interface Stage {
  /** For people: `demo`. */
  readonly name: string;
  readonly folder: string;
  /** Aborted when the demonstration is stopped. */
  readonly signal: AbortSignal;
}

export interface StageTerms {
  readonly say: (text: string) => void;
  /** Leave it running, unless it is stopped by a signal. */
  readonly keep?: boolean;
  /** Removes what was made elsewhere. */
  readonly leaveNothing?: () => Promise<void>;
}

const LOG_LINES = 8;

/** Signals abort it from now on, however often they come and also when the terminal goes: what was started is ended first. */
export function openStage(name: string): Stage {
  const abort = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => abort.abort(new RangeError(`stopped by ${signal}`)));
  return { name, folder: mkdtempSync(join(tmpdir(), `iotmano-${name}-`)), signal: abort.signal };
}

/** Plays it to its end, and sets the exit code: 0 where everything came to pass. */
export async function playOn(
  { name, folder, signal }: Stage,
  { say, keep = false, leaveNothing }: StageTerms,
  perform: () => Promise<boolean>,
): Promise<void> {
  try {
    process.exitCode = (await perform()) ? 0 : 1;
  } catch (error) {
    const cause: unknown = signal.aborted ? signal.reason : error;
    say(`the ${name} failed: ${cause instanceof Error ? cause.message : String(cause)}`);
    if (!signal.aborted) showLogs(folder, say);
    process.exitCode = 1;
  } finally {
    if (keep && !signal.aborted) say(`left as it is below ${folder} (logs in ${join(folder, 'logs')})`);
    else {
      await clear(name, folder, say);
      await leaveNothing?.();
    }
  }
}

/** The last lines of each program's log: they are removed with the folder. */
function showLogs(folder: string, say: (text: string) => void): void {
  const logs = join(folder, 'logs');
  for (const name of existsSync(logs) ? readdirSync(logs) : []) {
    const lines = readFileSync(join(logs, name), 'utf8').trimEnd().split('\n').slice(-LOG_LINES);
    say(`--- ${name}\n${lines.join('\n')}`);
  }
}

/** Stops whatever was started and removes what was made; says so when something had to be killed. */
async function clear(name: string, folder: string, say: (text: string) => void): Promise<void> {
  const left = await endProcessesOf(folder);
  for (const agent of AGENT_NAMES) removeControlGroups(join(folder, agent, 'process'));
  rmSync(folder, { recursive: true, force: true });
  if (left > 0) say(`ended ${left} processes of the ${name}`);
  if (processesOf(folder).length > 0) {
    say(`some processes of the ${name} could not be ended`);
    process.exitCode = 1;
  }
}
