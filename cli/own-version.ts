import { readFileSync } from 'node:fs';
import { AGENT_PROGRAM_HEAD_BYTES, parseAgentProgram } from '../kernel/index.ts';

/**
 * What the packed agent says of itself in its first line; else the version of the package that this file belongs to: two folders up in a built
 * package, one in a checkout.
 */
export function ownVersion(): string {
  const head = readFileSync(import.meta.filename).toString('utf8', 0, AGENT_PROGRAM_HEAD_BYTES);
  const own = parseAgentProgram(head);
  if (own !== undefined) return own.version;
  for (const up of ['../package.json', '../../package.json']) {
    try {
      return (JSON.parse(readFileSync(new URL(up, import.meta.url), 'utf8')) as { version: string }).version;
    } catch {
      continue;
    }
  }
  return '0.0.0';
}
