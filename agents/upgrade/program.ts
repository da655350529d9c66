import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { AGENT_PROGRAM_HEAD_BYTES, parseAgentProgram, type AgentProgram } from '../../kernel/index.ts';
import { INSTALLED, TRIAL } from './handover.ts';

/** The program that this process runs, where it is the one file that can be exchanged. */
export interface OwnProgram extends AgentProgram {
  readonly file: string;
  readonly digest: string;
  /** The program that was installed by hand: what is executed when another version is to run. */
  readonly installed: string;
  /** The order that this version is on trial for. */
  readonly trialOf?: string;
}

/** What a file says of itself, and its digest; undefined where it is no agent's program, or not there. */
export function readProgram(file: string): (AgentProgram & { readonly digest: string }) | undefined {
  let content: Buffer;
  try {
    content = readFileSync(file);
  } catch {
    return undefined;
  }
  const program = parseAgentProgram(content.toString('utf8', 0, AGENT_PROGRAM_HEAD_BYTES));
  return program === undefined ? undefined : { ...program, digest: digestOf(content) };
}

/** Whether the file is there with the content that its digest says. */
export function isIntact(file: string, digest: string): boolean {
  try {
    return digestOf(readFileSync(file)) === digest;
  } catch {
    return false;
  }
}

/** @param file of the code that runs; undefined where that is no packed program */
export function openOwnProgram(
  file: string,
  env: Readonly<Record<string, string | undefined>>,
): OwnProgram | undefined {
  const program = readProgram(file);
  if (program === undefined) return undefined;
  const trialOf = env[TRIAL];
  return {
    ...program,
    file,
    installed: env[INSTALLED] ?? file,
    ...(trialOf === undefined ? {} : { trialOf }),
  };
}

function digestOf(content: Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}
