import { systemClock, type Logger } from '../kernel/index.ts';
import type { OwnProgram } from '../agents/index.ts';
import type { Environment } from './context.ts';

export interface VersionChoice {
  /** False: it was started with `--no-self-upgrade`. */
  readonly isAllowed: boolean;
  /** Absolute. */
  readonly dataDirectory: string;
  readonly env: Environment;
  /** A version that waits to be tried is tried now. */
  readonly mayTry: boolean;
  readonly log: Logger;
}

/**
 * The program that this process goes on as, or why that cannot be exchanged. Where another version of the agent is to run, the process becomes that
 * one, and this never returns.
 */
export async function becomeVersion({ isAllowed, ...options }: VersionChoice): Promise<OwnProgram | string> {
  const { canBecomeProgram, openOwnProgram, startVersion } = await import('../agents/index.ts');
  const program = openOwnProgram(import.meta.filename, options.env);
  if (program === undefined)
    return 'it runs from a package or a checkout, not as the packed program; upgrade that on the host';
  if (!isAllowed) return 'it was started with --no-self-upgrade';
  if (!canBecomeProgram()) return 'this system cannot exchange the program of a process';
  await startVersion({ ...options, program, args: process.argv.slice(2), clock: systemClock });
  return program;
}
