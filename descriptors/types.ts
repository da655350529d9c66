/**
 * Descriptors as the rest of the house sees them: parsed, defaults applied, quantities and durations turned into numbers.
 * `parse*` in this room is the only maker of these.
 */

import type { ScalingAspect, WrittenPolicy } from './scaling-types.ts';

/** Kinds of artifact that a driver may be able to run. */
export type ArtifactType = 'process' | 'container';

export interface ProcessArtifact {
  readonly type: 'process';
  /** Program and arguments, relative to the unpacked files; `node` is the driver's own Node. */
  readonly command: readonly string[];
  /** Path below `Artifacts/` of the package of a gzipped tar; absent: the program is on the host already. */
  readonly files?: string;
}

export interface ContainerArtifact {
  readonly type: 'container';
  readonly image: string;
  readonly command?: readonly string[];
  /** Path below `Artifacts/` of an image archive, for hosts without a registry. */
  readonly files?: string;
}

export type Artifact = ProcessArtifact | ContainerArtifact;

export interface UnitPort {
  readonly name: string;
  readonly protocol: 'tcp' | 'udp';
  /** Fixed port number; absent: the host chooses, and keeps it over restarts. */
  readonly number?: number;
  /** An external connection point of the function (a VNF extCP). */
  readonly expose: boolean;
}

export interface UnitVolume {
  readonly name: string;
  /** Where a container sees it; processes find it by `{{ volumes.NAME }}`. */
  readonly mount: string;
  readonly sizeBytes: number;
  /** Kept over restarts, healing and upgrade; implies a single writer. */
  readonly keep: boolean;
}

export type ProbeAction =
  | { readonly type: 'http'; readonly port: string; readonly path: string }
  | { readonly type: 'tcp'; readonly port: string }
  | { readonly type: 'exec'; readonly command: readonly string[] };

export interface Probe {
  readonly action: ProbeAction;
  readonly everySeconds: number;
  readonly timeoutSeconds: number;
  /** This many failures in a row count. */
  readonly failAfter: number;
}

export interface DescriptorUnit {
  readonly name: string;
  readonly artifacts: readonly Artifact[];
  readonly resources: {
    /** Thousandths of a reference core. */
    readonly cpuMillis: number;
    readonly memoryBytes: number;
    /** Countable things of the host by class; absent: none. */
    readonly devices?: Readonly<Record<string, number>>;
  };
  readonly volumes: readonly UnitVolume[];
  /** Files of the package that are written beside the function before it starts, templates resolved. */
  readonly files: readonly { readonly path: string; readonly template: string }[];
  readonly ports: readonly UnitPort[];
  /** Values may hold `{{ ports.NAME }}`, `{{ volumes.NAME }}`, `{{ config.NAME }}`, `{{ bindings.path }}`, `{{ instance.id }}`, `{{ instance.dir }}`, `{{ instance.listenAddress }}`, `{{ instance.localAddress }}`, `{{ host.id }}`, `{{ host.address }}`. */
  readonly env: Readonly<Record<string, string>>;
  /** Where the function reads its changeable configuration; absent: it has none. `reload` sends SIGHUP. */
  readonly bindings?: { readonly path: string; readonly onChange: 'reload' | 'restart' };
  readonly security: {
    readonly nonRoot: boolean;
    readonly readOnlyRoot: boolean;
    readonly capabilities: readonly string[];
  };
  readonly probes: { readonly ready?: Probe; readonly alive?: Probe };
  readonly stop: { readonly signal: 'SIGTERM' | 'SIGINT' | 'SIGQUIT'; readonly graceSeconds: number };
  readonly metrics?: {
    readonly port: string;
    readonly path: string;
    readonly indicators: readonly { readonly name: string; readonly quantile?: number }[];
    /** How often it is read. Absent: as often as the orchestrator reads all that do not say. */
    readonly everySeconds?: number;
  };
}

export interface Requirement {
  readonly name: string;
  readonly capability: string;
  readonly protocol: string;
  /** What this function asks of the provider, in the capability's own words (for a broker: subjects to publish and subscribe). Handed to the provider with the client's public key. */
  readonly access: Readonly<Record<string, unknown>>;
  /** The function is started without it, too. */
  readonly optional: boolean;
  /** What each instance sends there; absent: nothing to speak of. */
  readonly bitsPerSecond?: number;
}

export interface Provision {
  readonly capability: string;
  readonly protocol: string;
  readonly unit: string;
  readonly port: string;
}

