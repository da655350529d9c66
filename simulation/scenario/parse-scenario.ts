import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import {
  hasErrors,
  readDocument,
  toFaults,
  toFindings,
  type Fault,
  type Finding,
} from '../../descriptors/index.ts';
import { buildScenario } from './build-scenario.ts';
import type { ReadFile } from './building.ts';
import type { RawScenario } from './raw-scenario.ts';
import SCHEMA from './scenario.json' with { type: 'json' };
import type { Scenario } from './types.ts';

export interface ParsedScenario {
  /** Absent where there is a fault of severity `error`. */
  readonly scenario?: Scenario;
  /** All that is wrong, in the order of the text. */
  readonly faults: readonly Fault[];
}

/** Reads a scenario in YAML or JSON. Never throws. @param options.file name of the file, for the faults */
export function parseScenario(
  text: string,
  { file, readFile }: { readonly file: string; readonly readFile: ReadFile },
): ParsedScenario {
  const { value, findings, locate } = readDocument(text);
  const wrong = value === undefined ? findings : [...findings, ...schemaFindings(value)];
  if (value === undefined || wrong.length > 0) return { faults: toFaults(wrong, file, locate) };
  const built = buildScenario(value as RawScenario, readFile);
  const faults = toFaults(built.findings, file, locate);
  return hasErrors(faults) || built.scenario === undefined
    ? { faults }
    : { scenario: built.scenario, faults };
}

const validate = new Ajv2020({
  allErrors: true,
  verbose: true,
  discriminator: true,
  useDefaults: true,
  strict: false,
}).compile(SCHEMA);

/** Writes defaults into the value. */
function schemaFindings(value: unknown): readonly Finding[] {
  if (validate(value)) return [];
  const errors: readonly ErrorObject[] = validate.errors ?? [];
  return toFindings(errors, 'the scenario');
}
