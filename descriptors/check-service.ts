import { maxSatisfying } from 'semver';
import { checkConfig } from './check-config.ts';
import { checkServiceAspects } from './check-service-aspects.ts';
import { Cursor, pointerTokens } from './document/cursor.ts';
import { toFaults, type Finding, type Wording } from './document/finding.ts';
import { listed, unknownName } from './document/wording.ts';
import { readDocument } from './document/read-document.ts';
import { bindConstituent } from './bind-constituent.ts';
import { serviceFinding, type ServiceRule } from './service-rules.ts';
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
    findings.push(...checkLevel(constituent, resolved, index));
    findings.push(...checkConstituentConfig(constituent, resolved, index));
    const bound = bindConstituent(constituent, resolved, functions, index);
    findings.push(...bound.findings);
    bindings.set(constituent.name, bound.bindings);
  }
  findings.push(...findBindingCycle(service, bindings), ...checkServiceAspects(service, functions));
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

function checkLevel(
  { flavour: wanted, level }: ServiceConstituent,
  { flavours }: IoTFunctionDescriptor,
  index: number,
): Finding[] {
  const flavour = wanted === undefined ? flavours[0] : flavours.find(({ name }) => name === wanted);
  if (flavour === undefined) {
    const names = flavours.map(({ name }) => name);
    const wording = unknownName(wanted ?? '', names, 'a flavour of the function');
    return [serviceFinding('unknown-level', index, '/flavour', wording)];
  }
  const levels = flavour.levels.map(({ name }) => name);
  if (level === undefined || levels.includes(level)) return [];
  const wording = unknownName(level, levels, `a level of \`${flavour.name}\``);
  return [serviceFinding('unknown-level', index, '/level', wording)];
}

/** What comes from parameters of the service is known, and checked, when it is deployed. */
function checkConstituentConfig(
  constituent: ServiceConstituent,
  { config }: IoTFunctionDescriptor,
  index: number,
): Finding[] {
  const given = new Cursor(constituent.config);
  const isTemplate = (pointer: string) => given.at(...pointerTokens(pointer)).text?.includes('{{') === true;
  return checkConfig(config, constituent.config)
    .faults.filter(({ rule, pointer }) => rule !== 'schema/required' && !isTemplate(pointer))
    .map((fault) => serviceFinding('config-not-valid', index, `/config${fault.pointer}`, fault));
}

function findBindingCycle(
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
