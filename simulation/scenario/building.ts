import { messageOf } from '../../kernel/index.ts';
import { parseSeconds, unknownName, type Finding } from '../../descriptors/index.ts';
import type { ScenarioFunction } from './types.ts';

/** Reads a file that a scenario names, from the scenario's folder. @throws Error where there is none */
export type ReadFile = (path: string) => string;

/** What a scenario is built from, and where what is wrong goes. */
export interface Building {
  readonly readFile: ReadFile;
  readonly functions: readonly ScenarioFunction[];
  readonly found: (finding: Finding) => void;
}

/** Of a text that the schema has let through. */
export function seconds(text: string): number {
  return parseSeconds(text) ?? 0;
}

export function unreadable(pointer: string, file: string, error: unknown): Finding {
  return {
    rule: 'unreadable-file',
    pointer,
    message: `the file ${file} cannot be read: ${messageOf(error)}`,
    remedy: 'give its path from the folder of the scenario',
  };
}

/** The function of that name, or a finding. */
export function functionNamed(
  { functions, found }: Building,
  name: string,
  pointer: string,
): ScenarioFunction | undefined {
  const known = functions.find((each) => each.name === name);
  if (known === undefined)
    found({
      rule: 'unknown-function',
      pointer: `${pointer}/function`,
      ...unknownName(
        name,
        functions.map((each) => each.name),
        'one of `functions`',
      ),
    });
  return known;
}
