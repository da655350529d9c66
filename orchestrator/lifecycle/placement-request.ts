import type { HostId, TenantId, VnfInstanceId } from '../../kernel/index.ts';
import type { VnfInstanceDocument } from '../domain/index.ts';
import type { IoTFunctionDescriptor, PlacementNear } from '../../descriptors/index.ts';
import type { Near, PlacementRequest } from '../placement/index.ts';
import type { FunctionPackage } from './function-catalog.ts';
import { identityOf } from './placement-identity.ts';
import { CORDON, demandOf, fixedPortsOf } from './snapshot-inventory.ts';

export interface RequestInput {
  readonly vnfInstanceId: VnfInstanceId;
  readonly tenant: TenantId;
  readonly instance: Pick<
    VnfInstanceDocument,
    'name' | 'constituent' | 'bind' | 'constraints' | 'coverage' | 'nsInstanceId'
  >;
  readonly function: FunctionPackage;
  /** Instances of each unit; a unit that is absent has none. */
  readonly counts: Readonly<Record<string, number>>;
  readonly avoidHosts?: readonly HostId[];
  /** With coverage: only of these hosts it is decided; absent: of all. */
  readonly coverageOn?: readonly HostId[];
  /** Where its hosts are cordoned, too: what changes there is no new placement. */
  readonly toleratesCordon?: boolean;
  /** Function instances bound to this one. */
  readonly dependents: readonly VnfInstanceId[];
  /** It replaces what is not well: it may use what is reserved on hosts. */
  readonly isHealing?: boolean;
}

/** What placement is asked for one function: its descriptor's rules and the constraints of the request. */
export function toPlacementRequest(input: RequestInput): PlacementRequest {
  const { placement, units } = input.function.descriptor;
  const { constraints, coverage, bind, name, constituent } = input.instance;
  return {
    functionId: input.vnfInstanceId,
    name: constituent ?? name,
    tenant: input.tenant,
    units: units.map((unit) => ({
      unit: unit.name,
      instances: input.counts[unit.name] ?? 0,
      resources: demandOf(unit, input.function.descriptor.run),
      artifactTypes: [...new Set(unit.artifacts.map(({ type }) => type))],
      fixedPorts: fixedPortsOf(unit),
    })),
    ...(coverage === undefined ? {} : { coverage }),
    ...(input.coverageOn === undefined ? {} : { coverageOn: input.coverageOn }),
    tiers: placement.tiers,
    architectures: placement.architectures,
    jurisdictions: placement.jurisdictions,
    require: [...placement.require, ...(constraints.require ?? [])],
    prefer: placement.prefer,
    spread: placement.spread ?? [],
    ...requirementsOf(input.function.descriptor, bind, input.toleratesCordon === true),
    usesReserve: input.isHealing === true || (placement.priority ?? 0) > 0,
    ...identityOf(input.function.descriptor, input),
    ...(constraints.hosts === undefined ? {} : { hosts: constraints.hosts }),
    avoidHosts: input.avoidHosts ?? [],
    providers: [...new Set(Object.values(bind))],
    dependents: input.dependents,
  };
}

function requirementsOf(
  { placement: { near = [], tolerate = [], objectives } }: IoTFunctionDescriptor,
  bind: RequestInput['instance']['bind'],
  toleratesCordon: boolean,
): Partial<PlacementRequest> {
  return {
    near: near.flatMap((each) => toNear(each, bind)),
    tolerates: toleratesCordon ? [...tolerate, CORDON.text] : tolerate,
    ...(objectives === undefined ? {} : { objectives }),
  };
}

/** What is bound to nothing here is nowhere: no reason to stay away from anything. */
function toNear(
  { to, maxLatencyMilliseconds, ...rest }: PlacementNear,
  bind: RequestInput['instance']['bind'],
): readonly Near[] {
  const near = { ...rest, maxMilliseconds: maxLatencyMilliseconds };
  if ('label' in to) return [{ ...near, to }];
  if ('host' in to) return [{ ...near, to: { host: to.host as HostId } }];
  const functionId = bind[to.requirement];
  return functionId === undefined ? [] : [{ ...near, to: { functionId } }];
}
