import { memberNameOf, RESOURCE_TYPE, type ResourceAttributes } from '../../shared/index.ts';
import policies from './attributes.json' with { type: 'json' };
import { checkValue } from './attribute-values.ts';

interface AttributePolicy {
  readonly type: string;
  readonly ltype?: string;
  /** Cardinality: `1…` attributes cannot be removed. */
  readonly car: string;
  readonly oc: string;
  readonly ou: string;
}

export type ContentResult =
  | { readonly isValid: true; readonly set: ResourceAttributes; readonly unset: readonly string[] }
  | { readonly isValid: false; readonly reason: string };

const POLICIES = policies as unknown as Readonly<Record<string, Readonly<Record<string, AttributePolicy>>>>;

/** Attributes that the standard has and this CSE does not act on: refused, so that nobody relies on them. */
const NOT_SUPPORTED: Readonly<Record<number, readonly string[]>> = {
  [RESOURCE_TYPE.container]: ['mia', 'disr'],
  [RESOURCE_TYPE.subscription]: [
    'exc',
    'gpi',
    'nfu',
    'bn',
    'rl',
    'psn',
    'pn',
    'nsp',
    'ln',
    'nec',
    'ma',
    'acrs',
    'eeno',
    'nse',
  ],
};

const RESERVED_NAMES = ['la', 'ol', 'fopt', '-', '~', '_', '.', '..'];
const NAME = /^[A-Za-z0-9._~-]{1,128}$/;

export function isSupportedType(ty: number): boolean {
  return POLICIES[String(ty)] !== undefined;
}

/** The attributes of a create request, checked against the attribute policies of the type. */
export function validateCreate(ty: number, content: unknown): ContentResult {
  const attributes = memberOf(ty, content);
  if (typeof attributes === 'string') return { isValid: false, reason: attributes };
  const table = POLICIES[String(ty)] ?? {};
  const set: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(attributes)) {
    // "cr" is asked for with null and given by the CSE.
    if (name === 'cr' && value === null && table['cr'] !== undefined) continue;
    const policy = policyOf(table, name);
    const reason = name === 'cr' ? 'must be null in a request' : faultOf(ty, policy, name, value, 'oc');
    if (reason !== undefined) return { isValid: false, reason: `${memberNameOf(ty)}/${name} ${reason}` };
    set[name] = value;
  }
  const missing = Object.entries(table).find(([name, { oc }]) => oc === 'M' && set[name] === undefined);
  if (missing !== undefined)
    return { isValid: false, reason: `${memberNameOf(ty)}/${missing[0]} is missing` };
  const reason = faultOfWhole(ty, set);
  return reason === undefined ? { isValid: true, set, unset: [] } : { isValid: false, reason };
}

/** The attributes of an update request; null removes one. */
export function validateUpdate(ty: number, content: unknown): ContentResult {
  const attributes = memberOf(ty, content);
  if (typeof attributes === 'string') return { isValid: false, reason: attributes };
  const table = POLICIES[String(ty)] ?? {};
  const set: Record<string, unknown> = {};
  const unset: string[] = [];
  for (const [name, value] of Object.entries(attributes)) {
    const policy = policyOf(table, name);
    const reason = value === null ? faultOfRemoval(policy) : faultOf(ty, policy, name, value, 'ou');
    if (reason !== undefined) return { isValid: false, reason: `${memberNameOf(ty)}/${name} ${reason}` };
    if (value === null) unset.push(name);
    else set[name] = value;
  }
  const reason = faultOfUpdate(set, unset);
  return reason === undefined ? { isValid: true, set, unset } : { isValid: false, reason };
}

/** Names come from outside: `constructor` is not an attribute because every object has it. */
function policyOf(
  table: Readonly<Record<string, AttributePolicy>>,
  name: string,
): AttributePolicy | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

function memberOf(ty: number, content: unknown): Readonly<Record<string, unknown>> | string {
  const name = memberNameOf(ty);
  const members = isRecord(content) ? Object.keys(content) : [];
  const attributes = isRecord(content) ? content[name] : undefined;
  if (members.length !== 1 || !isRecord(attributes)) return `the content must be one object "${name}"`;
  return attributes;
}

function faultOf(
  ty: number,
  policy: AttributePolicy | undefined,
  name: string,
  value: unknown,
  request: 'oc' | 'ou',
): string | undefined {
  if (policy === undefined) return 'is not an attribute of this resource type';
  if (policy[request] === 'NP') return 'is not permitted in this request';
  if (NOT_SUPPORTED[ty]?.includes(name) === true) return 'is not supported by this CSE';
  if (name === 'rn') {
    const isName = typeof value === 'string' && NAME.test(value) && !RESERVED_NAMES.includes(value);
    return isName && !/^cin[0-9a-z]{1,12}$/.test(value) ? undefined : 'is not a possible resource name';
  }
  return checkValue(value, policy.type, policy.ltype);
}

function faultOfRemoval(policy: AttributePolicy | undefined): string | undefined {
  if (policy === undefined) return 'is not an attribute of this resource type';
  if (policy.ou === 'NP') return 'is not permitted in this request';
  return policy.car.startsWith('1') ? 'cannot be removed' : undefined;
}

/** Which policies govern a resource is changed by itself, since other privileges decide on it (TS-0004 clause 7.3.3.15). */
function faultOfUpdate(set: ResourceAttributes, unset: readonly string[]): string | undefined {
  const names = [...Object.keys(set), ...unset];
  return names.includes('acpi') && names.length > 1
    ? 'acpi must be the only attribute of an update'
    : undefined;
}

function faultOfWhole(ty: number, set: Readonly<Record<string, unknown>>): string | undefined {
  if (ty === RESOURCE_TYPE.contentInstance && set['con'] === undefined) return 'm2m:cin/con is missing';
  if (ty === RESOURCE_TYPE.ae && !/^[NRr]/.test(String(set['api']))) {
    return 'm2m:ae/api must begin with N (not registered) or R (registered)';
  }
  if (ty === RESOURCE_TYPE.subscription && Array.isArray(set['nu']) && set['nu'].length === 0) {
    return 'm2m:sub/nu must not be empty';
  }
  if (
    ty === RESOURCE_TYPE.subscription &&
    set['nct'] !== undefined &&
    ![1, 2, 3].includes(Number(set['nct']))
  ) {
    return 'm2m:sub/nct must be 1, 2 or 3';
  }
  return undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
