import { maxSatisfying } from 'semver';
import { checkConfig } from './check-config.ts';
import { Cursor } from './document/cursor.ts';
import { toFaults, type Finding } from './document/finding.ts';
import { listed } from './document/nearest.ts';
import { readDocument } from './document/read-document.ts';
import { bindConstituent } from './bind-constituent.ts';
import { serviceFinding, unknownName, type ServiceRule, type Wording } from './service-rules.ts';
import { soleReference } from './resolve-template.ts';
import { findCycle } from './rules/find-cycle.ts';
import type { Fault, IoTFunctionDescriptor, IoTServiceDescriptor, ServiceConstituent } from './types.ts';

/** All onboarded versions of the function with that invariantId; empty where there is none. */
export type FunctionLookup = (invariantId: string) => readonly IoTFunctionDescriptor[];

export interface CheckedService {
  readonly faults: readonly Fault[];
  /** Constituent → the highest onboarded version in its range. Complete where there is no fault. */
  readonly functions: ReadonlyMap<string, IoTFunctionDescriptor>;
  /** Constituent → requirement → constituent that provides it, given or found. */
  readonly bindings: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

/**
 * Checks a service against the functions that are onboarded now.
 * @param source text and file of the descriptor, for lines and columns in the faults
 */
export function checkService(
  service: IoTServiceDescriptor,
  lookup: FunctionLookup,
  source: { readonly text?: string; readonly file?: string } = {},
): CheckedService {
  const findings: Finding[] = [];
  const functions = new Map<string, IoTFunctionDescriptor>();
  for (const [index, constituent] of service.functions.entries()) {
    const found = resolveFunction(constituent, lookup);
    if ('message' in found) findings.push(serviceFinding(found.rule, index, found.property, found));
    else functions.set(constituent.name, found);
  }
  const bindings = new Map<string, ReadonlyMap<string, string>>();
  for (const [index, constituent] of service.functions.entries()) {
    const resolved = functions.get(constituent.name);
    if (resolved === undefined) continue;
    findings.push(...checkConstituent(constituent, resolved, index));
    const bound = bindConstituent(constituent, resolved, functions, index);
    findings.push(...bound.findings);
    bindings.set(constituent.name, bound.bindings);
  }
  findings.push(...cycle(service, bindings));
  const { locate } = readDocument(source.text ?? '');
  const faults = toFaults(findings, source.file ?? '', source.text === undefined ? () => undefined : locate);
  return { faults, functions, bindings };
}

function resolveFunction(
  { function: invariantId, version }: ServiceConstituent,
  lookup: FunctionLookup,
): IoTFunctionDescriptor | (Wording & { readonly rule: ServiceRule; readonly property: string }) {
  const onboarded = lookup(invariantId);
  const versions = onboarded.map(({ metadata }) => metadata.softwareVersion);
  const best = maxSatisfying(versions, version);
  const found = onboarded.find(({ metadata }) => metadata.softwareVersion === best);
  if (found !== undefined) return found;
  return onboarded.length === 0
    ? {
        rule: 'unknown-function',
        property: '/function',
        message: `no function \`${invariantId}\` is onboarded`,
        remedy: 'onboard a package of it first, or correct the name',
      }
    : {
        rule: 'unsatisfied-version',
        property: '/version',
        message: `no onboarded version of \`${invariantId}\` is in the range \`${version}\``,
        remedy: `onboarded: ${listed(versions)}`,
      };
}

function checkConstituent(
  constituent: ServiceConstituent,
  { flavours, config }: IoTFunctionDescriptor,
  index: number,
): Finding[] {
  const findings: Finding[] = [];
  const flavour =
    constituent.flavour === undefined
      ? flavours[0]
      : flavours.find(({ name }) => name === constituent.flavour);
  const levels = (flavour?.levels ?? []).map(({ name }) => name);
  if (flavour === undefined) {
    const wording = unknownName(
      constituent.flavour ?? '',
      flavours.map(({ name }) => name),
      'a flavour of the function',
    );
    findings.push(serviceFinding('unknown-level', index, '/flavour', wording));
  } else if (constituent.level !== undefined && !levels.includes(constituent.level)) {
    findings.push(
      serviceFinding(
        'unknown-level',
        index,
        '/level',
        unknownName(constituent.level, levels, `a level of \`${flavour.name}\``),
      ),
    );
  }
  // What comes from parameters of the service is known, and checked, when it is deployed.
  const isTemplate = (value: unknown) =>
    typeof value === 'string' && (soleReference(value) !== undefined || value.includes('{{'));
  const isFromOutside = (pointer: string) =>
    isTemplate(new Cursor(constituent.config).at(...pointer.split('/').slice(1)).value);
  const isAbsence = (rule: string) => rule === 'schema/required';
  for (const { rule, pointer, message, remedy } of checkConfig(config, constituent.config).faults)
    if (!isAbsence(rule) && !isFromOutside(pointer))
      findings.push(serviceFinding('config-not-valid', index, `/config${pointer}`, { message, remedy }));
  return findings;
}

function cycle(
  service: IoTServiceDescriptor,
  bindings: ReadonlyMap<string, ReadonlyMap<string, string>>,
): Finding[] {
  const edges = new Map([...bindings].map(([name, bound]) => [name, [...bound.values()]]));
  const found = findCycle(edges);
  if (found === undefined) return [];
  const index = service.functions.findIndex(({ name }) => name === found[0]);
  const message = `the bindings go in a circle: ${found.join(' → ')}`;
  return [serviceFinding('binding-cycle', index, '', { message, remedy: 'remove one of these bindings' })];
}
