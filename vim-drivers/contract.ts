/**
 * The contract between what decides (planners, through a site controller) and what runs workloads (one driver per kind of host).
 * A driver never decides: it makes a host be as the workload says, reports what is, and refuses commands of a deposed leader.
 */
import {
  IOTMANO_NAMESPACE,
  uuidV5,
  type HostId,
  type TenantId,
  type VnfcInstanceId,
  type VnfInstanceId,
} from '../kernel/index.ts';
import type { ArtifactType, Probe, RunRule, Tier, UnitPort, UnitVolume } from '../descriptors/index.ts';

/** Which workload: one VDU of one function at one spec generation. Two generations may live side by side on a host. */
export interface WorkloadKey {
  readonly tenant: TenantId;
  readonly vnfInstanceId: VnfInstanceId;
  /** Name of the unit (VDU) in the descriptor. */
  readonly unit: string;
  readonly generation: number;
}

declare const workloadIdBrand: unique symbol;
/** `WorkloadKey` as one string of `[a-z0-9-]`, at most 100 characters: the deterministic base of every resource name. */
export type WorkloadId = string & { readonly [workloadIdBrand]: true };

export function workloadId(key: WorkloadKey): WorkloadId {
  return `${key.vnfInstanceId}-${key.unit}-g${key.generation}` as WorkloadId;
}

/** What the instance in a slot is called on its host. */
export function instanceName(key: WorkloadKey, slot: number): string {
  return `${workloadId(key)}-${slot}`;
}

/** Id of the VNFC instance of that name, in APIs and in bindings; the same slot on another host is another VNFC instance. */
export function instanceId(hostId: HostId, name: string): VnfcInstanceId {
  return uuidV5(IOTMANO_NAMESPACE, `${hostId}/${name}`) as VnfcInstanceId;
}

/** A file of a package, by content. */
export interface ArtifactReference {
  /** `sha256:<hex>` of the file. */
  readonly digest: string;
  readonly sizeBytes: number;
  /** At which a host fetches it at most. */
  readonly bitsPerSecond?: number;
}

export type WorkloadArtifact =
  | { readonly type: 'process'; readonly command: readonly string[]; readonly files?: ArtifactReference }
  | {
      readonly type: 'container';
      /** Name of the image, as the host knows it or can fetch it. */
      readonly image: string;
      readonly command?: readonly string[];
      /** An archive of the image (`docker save`, OCI), for hosts that can load one. */
      readonly files?: ArtifactReference;
    };

/** Everything that is fixed for the life of an instance; a change of it is a new generation. */
export interface WorkloadSpec {
  readonly artifact: WorkloadArtifact;
  /** `schedule` is the site controller's: each run of it is a `job` for the driver. */
  readonly run: RunRule;
  readonly resources: { readonly cpuMillis: number; readonly memoryBytes: number };
  readonly volumes: readonly UnitVolume[];
  /** Written beside the function before it starts. Content may hold the templates that `env` may. */
  readonly files: readonly { readonly path: string; readonly content: string }[];
  readonly ports: readonly UnitPort[];
  /** Only what the host alone knows is still a template: `{{ ports.* }}`, `{{ volumes.* }}`, `{{ bindings.path }}`, `{{ instance.* }}`, `{{ host.id }}`, `{{ host.address }}`. */
  readonly env: Readonly<Record<string, string>>;
  readonly bindings?: { readonly path: string; readonly onChange: 'reload' | 'restart' };
  readonly security: {
    readonly nonRoot: boolean;
    readonly readOnlyRoot: boolean;
    readonly capabilities: readonly string[];
  };
  readonly probes: { readonly ready?: Probe; readonly alive?: Probe };
  readonly stop: { readonly signal: 'SIGTERM' | 'SIGINT' | 'SIGQUIT'; readonly graceSeconds: number };
  readonly restart: {
    readonly withinSeconds: number;
    readonly times: number;
    readonly backoffMinSeconds: number;
    readonly backoffMaxSeconds: number;
  };
  readonly metrics?: { readonly port: string; readonly path: string };
  /** Dead-man's rule: stop the instances this long after the host's lease was last renewed, even without the agent. */
  readonly stopAfterSeconds?: number;
  /** Start after a reboot of the host before the orchestrator was heard. */
  readonly coldBoot: boolean;
}

