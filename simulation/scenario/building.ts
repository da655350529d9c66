import { parseSeconds } from '../../kernel/index.ts';
import { parseExpression, unknownName, type Finding } from '../../descriptors/index.ts';
import type { HostChoice, ScenarioFunction, ScenarioService } from './types.ts';

/** Reads a file that a scenario names, from the scenario's folder. @throws Error where there is none */
export type ReadFile = (path: string) => string;

/** What a scenario is built from, and where what is wrong goes. */
export interface Building {
  readonly readFile: ReadFile;
  readonly functions: readonly ScenarioFunction[];
  readonly services: readonly ScenarioService[];
  readonly found: (finding: Finding) => void;
}

/** Of a text that the schema has let through. */
export function seconds(text: string): number {
  return parseSeconds(text) ?? 0;
}

/** The function of that name, or a finding. */
export function functionNamed(
  { functions, found }: Building,
  name: string,
  pointer: string,
): ScenarioFunction | undefined {
  return named(functions, name, 'function', { found, pointer });
}

/** The service of that name, or a finding. */
export function serviceNamed(
  { services, found }: Building,
  name: string,
  pointer: string,
): ScenarioService | undefined {
  return named(services, name, 'service', { found, pointer });
}

function named<Item extends { readonly name: string }>(
  all: readonly Item[],
  name: string,
  kind: 'function' | 'service',
  { found, pointer }: Pick<Building, 'found'> & { readonly pointer: string },
): Item | undefined {
  const known = all.find((each) => each.name === name);
  if (known === undefined) {
    const names = all.map((each) => each.name);
    const wording = unknownName(name, names, `one of \`${kind}s\``);
    found({ rule: `unknown-${kind}`, pointer: `${pointer}/${kind}`, ...wording });
  }
  return known;
}

/** The hosts that an expression names, or a finding for each of its faults. */
export function choose(
  { found }: Pick<Building, 'found'>,
  text: string,
  pointer: string,
): HostChoice | undefined {
  const { expression, faults } = parseExpression(text);
  for (const { message, remedy } of faults) found({ rule: 'label-expression', pointer, message, remedy });
  return expression === undefined ? undefined : { text, expression };
}
