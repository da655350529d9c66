/** What placement sees and says. All of it is plain, immutable data: the same input gives the same plan, for ever. */
import type { HostId, TenantId, VnfInstanceId } from '../../kernel/index.ts';
import type { ArtifactType, Tier } from '../../descriptors/index.ts';
import type { HostState } from '../domain/index.ts';

export interface Resources {
  /** Thousandths of a reference core. */
  readonly cpuMillis: number;
  readonly memoryBytes: number;
  readonly storageBytes: number;
}

/** A port number that is taken on a host, or asked for: `tcp/8080`. */
export type FixedPort = `${'tcp' | 'udp'}/${number}`;

export interface PlacedUnit {
  readonly functionId: VnfInstanceId;
  readonly unit: string;
  readonly instances: number;
}

export interface HostSnapshot {
  readonly hostId: HostId;
  readonly state: HostState;
  readonly isDraining: boolean;
  readonly isDisputed: boolean;
  /** Tenants it serves; empty: all. */
  readonly tenants: readonly TenantId[];
  /** Labels and facts, as label expressions see them. */
  readonly labels: Readonly<Record<string, string>>;
  readonly tier: Tier;
  readonly architecture: string;
  readonly jurisdiction?: string;
  /** What its drivers can run. */
  readonly artifactTypes: readonly ArtifactType[];
  readonly allocatable: Resources;
  /** Of all functions that are placed there. */
  readonly used: Resources;
  readonly ports: readonly FixedPort[];
  /** Host ids or label expressions of who reaches it; absent: everybody. */
  readonly reachableFrom?: readonly string[];
  readonly placed: readonly PlacedUnit[];
}

export interface PlacementSnapshot {
  readonly hosts: readonly HostSnapshot[];
}

export interface UnitDemand {
  readonly unit: string;
  /** How many there are to be in all; those that are placed already stay. Ignored with `coverage`: one on each host. */
  readonly instances: number;
  /** Of one instance. */
  readonly resources: Resources;
  /** A host fits that can run one of them. */
  readonly artifactTypes: readonly ArtifactType[];
  readonly fixedPorts: readonly FixedPort[];
}

export interface PlacementRequest {
  readonly functionId: VnfInstanceId;
  /** For people. */
  readonly name: string;
  readonly tenant: TenantId;
  readonly units: readonly UnitDemand[];
  /** Label expression: one of each unit on every matching host. */
  readonly coverage?: string;
  /** Empty lists allow everything. */
  readonly tiers: readonly Tier[];
  readonly architectures: readonly string[];
  readonly jurisdictions: readonly string[];
  /** Label expressions that all must hold. */
  readonly require: readonly string[];
  readonly prefer: readonly { readonly expression: string; readonly weight: number }[];
  /** `host`, or the label over whose values the instances are spread. */
  readonly spreadBy?: string;
  /** Only these. */
  readonly hosts?: readonly HostId[];
  /** None of these: where a copy has just failed, or been lost. */
  readonly avoidHosts: readonly HostId[];
  /** Functions that it must be able to reach. */
  readonly providers: readonly VnfInstanceId[];
  /** Functions that must be able to reach it. */
  readonly dependents: readonly VnfInstanceId[];
}

/**
 * `together`: all instances of the functions in one domain. `apart`: no two functions share a domain; with one function
 * in the list, no two of its instances do. A domain is a host, or the value of a label (`zone`).
 */
export interface PlacementRule {
  readonly type: 'together' | 'apart';
  readonly functionIds: readonly VnfInstanceId[];
  readonly scope: string;
}

export interface PlacementProblem {
  readonly requests: readonly PlacementRequest[];
  readonly rules: readonly PlacementRule[];
}

export interface Placement {
  readonly functionId: VnfInstanceId;
  readonly unit: string;
  readonly hostId: HostId;
  readonly instances: number;
}

/** Why hosts were passed over: each host is counted once, under the first thing that it lacks. */
export interface PlacementReason {
  readonly text: string;
  readonly hosts: number;
}

export interface Shortfall {
  readonly functionId: VnfInstanceId;
  readonly name: string;
  readonly unit: string;
  /** Instances for which there is no host. */
  readonly missing: number;
  readonly consideredHosts: number;
  readonly reasons: readonly PlacementReason[];
}

export type PlacementResult =
  | {
      readonly fits: true;
      readonly additions: readonly Placement[];
      readonly removals: readonly Placement[];
      /** Hosts that `coverage` names and that cannot run it: no reason to refuse the plan. */
      readonly skipped: readonly Shortfall[];
    }
  | { readonly fits: false; readonly shortfalls: readonly Shortfall[] };