/** Where something that a function requires is reached. */
export interface BoundEndpoint {
  readonly host: string;
  readonly port: number;
  /** Id of the VNFC instance that answers there. */
  readonly instance: string;
}

/** The content of a function's bindings file: what may change while it runs. Replaced atomically. */
export interface Bindings {
  /** Configuration values, defaults applied. */
  readonly config: Readonly<Record<string, unknown>>;
  /** By requirement name. */
  readonly requires: Readonly<
    Record<
      string,
      {
        readonly capability: string;
        readonly protocol: string;
        readonly endpoints: readonly BoundEndpoint[];
        /** What this function shows to the provider: an Ed25519 key of its own for this binding. `seed`: 32 bytes, base64url. Secret. */
        readonly credential?: { readonly id: string; readonly seed: string };
      }
    >
  >;
  /** For a provider: who may use it. */
  readonly clients: readonly {
    readonly id: string;
    readonly capability: string;
    /** Ed25519 public key, 32 bytes, base64url. */
    readonly publicKey: string;
    /** The client's `requires.access`. */
    readonly access: Readonly<Record<string, unknown>>;
    /** invariantId of the client's descriptor. */
    readonly function: string;
  }[];
}

/** One running copy that is wanted. A higher epoch than the running one's means: replace that copy (operator's heal). */
export interface WantedInstance {
  readonly slot: number;
  readonly epoch: number;
}

export interface Workload {
  readonly key: WorkloadKey;
  /** For people: names of function and service. */
  readonly labels: Readonly<Record<string, string>>;
  readonly spec: WorkloadSpec;
  /** `sha256:<hex>` of the canonical spec. */
  readonly specHash: string;
  readonly instances: readonly WantedInstance[];
  readonly bindings: Bindings;
}

/** Who commands: a driver refuses a pair older than it has seen (error `stale-lease`). */
export interface Fence {
  readonly leaseNumber: number;
  readonly revision: number;
}

/** States of a VNFC instance as a host sees it; LOST is the orchestrator's own verdict. SCHEDULED is the site controller's: between two runs. */
export type ObservedState =
  | 'SCHEDULED'
  | 'PENDING'
  | 'STARTING'
  | 'RUNNING'
  | 'UNHEALTHY'
  | 'STOPPING'
  | 'STOPPED'
  | 'COMPLETED'
  | 'FAILED';

export interface ObservedInstance {
  readonly slot: number;
  readonly epoch: number;
  readonly state: ObservedState;
  /** RFC 3339: when it entered the state. */
  readonly since: string;
  /** Starts after the first one, in this epoch. */
  readonly restarts: number;
  /** In words that an operator understands: "exited with code 1", "out of memory (limit 128 MiB)", "port 8080 is taken". */
  readonly reason?: string;
  readonly exitCode?: number;
  /** Resolved port numbers by port name. */
  readonly ports: Readonly<Record<string, number>>;
  readonly pid?: number;
}

export interface ObservedWorkload {
  readonly key: WorkloadKey;
  readonly specHash: string;
  readonly instances: readonly ObservedInstance[];
  /** Why the workload as a whole cannot be made so (artifact missing, refused, disk full). */
  readonly problem?: string;
  /** Of a workload of mode `schedule`, from the site controller; no driver tells it. */
  readonly schedule?: ScheduleReport;
}

/** How the runs of a schedule went on this host. */
export interface ScheduleReport {
  /** RFC 3339; absent while it is paused, and where no time comes any more. */
  readonly nextAt?: string;
  readonly isPaused: boolean;
  /** Starts that could not be made, since the host took the schedule over; of a time in which the host was off for long, at least so many. */
  readonly missed: number;
  /** The newest first: those that are going, and as many of those that are over as `history` says. */
  readonly runs: readonly ScheduledRun[];
}