export type Tier = 'device-edge' | 'cloud-edge' | 'cloud';

/** By measured latency. */
export interface PlacementNear {
  readonly to: { readonly host: string } | { readonly label: string } | { readonly requirement: string };
  readonly maxLatencyMilliseconds: number;
  readonly maxAgeSeconds?: number;
  /** Absent: a hard rule. */
  readonly weight?: number;
}

export interface FunctionPlacement {
  readonly tiers: readonly Tier[];
  readonly architectures: readonly string[];
  readonly near?: readonly PlacementNear[];
  readonly spread?: readonly { readonly by: string; readonly maxSkew?: number; readonly weight?: number }[];
  readonly affinities?: readonly {
    readonly type: 'together' | 'apart';
    /** Label expression over functions. */
    readonly with: string;
    readonly scope: string;
    /** Absent: a hard rule. */
    readonly weight?: number;
  }[];
  readonly tolerate?: readonly string[];
  readonly objectives?: { readonly cost: number; readonly metered: number; readonly availability: number };
  readonly priority?: number;
  readonly jurisdictions: readonly string[];
  /** Label expressions that all must hold. */
  readonly require: readonly string[];
  readonly prefer: readonly { readonly expression: string; readonly weight: number }[];
}

/** A condition that the descriptor asks to be told of. */
export interface DescriptorAlarm {
  readonly name: string;
  /** As written: `queue_depth > 500 for 30s`. */
  readonly when: string;
  readonly severity: 'CRITICAL' | 'MAJOR' | 'MINOR' | 'WARNING';
}

/** When a function of mode `schedule` runs, and what becomes of a start that cannot be made at its time. */
export interface RunSchedule {
  /** A pattern that comes. */
  readonly cron: string;
  /** IANA name, or `local`: that of the host. */
  readonly timeZone: string;
  readonly concurrency: 'forbid' | 'replace' | 'allow';
  /** Runs at once. */
  readonly atMost: number;
  readonly startWithinSeconds: number;
  readonly timeLimitSeconds?: number;
  /** How many of the last runs are told: those that have ended well, and all others. */
  readonly history: { readonly completed: number; readonly failed: number };
  /** Parameter that says, while it is true, that no run starts. */
  readonly pausedBy?: string;
}

/** For ever, once to its end, or again and again to its end. */
export type RunRule = { readonly mode: 'service' | 'job' } | ({ readonly mode: 'schedule' } & RunSchedule);

export interface IoTFunctionDescriptor {
  readonly kind: 'IoTFunctionDescriptor';
  readonly metadata: {
    readonly invariantId: string;
    /** vnfdId; where the document has none, the UUIDv5 of provider, product and versions. */
    readonly id: string;
    readonly provider: string;
    readonly productName: string;
    readonly softwareVersion: string;
    readonly descriptorVersion: string;
    readonly role: 'cse' | 'ae' | 'ipe' | 'infrastructure';
    readonly hla?: { readonly layer: string; readonly function: string };
    readonly csf: readonly string[];
  };
  readonly run: RunRule;
  readonly state: {
    readonly writers: 'many' | 'single';
    readonly schema?: number;
    readonly migratesFrom: readonly number[];
  };
  readonly offline: {
    /** What runs on when the orchestrator is away for long: all of it, or nothing after `stopAfterSeconds`. */
    readonly onDisconnect: 'keep' | 'stop-after';
    readonly stopAfterSeconds?: number;
    readonly relocate: 'allowed' | 'forbidden';
    /** Start it after a reboot without the orchestrator. */
    readonly coldBoot: boolean;
    readonly prefetch: readonly string[];
    readonly bufferBytes?: number;
  };
  readonly config: {
    /** JSON Schema 2020-12 of the parameters. */
    readonly schema: Readonly<Record<string, unknown>>;
    readonly defaults: Readonly<Record<string, unknown>>;
    readonly secrets: readonly string[];
    readonly apply: Readonly<Record<string, 'reload' | 'restart'>>;
  };
  readonly requires: readonly Requirement[];
  readonly provides: readonly Provision[];
  readonly units: readonly DescriptorUnit[];
  readonly flavours: readonly {
    readonly name: string;
    readonly levels: readonly {
      readonly name: string;
      readonly instances: Readonly<Record<string, number>>;
    }[];
  }[];
  readonly scaling: readonly ScalingAspect[];
  readonly placement: FunctionPlacement;
  readonly healing: {
    readonly restart: {
      readonly withinSeconds: number;
      readonly times: number;
      readonly backoffMinSeconds: number;
      readonly backoffMaxSeconds: number;
    };
    /** How long after the last renewal of its host's lease the function is given up and placed elsewhere. */
    readonly lostAfterSeconds: number;
  };
  readonly upgrade: {
    readonly strategy: 'rolling' | 'canary' | 'blue-green' | 'recreate';
    readonly maxUnavailable: number;
    readonly maxSurge: number;
    readonly healthyForSeconds: number;
    readonly healthyWithinSeconds?: number;
    readonly autoRollback: boolean;
    readonly waves?: readonly UpgradeWave[];
    readonly bakeSeconds?: number;
    /** At which each host fetches the files of this version at most. */
    readonly bitsPerSecond?: number;
    readonly compare?: readonly {
      readonly indicator: string;
      /** 0.5: half as much again. */
      readonly tolerance: number;
      readonly floor: number;
    }[];
  };
  readonly alarms: readonly DescriptorAlarm[];
}

