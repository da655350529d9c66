/** What placement sees and is asked. All of it is plain, immutable data: the same input gives the same plan, for ever. */
import type { HostId, TenantId, VnfInstanceId } from '../../kernel/index.ts';
import type { ArtifactType, Tier } from '../../descriptors/index.ts';
import type { HostState, Taint } from '../domain/index.ts';

export interface Resources {
  /** Thousandths of a reference core. */
  readonly cpuMillis: number;
  readonly memoryBytes: number;
  readonly storageBytes: number;
  /** Countable things by class: accelerators, serial lines. Absent: none. */
  readonly devices?: Readonly<Record<string, number>>;
}

/** A port number that is taken on a host, or asked for: `tcp/8080`. */
export type FixedPort = `${'tcp' | 'udp'}/${number}`;

/** Instances of a unit on one host, and what placement has to know of the function beside where it is. */
export interface PlacedUnit {
  readonly functionId: VnfInstanceId;
  readonly unit: string;
  readonly instances: number;
  /** Absent: 0. */
  readonly priority?: number;
  /** Of one instance; absent: it cannot be pre-empted. */
  readonly resources?: Resources;
  readonly fixedPorts?: readonly FixedPort[];
  /** Of the function, as `affinities` of others see it. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Of each instance of the function. */
  readonly flows?: readonly Flow[];
  /** Of the function: whom it is hard apart from is kept off it, too. */
  readonly affinities?: readonly Affinity[];
}

export interface LatencyMeasurement {
  /** A host, or the value of its label `zone`, or `label=value`. */
  readonly to: string;
  /** 95th percentile of the round trip. */
  readonly p95Milliseconds: number;
  /** When the snapshot was taken. */
  readonly ageSeconds: number;
}

/** The way from a host to all that is outside its zone. */
export interface Uplink {
  readonly bitsPerSecond?: number;
  readonly isMetered?: boolean;
  /** Where traffic passes through, ISO 3166; absent: not known. */
  readonly jurisdictions?: readonly string[];
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
  readonly taints?: readonly Taint[];
  readonly latencies?: readonly LatencyMeasurement[];
  readonly uplink?: Uplink;
  /** In the currency of the installation; absent: not known, as dear as the dearest. */
  readonly costPerHour?: number;
  /** Share of the recent past for which it was there, 0 to 1; absent: nothing is held against it. */
  readonly availability?: number;
}

export interface PlacementSnapshot {
  readonly hosts: readonly HostSnapshot[];
  /** Share of the allocatable CPU and memory of each host of a tier that only requests with `usesReserve` get, 0 to 1. */
  readonly reserves?: Readonly<Partial<Record<Tier, number>>>;
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

/** Instances are spread evenly over the values of a label, or over hosts. */
export interface Spread {
  /** `host`, or the name of a label. */
  readonly by: string;
  /** Hard: no domain holds more than so many instances above the one that holds least. Absent: best effort. */
  readonly maxSkew?: number;
  /** Of each instance that a domain holds already, against preferences; default 1000. */
  readonly weight?: number;
}

/**
 * Near to, or away from, functions that a label expression names: `role = cse and tenant = a`. Hard `apart` holds for both: what comes later is kept off
 * what is there.
 */
export interface Affinity {
  readonly type: 'together' | 'apart';
  /** Over the labels of functions that are placed. */
  readonly with: string;
  /** `host`, or the name of a label. */
  readonly scope: string;
  /** Best effort, with this weight; absent: hard. */
  readonly weight?: number;
}

/** By measured latency, not distance. */
export interface Near {
  readonly to:
    | { readonly host: HostId }
    /** `label=value`, or the value of the label `zone`. */
    | { readonly label: string }
    /** Where any instance of it is: the function itself, or the one that keeps the data. */
    | { readonly functionId: VnfInstanceId };
  readonly maxMilliseconds: number;
  /** Older measurements do not count; absent: any. */
  readonly maxAgeSeconds?: number;
  /** Best effort, with this weight; absent: hard. */
  readonly weight?: number;
}

/** Data that each instance sends to another function. */
export interface Flow {
  readonly to: VnfInstanceId;
  readonly bitsPerSecond: number;
}

/** What makes a host better, beside what the request prefers. Zero: of no account. */
export interface Objectives {
  /** Of the dearest host. */
  readonly cost?: number;
  /** Of a host whose uplink is paid for by volume. */
  readonly metered?: number;
  /** Of a host that was always there. */
  readonly availability?: number;
}

export interface PlacementRequest {
  readonly functionId: VnfInstanceId;
  /** For people. */
  readonly name: string;
  readonly tenant: TenantId;
  readonly units: readonly UnitDemand[];
  /** Label expression: one of each unit on every matching host. */
  readonly coverage?: string;
  /** With `coverage`: only of these hosts is it to be decided anew; what is on others stays. Absent: of all. */
  readonly coverageOn?: readonly HostId[];
  /** Empty lists allow everything. */
  readonly tiers: readonly Tier[];
  readonly architectures: readonly string[];
  readonly jurisdictions: readonly string[];
  /** Label expressions that all must hold. */
  readonly require: readonly string[];
  readonly prefer: readonly { readonly expression: string; readonly weight: number }[];
  readonly spread?: readonly Spread[];
  readonly affinities?: readonly Affinity[];
  readonly near?: readonly Near[];
  readonly flows?: readonly Flow[];
  /** Taints that do not keep it away: a whole text, or a key. */
  readonly tolerates?: readonly string[];
  readonly objectives?: Objectives;
  /** Of the function, as affinities of others see it. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Higher ones come first, and may take the place of lower ones that can be pre-empted; default 0. */
  readonly priority?: number;
  /** May use what is reserved: healing, and functions of a priority above 0. */
  readonly usesReserve?: boolean;
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
  /** Best effort, with this weight; absent: hard. */
  readonly weight?: number;
}

export interface PlacementProblem {
  readonly requests: readonly PlacementRequest[];
  readonly rules: readonly PlacementRule[];
}