export type ScheduledRunState =
  /** Its start was ordered, and has not come about yet. */
  | 'DUE'
  | 'RUNNING'
  | 'COMPLETED'
  /** Given up, after the restarts that `restart` allows. */
  | 'FAILED'
  /** Stopped at `timeLimitSeconds`. */
  | 'TOO_LONG'
  /** Stopped for another run. */
  | 'REPLACED'
  /** Stopped with the function, or for another version of it. */
  | 'STOPPED'
  /** Never started. */
  | 'MISSED';

/** One run of a schedule: all instances of the workload that started together. */
export interface ScheduledRun {
  /** RFC 3339: its time by the schedule; of one that an operator has asked for, when that was heard. */
  readonly scheduledAt: string;
  readonly cause: 'SCHEDULE' | 'OPERATOR';
  readonly state: ScheduledRunState;
  readonly startedAt?: string;
  readonly endedAt?: string;
  readonly reason?: string;
  /** Of the instance that failed. */
  readonly exitCode?: number;
}

export interface DriverCapabilities {
  readonly driver: string;
  readonly artifactTypes: readonly ArtifactType[];
  readonly volumes: boolean;
  readonly fixedPorts: boolean;
  /** How CPU and memory limits are enforced. */
  readonly limits: { readonly memory: 'enforced' | 'none'; readonly cpu: 'enforced' | 'shares' | 'none' };
  readonly isolation: 'none' | 'process' | 'container';
}

export interface HostInventory {
  readonly hostId: HostId;
  readonly architecture: string;
  readonly tier?: Tier;
  readonly labels: Readonly<Record<string, string>>;
  readonly capacity: {
    readonly cpuMillis: number;
    readonly memoryBytes: number;
    readonly storageBytes: number;
  };
  readonly allocatable: {
    readonly cpuMillis: number;
    readonly memoryBytes: number;
    readonly storageBytes: number;
  };
  /** From where others reach what runs here. */
  readonly address: string;
  /** The machines behind it, where the platform chooses among several by itself. */
  readonly members?: readonly HostMember[];
}

/** One machine of a platform that places instances by itself. */
export interface HostMember {
  readonly name: string;
  /** Takes instances now. */
  readonly isReady: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly allocatable: HostInventory['allocatable'];
}

export interface WorkloadUsage {
  readonly instances: readonly {
    readonly slot: number;
    /** CPU time used since the instance started, seconds. */
    readonly cpuSeconds: number;
    readonly memoryBytes: number;
    readonly restarts: number;
    readonly receivedBytes?: number;
    readonly sentBytes?: number;
  }[];
}

export interface LogOptions {
  readonly slot: number;
  readonly follow: boolean;
  /** Only the last so many lines. */
  readonly tailLines?: number;
  readonly signal?: AbortSignal;
}

export interface VimDriver {
  capabilities(): Promise<DriverCapabilities>;
  inventory(): Promise<readonly HostInventory[]>;
  /**
   * Makes the host run exactly this workload: creates, updates bindings and number of instances, replaces copies of an older epoch.
   * Idempotent. Returns when the host has taken it over, not when instances are ready.
   * @throws IotmanoError `stale-lease`, `artifact-unusable`, `driver-failed`, or a transient one
   */
  apply(workload: Workload, fence: Fence): Promise<void>;
  /**
   * Stops the instances (signal, then `graceSeconds`, then kill) and forgets the workload; returns when nothing of it is left but kept volumes.
   * Idempotent: an unknown key is not an error.
   */
  remove(
    key: WorkloadKey,
    fence: Fence,
    options?: { readonly graceSeconds?: number; readonly deleteKeptVolumes?: boolean },
  ): Promise<void>;
  /** What is, including what an earlier run of ours has left; never what is not ours. */
  list(): Promise<readonly ObservedWorkload[]>;
  /** Calls back after something may have changed. A hint only: `list` is the truth. Returns the end of watching. */
  watch(onChange: () => void): () => void;
  usage(key: WorkloadKey): Promise<WorkloadUsage>;
  /** Bytes of stdout and stderr. */
  logs(key: WorkloadKey, options: LogOptions): AsyncIterable<Uint8Array>;
}

