import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { createClient, type Client } from './client.ts';
import { CliFailure, EXIT } from './failure.ts';
import type { OutputFormat } from './output.ts';

/** What a command may use besides its own options. */
export interface Context {
  readonly client: Client;
  readonly format: OutputFormat;
}

export type Environment = Readonly<Record<string, string | undefined>>;

export const DEFAULT_URL = 'http://127.0.0.1:8900';

/** Where the orchestrator keeps its state unless told otherwise. */
export function defaultDataDirectory(env: Environment): string {
  return env['IOTMANO_DATA'] ?? join(env['XDG_DATA_HOME'] ?? join(homedir(), '.local/share'), 'iotmano');
}

/** The context of a command that talks to the orchestrator. @throws CliFailure when there is no token */
export function contextOf(command: Command, env: Environment): Context {
  const { url, output } = command.optsWithGlobals<{ url?: string; output?: OutputFormat }>();
  return {
    client: createClient(url ?? env['IOTMANO_URL'] ?? DEFAULT_URL, tokenOf(env)),
    format: output ?? 'table',
  };
}

function tokenOf(env: Environment): string {
  const token = env['IOTMANO_TOKEN'];
  if (token !== undefined && token !== '') return token.trim();
  const file = join(defaultDataDirectory(env), 'admin.token');
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    throw new CliFailure(
      EXIT.unauthorized,
      `there is no token: set IOTMANO_TOKEN, or let IOTMANO_DATA name the orchestrator's data directory (${file} cannot be read)`,
    );
  }
}
