import { IotmanoError } from '../../kernel/index.ts';
import type { IoTServiceDescriptor, ServiceConstituent } from '../../descriptors/index.ts';
import {
  countsOfLevel,
  resolveInValue,
  validateValues,
  type FunctionPackage,
  type UnitCounts,
} from '../lifecycle/index.ts';

/** A function of a service with everything decided but its place. */
export interface ResolvedConstituent {
  readonly name: string;
  readonly function: FunctionPackage;
  readonly flavour: string;
  readonly level: string;
  readonly counts: UnitCounts;
  readonly config: Readonly<Record<string, unknown>>;
  /** Requirement name → name of the constituent that provides it. */
  readonly bind: Readonly<Record<string, string>>;
  /** Constituents that have to run before it: those of `bind` that are not optional. */
  readonly after: readonly string[];
  readonly coverage?: string;
}

export interface ResolvedService {
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly constituents: readonly ResolvedConstituent[];
}

/** Which package a constituent is made of; nothing where there is none. */
export type ChoosePackage = (
  constituent: Pick<ServiceConstituent, 'name' | 'function' | 'version'>,
) => FunctionPackage | undefined;

/**
 * Turns a service descriptor and parameters into functions: packages as chosen, bindings by name or by what is required and
 * provided, configuration with the parameters put in. All that is wrong is told at once.
 * @throws IotmanoError `unprocessable`
 */
export function resolveService(
  descriptor: IoTServiceDescriptor,
  given: Readonly<Record<string, unknown>>,
  choose: ChoosePackage,
): ResolvedService {
  const parameters = validateValues(
    descriptor.parameters,
    given,
    `parameters of ${descriptor.metadata.name}`,
  );
  const packages = resolvePackages(descriptor, choose);
  const values = new Map(
    Object.entries(parameters).map(([name, value]): [string, unknown] => [`parameters.${name}`, value]),
  );
  const faults: string[] = [];
  const constituents = descriptor.functions.flatMap((constituent) => {
    try {
      return [resolveConstituent(constituent, packages, values)];
    } catch (error) {
      if (!(error instanceof IotmanoError) || error.kind !== 'invalid') throw error;
      faults.push(`${constituent.name}: ${error.message}`);
      return [];
    }
  });
  refuse(descriptor, faults);
  return { parameters, constituents };
}

function refuse({ metadata }: IoTServiceDescriptor, faults: readonly string[]): void {
  if (faults.length > 0)
    throw new IotmanoError('unprocessable', `${metadata.name} cannot be deployed: ${faults.join('; ')}`, {
      faults,
    });
}

type Packages = ReadonlyMap<string, FunctionPackage>;

function resolvePackages(descriptor: IoTServiceDescriptor, choose: ChoosePackage): Packages {
  const faults: string[] = [];
  const packages = new Map<string, FunctionPackage>();
  for (const constituent of descriptor.functions) {
    const { name, function: invariantId, version } = constituent;
    const found = choose(constituent);
    if (found === undefined)
      faults.push(`${name}: no onboarded and enabled package of ${invariantId} satisfies ${version}`);
    else packages.set(name, found);
  }
  refuse(descriptor, faults);
  return packages;
}

function resolveConstituent(
  constituent: ServiceConstituent,
  packages: Packages,
  values: ReadonlyMap<string, unknown>,
): ResolvedConstituent {
  const { name } = constituent;
  const pkg = packages.get(name);
  if (pkg === undefined) throw new IotmanoError('internal', `${name} has no package`);
  const { flavour, level, counts } = countsOfLevel(pkg.descriptor, constituent.flavour, constituent.level);
  const config = resolveInValue(constituent.config, values) as Readonly<Record<string, unknown>>;
  validateValues(pkg.descriptor.config, config, 'config');
  const bind = resolveBindings(constituent, pkg, packages);
  const after = pkg.descriptor.requires
    .filter(({ optional }) => !optional)
    .flatMap((requirement) => bind[requirement.name] ?? []);
  return {
    name,
    function: pkg,
    flavour,
    level,
    counts,
    config,
    bind,
    after: [...new Set(after)],
    ...(constituent.coverage === undefined ? {} : { coverage: constituent.coverage.each }),
  };
}

/** `bind` first; what it does not name is bound to the one constituent that provides it. */
function resolveBindings(
  { name, bind }: ServiceConstituent,
  { descriptor }: FunctionPackage,
  packages: Packages,
): Readonly<Record<string, string>> {
  const resolved: Record<string, string> = {};
  for (const { name: requirement, capability, protocol, optional } of descriptor.requires) {
    const what = `${capability} over ${protocol}`;
    const provides = (pkg: FunctionPackage | undefined) =>
      pkg?.descriptor.provides.some(
        (item) => item.capability === capability && item.protocol === protocol,
      ) === true;
    const wanted = bind[requirement];
    if (wanted !== undefined) {
      if (!provides(packages.get(wanted)))
        throw new IotmanoError('unprocessable', `bind.${requirement}: ${wanted} does not provide ${what}`);
      resolved[requirement] = wanted;
      continue;
    }
    const candidates = [...packages]
      .filter(([other, pkg]) => other !== name && provides(pkg))
      .map(([other]) => other);
    const [only, ...more] = candidates;
    if (only !== undefined && more.length === 0) resolved[requirement] = only;
    else if (more.length > 0)
      throw new IotmanoError(
        'unprocessable',
        `requires "${requirement}" (${what}), which ${candidates.join(' and ')} provide: name one in bind`,
      );
    else if (!optional)
      throw new IotmanoError(
        'unprocessable',
        `requires "${requirement}" (${what}), which no function of the service provides`,
      );
  }
  return resolved;
}