/** Optional: a driver that stops instances by itself when the lease is not renewed (dead-man's rule). */
export interface LeaseKeeper {
  /**
   * The host's lease was renewed: the orchestrator was heard, too. Must be called at least every `stopAfterSeconds` / 3.
   * What runs may run on from here. What the rule has stopped, or a reboot holds back, starts only with the next `apply` after this: the
   * wanted state may no longer have it, and a single writer must not come back for even a moment.
   * @param sentAtMonotonic `Clock.monotonic()` when the renewal was *sent*: the orchestrator counts from no later than that; absent: now
   */
  renewed(sentAtMonotonic?: number): Promise<void>;
}

/** Optional: a driver that holds resources of its own in this process (watches, probes, timers). Workloads run on. */
export interface Closable {
  close(): Promise<void>;
}

/** Optional: a driver that asks its instances for their metrics itself, where nobody else reaches their ports. */
export interface MetricsReader {
  /** The body of `GET path` at that port of the instance; undefined when it cannot be had now, whatever the reason. */
  readMetrics(
    key: WorkloadKey,
    slot: number,
    from: NonNullable<WorkloadSpec['metrics']>,
    signal: AbortSignal,
  ): Promise<string | undefined>;
}

/** What a command does, in order; `exit` is the last. */
export type CommandEvent =
  | { readonly type: 'stdout' | 'stderr'; readonly bytes: Uint8Array }
  /** Ended by itself with a code, or by a signal (`SIGKILL`). */
  | { readonly type: 'exit'; readonly exitCode?: number; readonly signal?: string };

export interface CommandOptions {
  readonly slot: number;
  /** Program and arguments; no shell reads them. */
  readonly command: readonly string[];
  /** Standard input, to its end; absent: empty. */
  readonly input?: AsyncIterable<Uint8Array>;
  readonly signal: AbortSignal;
}

/** Optional: a driver that runs commands beside the programs of its instances, for people who look for faults. */
export interface CommandRunner {
  /**
   * Runs a command in the context of an instance that runs: its user, environment, working directory, files and namespaces, and bounds of its resources. It is none of the instance's own processes:
   * its end, its output and its use of resources are not counted there. Output waits for its reader. The command ends, with all that it has started, when
   * its program has ended, when the signal aborts, when nobody reads any more, when the instance ends, and, where the platform lets it, with this process. A program that is not there ends with code 127, one that cannot be run
   * with 126, as in a shell.
   * @throws IotmanoError `not-found` where there is no such instance, `conflict` where it does not run, or a transient one
   */
  exec(key: WorkloadKey, options: CommandOptions): AsyncIterable<CommandEvent>;
}

/** Where a driver gets the files of an artifact. */
export interface ArtifactSource {
  /**
   * Path of a local, verified, read-only copy of the file with that digest; fetched first where it is not there.
   * @throws IotmanoError transient when it cannot be fetched now, `artifact-unusable` when the content does not match
   */
  open(reference: ArtifactReference, signal?: AbortSignal): Promise<string>;
}

export function isLeaseKeeper(driver: VimDriver): driver is VimDriver & LeaseKeeper {
  return 'renewed' in driver;
}

export function isClosable(driver: VimDriver): driver is VimDriver & Closable {
  return 'close' in driver;
}

export function isMetricsReader(driver: VimDriver): driver is VimDriver & MetricsReader {
  return 'readMetrics' in driver;
}

export function isCommandRunner(driver: VimDriver): driver is VimDriver & CommandRunner {
  return 'exec' in driver;
}
