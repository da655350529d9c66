import type { HostId, TenantId, VnfInstanceId } from '../../kernel/index.ts';
import type { VnfInstanceDocument } from '../domain/index.ts';
import type { PlacementRequest } from '../placement/index.ts';
import type { FunctionPackage } from './function-catalog.ts';
import { demandOf, fixedPortsOf } from './snapshot-inventory.ts';

export interface RequestInput {
  readonly vnfInstanceId: VnfInstanceId;
  readonly tenant: TenantId;
  readonly instance: Pick<VnfInstanceDocument, 'name' | 'constituent' | 'bind' | 'constraints' | 'coverage'>;
  readonly function: FunctionPackage;
  /** Instances of each unit; a unit that is absent has none. */
  readonly counts: Readonly<Record<string, number>>;
  readonly avoidHosts?: readonly HostId[];
  /** Function instances bound to this one. */
  readonly dependents: readonly VnfInstanceId[];
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
      resources: demandOf(unit),
      artifactTypes: [...new Set(unit.artifacts.map(({ type }) => type))],
      fixedPorts: fixedPortsOf(unit),
    })),
    ...(coverage === undefined ? {} : { coverage }),
    tiers: placement.tiers,
    architectures: placement.architectures,
    jurisdictions: placement.jurisdictions,
    require: [...placement.require, ...(constraints.require ?? [])],
    prefer: placement.prefer,
    ...(placement.spread === undefined ? {} : { spread: [{ by: placement.spread.by }] }),
    ...(constraints.hosts === undefined ? {} : { hosts: constraints.hosts }),
    avoidHosts: input.avoidHosts ?? [],
    providers: [...new Set(Object.values(bind))],
    dependents: input.dependents,
  };
}
