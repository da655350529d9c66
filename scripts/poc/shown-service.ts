import { readFileSync, writeFileSync } from 'node:fs';
import { parse, stringify } from 'yaml';

/**
 * Leaves its aspects out of a service's descriptor file: the functions that are shown scale by themselves, and not as far as the aspects of the
 * catalogue go.
 */
export function leaveOutAspects(file: string): void {
  const { aspects: _aspects, ...rest } = parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  writeFileSync(file, stringify(rest));
}