/** Part of the instances, or of the hosts that are covered: one of these. */
export interface UpgradeWave {
  readonly count?: number;
  /** 0 to 1. */
  readonly share?: number;
  /** Label expression over hosts. */
  readonly label?: string;
}

export interface ServiceConstituent {
  readonly name: string;
  /** invariantId of the function. */
  readonly function: string;
  /** semver range of its software version. */
  readonly version: string;
  readonly flavour?: string;
  readonly level?: string;
  /** Requirement name → name of the constituent that provides it. */
  readonly bind: Readonly<Record<string, string>>;
  readonly config: Readonly<Record<string, unknown>>;
  /** One instance on every host whose labels match, for ever. */
  readonly coverage?: { readonly each: string };
}

/** A way in which functions of a service scale together. */
export interface ServiceAspect {
  readonly name: string;
  /** Level 1 first: how many steps of its own aspect each constituent has there. All name the same constituents. */
  readonly levels: readonly Readonly<Record<string, number>>[];
  /** In which the constituents go out; in, they go the other way round. Absent: as they are bound, providers first. */
  readonly order?: readonly string[];
  /** As written, for `buildScalingPolicy`. Absent: it is scaled by hand only. */
  readonly policy?: WrittenPolicy;
}

export interface IoTServiceDescriptor {
  readonly kind: 'IoTServiceDescriptor';
  readonly metadata: {
    readonly invariantId: string;
    /** nsdId; UUIDv5 of invariantId and version where the document has none. */
    readonly id: string;
    readonly version: string;
    readonly provider: string;
    readonly name: string;
  };
  readonly parameters: {
    readonly schema: Readonly<Record<string, unknown>>;
    readonly defaults: Readonly<Record<string, unknown>>;
  };
  readonly functions: readonly ServiceConstituent[];
  readonly aspects: readonly ServiceAspect[];
  readonly placement: readonly {
    readonly type: 'together' | 'apart';
    readonly functions: readonly string[];
    readonly scope: string;
    /** Absent: a hard rule. */
    readonly weight?: number;
  }[];
  /** Of functions that cover hosts; absent: as their own descriptors say. */
  readonly upgrade?: {
    readonly waves?: readonly UpgradeWave[];
    readonly bakeSeconds?: number;
    /** 0 to 1. */
    readonly stopAt?: number;
    readonly window?: {
      readonly fromSeconds: number;
      readonly forSeconds: number;
      readonly clock: 'local' | 'utc';
    };
    /** At which each host fetches files at most. */
    readonly bitsPerSecond?: number;
  };
}

export type Descriptor = IoTFunctionDescriptor | IoTServiceDescriptor;

/** One thing wrong with a descriptor or a package, and what to do about it. */
export interface Fault {
  /** Name of the rule, e.g. `unknown-port`; `schema` rules are `schema/<keyword>`. */
  readonly rule: string;
  /** `warning`: accepted, but the reader should know. */
  readonly severity: 'error' | 'warning';
  readonly file: string;
  /** From 1; absent where there is no text position (e.g. a missing file). */
  readonly line?: number;
  readonly column?: number;
  /** JSON pointer into the document. */
  readonly pointer: string;
  /** What was found and why it is wrong. */
  readonly message: string;
  /** What is allowed, and the nearest valid spelling where there is one. */
  readonly remedy: string;
}
