import { maxSatisfying } from 'semver';
import { checkConfig } from './check-config.ts';
import { Cursor } from './document/cursor.ts';
import { toFaults, type Finding } from './document/finding.ts';
import { didYouMean, listed } from './document/nearest.ts';
import { readDocument } from './document/read-document.ts';
import { soleReference } from './resolve-template.ts';
import { findCycle } from './rules/find-cycle.ts';
import type {
  Fault,
  IoTFunctionDescriptor,
  IoTServiceDescriptor,
  Requirement,
  ServiceConstituent,
} from './types.ts';

/** Rules that need to know which functions are onboarded. */
export const SERVICE_RULES = {
  'unknown-function': 'Every constituent is an onboarded function.',
  'unsatisfied-version': 'An onboarded version of the function is in the range of the constituent.',
  'unknown-level': 'Flavour and level of a constituent are those of its function.',
  'unknown-requirement': '`bind` names requirements of the function.',
  'unmet-requirement':
    'Every requirement that is not optional is provided by the constituent that it is bound to, or by exactly one.',
  'protocol-mismatch': 'A requirement is bound to a constituent that speaks its protocol.',
  'config-not-valid': 'The values that a service gives to a constituent are ones that the function accepts.',
} as const;

type ServiceRule = keyof typeof SERVICE_RULES | 'binding-cycle';

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
    if ('message' in found) findings.push(finding(found.rule, index, found.property, found));
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

interface Wording {
  readonly message: string;
  readonly remedy: string;
}

function finding(rule: ServiceRule, index: number, property: string, { message, remedy }: Wording): Finding {
  return { rule, pointer: `/functions/${index}${property}`, message, remedy };
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
    findings.push(finding('unknown-level', index, '/flavour', wording));
  } else if (constituent.level !== undefined && !levels.includes(constituent.level)) {
    findings.push(
      finding(
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
      findings.push(finding('config-not-valid', index, `/config${pointer}`, { message, remedy }));
  return findings;
}

function unknownName(name: string, names: readonly string[], what: string): Wording {
  return {
    message: `\`${name}\` is not ${what}`,
    remedy: `known: ${listed(names)}.${didYouMean(name, names)}`,
  };
}

function bindConstituent(
  constituent: ServiceConstituent,
  { requires }: IoTFunctionDescriptor,
  functions: ReadonlyMap<string, IoTFunctionDescriptor>,
  index: number,
): { readonly bindings: ReadonlyMap<string, string>; readonly findings: readonly Finding[] } {
  const names = requires.map(({ name }) => name);
  const findings = Object.keys(constituent.bind)
    .filter((name) => !names.includes(name))
    .map((name) =>
      finding(
        'unknown-requirement',
        index,
        `/bind/${name}`,
        unknownName(name, names, 'a requirement of the function'),
      ),
    );
  const bindings = new Map<string, string>();
  for (const requirement of requires) {
    const given = Object.hasOwn(constituent.bind, requirement.name)
      ? constituent.bind[requirement.name]
      : undefined;
    const result =
      given === undefined
        ? findProvider(requirement, constituent.name, functions)
        : checkProvider(requirement, given, functions);
    if (typeof result === 'string') bindings.set(requirement.name, result);
    else if (result !== undefined)
      findings.push(
        finding(result.rule, index, given === undefined ? '' : `/bind/${requirement.name}`, result),
      );
  }
  return { bindings, findings };
}

type Refusal = Wording & { readonly rule: ServiceRule };

/** The only constituent that can meet the requirement. */
function findProvider(
  requirement: Requirement,
  self: string,
  functions: ReadonlyMap<string, IoTFunctionDescriptor>,
): string | Refusal | undefined {
  const able = [...functions].filter(
    ([name, { provides }]) => name !== self && provides.some((item) => meets(item, requirement)),
  );
  const [only, second] = able.map(([name]) => name);
  if (only !== undefined && second === undefined) return only;
  if (only === undefined && requirement.optional) return undefined;
  const { name, capability, protocol } = requirement;
  const wanted = `\`${name}\` (${capability} over ${protocol})`;
  if (only === undefined)
    return {
      rule: 'unmet-requirement',
      message: `nothing in the service provides ${wanted}, which \`${self}\` requires`,
      remedy: 'add a function that does',
    };
  const candidates = listed(able.map(([candidate]) => candidate));
  return {
    rule: 'unmet-requirement',
    message: `several constituents provide ${wanted} for \`${self}\``,
    remedy: `say which with \`bind\`: ${candidates}`,
  };
}

function checkProvider(
  requirement: Requirement,
  provider: string,
  functions: ReadonlyMap<string, IoTFunctionDescriptor>,
): string | Refusal | undefined {
  const { provides } = functions.get(provider) ?? {};
  if (provides === undefined) return undefined;
  if (provides.some((item) => meets(item, requirement))) return provider;
  const { capability, protocol } = requirement;
  const others = provides.filter((item) => item.capability === capability).map((item) => item.protocol);
  if (others.length > 0)
    return {
      rule: 'protocol-mismatch',
      message: `\`${provider}\` provides ${capability} over ${listed(others)}, not over \`${protocol}\``,
      remedy: 'bind to another constituent, or take a function that speaks it',
    };
  return {
    rule: 'unmet-requirement',
    message: `\`${provider}\` does not provide \`${capability}\``,
    remedy: `it provides ${listed(provides.map((item) => item.capability))}`,
  };
}

function meets(
  provision: { readonly capability: string; readonly protocol: string },
  requirement: Requirement,
): boolean {
  return provision.capability === requirement.capability && provision.protocol === requirement.protocol;
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
  return [finding('binding-cycle', index, '', { message, remedy: 'remove one of these bindings' })];
}
