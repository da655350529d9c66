import type { Finding, Wording } from './document/finding.ts';
import { listed, unknownName } from './document/wording.ts';
import { serviceFinding, type ServiceRule } from './service-rules.ts';
import type { IoTFunctionDescriptor, Requirement, ServiceConstituent } from './types.ts';

/** Which constituents provide what this one requires: as `bind` says, or else the only one that can. */
export function bindConstituent(
  constituent: ServiceConstituent,
  { requires }: IoTFunctionDescriptor,
  functions: ReadonlyMap<string, IoTFunctionDescriptor>,
  index: number,
): { readonly bindings: ReadonlyMap<string, string>; readonly findings: readonly Finding[] } {
  const names = requires.map(({ name }) => name);
  const findings = Object.keys(constituent.bind)
    .filter((name) => !names.includes(name))
    .map((name) =>
      serviceFinding(
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
        serviceFinding(result.rule, index, given === undefined ? '' : `/bind/${requirement.name}`, result),
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
