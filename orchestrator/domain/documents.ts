/**
 * What the store holds: one document type per record kind. A document is plain JSON; times are RFC 3339; ids are of kernel/ids.
 * Host facts, lease verdicts, observed state and assignments are separate kinds, so that a heartbeat never conflicts with a plan.
 */
import type {
  HostId,
  LcmOpOccId,
  NsInstanceId,
  NsdInfoId,
  StateId,
  TenantId,
  VnfInstanceId,
  VnfPkgId,
  VimId,
  VnfcInstanceId,
} from '../../kernel/index.ts';
import type { Fault, IoTFunctionDescriptor, IoTServiceDescriptor, Tier } from '../../descriptors/index.ts';
import type { ArtifactType, UpgradeWave } from '../../descriptors/index.ts';
import type { ObservedWorkload, WantedInstance, Workload } from '../../vim-drivers/index.ts';
import type {
  AgentUpgradeState,
  HostState,
  InstantiationState,
  LcmOperationState,
  NsLcmOperationState,
  OnboardingState,
} from './states.ts';

export interface ProblemRecord {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly code: string;
}

export interface PackageArtifact {
  /** Path in the package. */
  readonly path: string;
  readonly digest: string;
  readonly sizeBytes: number;
}

interface OnboardedContent {
  readonly onboardingState: OnboardingState;
  readonly operationalState: 'ENABLED' | 'DISABLED';
  readonly userDefinedData: Readonly<Record<string, unknown>>;
  readonly createdAt: string;
  readonly onboardedAt?: string;
  /** Of the whole uploaded file. */
  readonly content?: {
    readonly digest: string;
    readonly sizeBytes: number;
    readonly mediaType: 'application/zip' | 'application/yaml';
  };
  readonly artifacts: readonly PackageArtifact[];
  readonly faults: readonly Fault[];
  readonly failure?: ProblemRecord;
}

export interface VnfPackageDocument extends OnboardedContent {
  readonly descriptor?: IoTFunctionDescriptor;
}

export interface NsDescriptorDocument extends OnboardedContent {
  readonly descriptor?: IoTServiceDescriptor;
}

/** Restrictions on placement that come with a request, over those of the descriptor. */
export interface PlacementConstraints {
  readonly require?: readonly string[];
  readonly hosts?: readonly HostId[];
}

/** Where the instances of one unit are wanted. */
export interface WantedUnit {
  readonly unit: string;
  readonly generation: number;
  readonly hosts: readonly { readonly hostId: HostId; readonly instances: readonly WantedInstance[] }[];
}

export interface Withdrawal {
  readonly hostId: HostId;
  readonly revision: number;
}

/** One copy of one unit that is wanted on one host. */
export interface WantedVnfc {
  readonly unit: string;
  readonly generation: number;
  readonly hostId: HostId;
  readonly slot: number;
  readonly epoch: number;
}

/** A copy that has left a host, or is leaving it, and has not been placed anew. */
export interface DisplacedVnfc extends WantedVnfc {
  /** Host on which room is kept for it meanwhile. */
  readonly heldOn?: HostId;
}

/** A key pair that a function shows where one of its requirements is bound. */
export interface BindingCredential {
  readonly id: string;
  readonly seed: string;
  readonly publicKey: string;
}

/** What copies of one generation are made of. */
export interface FunctionVersion {
  readonly vnfPkgId: VnfPkgId;
  readonly flavour?: string;
  readonly level?: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly bind: Readonly<Record<string, VnfInstanceId>>;
  readonly credentials: Readonly<Record<string, BindingCredential>>;
  readonly generation: number;
}

export interface VnfInstanceDocument {
  readonly name: string;
  readonly description: string;
  readonly vnfPkgId: VnfPkgId;
  readonly instantiationState: InstantiationState;
  readonly flavour?: string;
  readonly level?: string;
  /** Configuration values given by the caller, without defaults. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Names of configuration values that a version which it has, or had, calls secret: never shown, whatever later versions say. */
  readonly secretConfig?: readonly string[];
  readonly constraints: PlacementConstraints;
  /** Label expression of `coverage.each`: one instance of each unit on every matching host. */
  readonly coverage?: string;
  /** Requirement name → function instance that provides it. */
  readonly bind: Readonly<Record<string, VnfInstanceId>>;
  /** Requirement name → key pair that the function shows there. */
  readonly credentials: Readonly<Record<string, BindingCredential>>;
  /** Generation of the copies that are made of this package and configuration. Absent: that of its copies, of which there is one. */
  readonly generation?: number;
  /** The version that this one replaces, until none of its copies is wanted any more. */
  readonly replaced?: FunctionVersion;
  /** Copies that run and that those who are bound to the function are not told of: they are about to go, or do not serve yet. */
  readonly withheld?: readonly WantedVnfc[];
  readonly nsInstanceId?: NsInstanceId;
  /** Name of the constituent in the service. */
  readonly constituent?: string;
  /** Empty until instantiation is granted. Instances of all units. The assignments of hosts follow from it. */
  readonly wanted: readonly WantedUnit[];
  /** What the plan of the whole service has set aside for it: counts as used, until its own instantiation is granted with it. */
  readonly reservation?: readonly WantedUnit[];
  /**
   * Hosts from which copies were taken away, and the revision that did so: until the host has applied that revision, it may still run
   * them, or be starting them, whatever it has reported.
   */
  readonly withdrawn?: readonly Withdrawal[];
  /**
   * Copies of a single writer that leave a host which is heard: wanted nowhere until that host has confirmed that they are gone, then
   * placed elsewhere under the same slot. Here they are as they were.
   */
  readonly displaced?: readonly DisplacedVnfc[];
  /** Spec generations so far: grows with each instantiation, so that a copy left on a silent host is never taken for a new one. */
  readonly generations: number;
  /** The one operation that is under way. */
  readonly activeOpOcc?: LcmOpOccId;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** SOL003 AffectedVnfc; a copy that was replaced where it is, is MODIFIED. */
export interface AffectedVnfc {
  readonly copy: WantedVnfc;
  readonly changeType: 'ADDED' | 'REMOVED' | 'MODIFIED';
}

export interface VnfLcmOpOccDocument {
  readonly vnfInstanceId: VnfInstanceId;
  readonly operation: 'INSTANTIATE' | 'TERMINATE' | 'HEAL' | 'SCALE' | 'CHANGE_VNFPKG' | 'MODIFY_INFO';
  readonly state: LcmOperationState;
  readonly startTime: string;
  readonly stateEnteredTime: string;
  readonly isAutomaticInvocation: boolean;
  /** The request body as received. */
  readonly operationParams: Readonly<Record<string, unknown>>;
  readonly isCancelPending: boolean;
  readonly cancelMode?: 'GRACEFUL' | 'FORCEFUL';
  /** What was wanted before: what the target is computed from, again after a retry, and what a rollback goes back to. */
  readonly before?: readonly WantedUnit[];
  /** What it has changed, once it is over. */
  readonly affectedVnfcs?: readonly AffectedVnfc[];
  readonly error?: ProblemRecord;
  readonly nsLcmOpOccId?: LcmOpOccId;
  /** Of an operation that replaces one version by another. */
  readonly rollout?: RolloutRecord;
  /** Of an operation that changes configuration values which running copies take over. */
  readonly configChange?: ConfigChange;
}

/** Values that were given, without defaults. */
export interface ConfigChange {
  readonly before: Readonly<Record<string, unknown>>;
  readonly after: Readonly<Record<string, unknown>>;
}

/** How one version replaces another: the descriptor's `upgrade`, with what the request says otherwise. */
export interface RolloutPolicy {
  readonly strategy: 'rolling' | 'canary' | 'blue-green' | 'recreate';
  readonly maxUnavailable: number;
  readonly maxSurge: number;
  readonly healthyForSeconds: number;
  /** A new copy that has not been well for so long fails the gate; absent: as long as the lifecycle is patient with any operation. */
  readonly healthyWithinSeconds?: number;
  readonly autoRollback: boolean;
  /** Parts that get the new version first, one after the other, each with those before it; then comes all the rest. Absent: all at once. */
  readonly waves?: readonly UpgradeWave[];
  /** How long a part is watched before the next. */
  readonly bakeSeconds?: number;
  /** What must not be worse in the new version when a part has been watched. */
  readonly compare?: readonly IndicatorLimit[];
  /** With coverage: the share of the hosts so far on which the new version may fail without stopping it; absent: 0. */
  readonly stopAt?: number;
  /** With coverage: when hosts may be touched. */
  readonly window?: RolloutWindow;
}

/** How much higher an indicator (error rate, latency) may be in the new version. */
export interface IndicatorLimit {
  readonly indicator: string;
  /** Of what it is in the old version: 0.5 is half as much again. */
  readonly tolerance: number;
  /** Up to here it is good enough, whatever it was. */
  readonly floor: number;
}

/** Each day from a time of the day on, by the clock of the host (its label `timezone`; UTC where it has none) or by UTC. */
export interface RolloutWindow {
  readonly fromSeconds: number;
  readonly forSeconds: number;
  readonly clock: 'local' | 'utc';
}

/** An indicator in both versions, as it was when a part had been watched: the mean of the instances that have one. */
export interface IndicatorComparison extends IndicatorLimit {
  readonly old?: number;
  readonly fresh?: number;
  readonly isWorse: boolean;
}

/** What an operation that replaces a version knows beside what is wanted. */
export interface RolloutRecord {
  readonly policy: RolloutPolicy;
  /** Software version that it comes from, and goes to. */
  readonly from: string;
  readonly to: string;
  /** What the instance was before, for the record and for a way back. */
  readonly before: FunctionVersion;
  readonly target: FunctionVersion;
  /** Of a heal that moves copies that are well: which, and the hosts that were chosen for them, both by `copyName`. The version stays. */
  readonly moves?: {
    readonly copies: readonly string[];
    readonly targets: Readonly<Record<string, HostId>>;
  };
  /** No further step is begun until it is resumed; a failed gate still counts. */
  readonly isPaused?: boolean;
  /** Parts that are over. */
  readonly wavesDone?: number;
  /** Since when the part is watched, RFC 3339. */
  readonly bakingSince?: string;
  /** What was compared last. */
  readonly comparison?: readonly IndicatorComparison[];
}

export interface NsInstanceDocument {
  readonly name: string;
  readonly description: string;
  readonly nsdInfoId: NsdInfoId;
  readonly state: InstantiationState;
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Constituent name → function instance. */
  readonly constituents: Readonly<Record<string, VnfInstanceId>>;
  readonly activeOpOcc?: LcmOpOccId;
}

export interface NsLcmOpOccDocument {
  readonly nsInstanceId: NsInstanceId;
  readonly operation: 'INSTANTIATE' | 'TERMINATE' | 'HEAL' | 'UPDATE' | 'SCALE';
  readonly state: NsLcmOperationState;
  readonly startTime: string;
  readonly stateEnteredTime: string;
  readonly isAutomaticInvocation: boolean;
  readonly operationParams: Readonly<Record<string, unknown>>;
  readonly isCancelPending: boolean;
  readonly cancelMode?: 'GRACEFUL' | 'FORCEFUL';
  /** Constituent → its operation within the current attempt at this one. */
  readonly children: Readonly<Record<string, LcmOpOccId>>;
  /** On the way back: constituent → its operation that the current attempt has begun to undo. Each is undone once in an attempt. */
  readonly undone?: Readonly<Record<string, LcmOpOccId>>;
  readonly error?: ProblemRecord;
  /** Of a SCALE: decided when it was accepted, so that it means the same after any crash and retry. */
  readonly scaling?: ServiceScaling;
}

/** From which level of an aspect of a service to which. Level 0 is below the first. */
export interface ServiceScaling {
  readonly aspect: string;
  readonly from: number;
  readonly to: number;
  /** Constituent → the aspect of its own by which it is scaled, and its steps before and after. */
  readonly functions: Readonly<
    Record<string, { readonly aspect: string; readonly before: number; readonly after: number }>
  >;
}

/** One workload that one host has to run. Record id: `<hostId>.<workloadId>`. */
export interface AssignmentDocument {
  readonly hostId: HostId;
  readonly workload: Workload;
  /** The function's patience (`healing.lostAfter`): the heartbeat interval of the host is at most a third of the shortest. */
  readonly lostAfterSeconds: number;
}

/** What a host last reported of one workload. Record id as of the assignment. */
export interface ObservedDocument {
  readonly hostId: HostId;
  readonly workload: ObservedWorkload;
  /** When the report came in, RFC 3339. */
  readonly reportedAt: string;
}

/** How long a host has been away, as far as it still counts: an edge host that drops out often is a worse place. */
export interface Absence {
  /** Seconds away, those of a week ago counted half, of two weeks ago a quarter. */
  readonly awaySeconds: number;
  /** When that was counted, RFC 3339. */
  readonly at: string;
  /** Since when it is away now. */
  readonly since?: string;
}

/** Who keeps off a host: `refuse` keeps out what does not tolerate it, `avoid` makes the host worse. */
export interface Taint {
  /** `dedicated=lab`, or a key alone. */
  readonly text: string;
  readonly effect: 'refuse' | 'avoid';
}

export interface HostDocument {
  readonly state: HostState;
  readonly roles: readonly ('orchestration' | 'monitoring')[];
  /** JWK of the host's key (Ed25519); a VIM has none. */
  readonly publicKey?: Readonly<Record<string, string>>;
  /** JWK of the key (X25519) that secret values are sealed to, as the host told it with its last proof; absent: it opens none. */
  readonly sealingKey?: Readonly<Record<string, string>>;
  /** Since when an operator has taken all trust from its key: RFC 3339. It is heard again only when it is enrolled with another one. */
  readonly revokedAt?: string;
  /** `x` of keys that were revoked: none of them is ever enrolled again. */
  readonly revokedKeys?: readonly string[];
  /** The VIM connection that reaches it, where no agent speaks for it. Nothing there is ever fenced by time: a VIM keeps no lease. */
  readonly vimId?: VimId;
  readonly enrolledAt: string;
  /** Tenants it serves; empty: all. */
  readonly tenants: readonly TenantId[];
  readonly draining: boolean;
  /** Nothing is placed there; what is there stays. */
  readonly cordoned?: boolean;
  readonly disputed: boolean;
  readonly taints?: readonly Taint[];
  /** In the currency of the installation. */
  readonly costPerHour?: number;
  /** Absent: it was always there. */
  readonly absence?: Absence;
  /** Boot ids in the order in which they opened sessions, newest last, each with its counter: how a clone shows itself. */
  readonly boots: readonly { readonly bootId: string; readonly counter: number }[];
  /** The store state that the agent has pinned, and the one that an operator has confirmed for it; absent: this store's. */
  readonly stateIds?: {
    readonly pinned: string;
    readonly confirmed?: string;
    /**
     * Of a VIM: what is added to the lease number from its registration or confirmation on (seconds since the epoch then), so that the orders of a restored store
     * are newer than all that the VIM has seen of the one that was replaced.
     */
    readonly leaseBase?: number;
  };
}

export type VimType = 'docker' | 'kubernetes';

/** How a VIM is reached (SOL003 VimConnectionInfo.interfaceInfo). No secrets. */
export interface VimInterfaceInfo {
  /** docker: `unix:///path` or `tcp://host:port`; kubernetes: URL of the API server. */
  readonly endpoint?: string;
  /** PEM. */
  readonly trustedCertificates?: string;
  readonly skipCertificateVerification?: boolean;
  /** kubernetes: the cluster that the orchestrator itself runs in. */
  readonly inCluster?: boolean;
}

/** What we want to know of a VIM beyond what it says itself (SOL003 VimConnectionInfo.extra). */
export interface VimExtra {
  readonly address?: string;
  readonly reachableFrom?: readonly string[];
  readonly tier?: Tier;
  readonly labels?: Readonly<Record<string, string>>;
  /** Tenants served; absent or empty: all. */
  readonly tenants?: readonly TenantId[];
  readonly jurisdiction?: string;
  readonly infrastructureProvider?: string;
  /** docker: numbers for the ports that the host chooses. */
  readonly portRange?: readonly [from: number, to: number];
  /** kubernetes */
  readonly namespacePrefix?: string;
  /** kubernetes: of each tenant. */
  readonly quota?: {
    readonly cpuMillis?: number;
    readonly memoryBytes?: number;
    readonly storageBytes?: number;
    readonly instances?: number;
  };
}

export type VimCredentials = 'none' | 'token' | 'certificate' | 'kubeconfig';

/** A VIM that the orchestrator drives itself. Record id: `vimId`, which is also the id of its host. */
export interface VimConnectionDocument {
  readonly vimType: VimType;
  /** Whose things there are ours: the same for as long as the installation lives. */
  readonly scope: string;
  readonly interfaceInfo: VimInterfaceInfo;
  /** Which kind of credentials `sealedAccess` holds. */
  readonly credentials: VimCredentials;
  /** accessInfo as a compact JWE (`dir`, A256GCM); absent without credentials. */
  readonly sealedAccess?: string;
  readonly extra: VimExtra;
  readonly registeredAt: string;
}

/** What stays the same for as long as the installation lives, also over a restored backup. Record id: `installation`. */
export interface InstallationDocument {
  readonly installationId: string;
  readonly createdAt: string;
}

/** As the agent states it (reference point Mco, PUT facts), or the driver of a VIM does. */
export interface HostFactsDocument {
  /** Of the message that stated them, within the boot. */
  readonly sequence: number;
  readonly bootId?: string;
  readonly architecture: string;
  readonly tier: Tier;
  readonly labels: Readonly<Record<string, string>>;
  readonly drivers: readonly { readonly name: string; readonly artifactTypes: readonly ArtifactType[] }[];
  readonly cpu: { readonly cores: number; readonly score: number; readonly allocatableMillis: number };
  readonly memory: { readonly totalBytes: number; readonly allocatableBytes: number };
  readonly storage: {
    readonly totalBytes: number;
    readonly allocatableBytes: number;
    readonly medium: string;
  };
  /** From where others reach what runs there. */
  readonly address: string;
  /** Hosts or label expressions that can reach `address`; absent: everybody. */
  readonly reachableFrom?: readonly string[];
  readonly jurisdiction?: string;
  readonly infrastructureProvider?: string;
  readonly location?: Readonly<Record<string, unknown>>;
  readonly power?: string;
  readonly meteredUplink?: boolean;
  readonly uplink?: { readonly bitsPerSecond?: number; readonly jurisdictions?: readonly string[] };
  readonly devices: readonly { readonly class: string; readonly count?: number }[];
  readonly latencies: readonly {
    readonly to: string;
    readonly p95Milliseconds: number;
    readonly measuredAt: string;
  }[];
  readonly cses: readonly {
    readonly cseId: string;
    readonly cseType: string;
    readonly pointOfAccess: readonly string[];
    readonly supportedResourceTypes: readonly number[];
  }[];
  /** Empty: no agent speaks for it. */
  readonly agentVersion: string;
  /** Of the agent's own upgrade; absent: it knows of none. */
  readonly agentUpgrade?: AgentUpgradeFacts;
}

/** What an agent says of its own program, and of the newest order to exchange it. */
export interface AgentUpgradeFacts {
  readonly possible: boolean;
  /** Why not. */
  readonly reason?: string;
  /** Of the program that runs. */
  readonly digest?: string;
  readonly order?: {
    readonly orderId: string;
    readonly version: string;
    readonly state: 'PREPARING' | 'TRYING' | 'CONFIRMED' | 'ROLLED_BACK' | 'REFUSED';
    readonly reason?: string;
    readonly at: string;
  };
}

/** A program of the agent that hosts may be brought to. */
export interface AgentReleaseDocument {
  /** What it calls itself. */
  readonly version: string;
  readonly digest: string;
  readonly sizeBytes: number;
  readonly addedAt: string;
}

/** How agents are brought to a version. */
export interface AgentUpgradePolicy {
  /** Label expression over hosts; absent: all that have an agent. */
  readonly select?: string;
  /** Parts that come first, one after the other, each with those before it; then comes all the rest. */
  readonly waves: readonly UpgradeWave[];
  /** How long a part is watched before the next. */
  readonly bakeSeconds: number;
  /** Hosts on which the version may fail without stopping it. */
  readonly maxFailed: number;
  /** Hosts that are under way at a time. */
  readonly maxAtOnce: number;
  /** How long a version has to confirm, from its start on. */
  readonly confirmWithinSeconds: number;
  /** A host that is heard and has not ended its order for so long counts as failed. */
  readonly giveUpAfterSeconds: number;
  /** At which a host fetches the program at most. */
  readonly bitsPerSecond?: number;
}

/** Agents of many hosts on their way to one version. How far each host is, follows from its facts. */
export interface AgentUpgradeDocument {
  readonly agentReleaseId: string;
  readonly version: string;
  readonly artifact: { readonly digest: string; readonly sizeBytes: number };
  readonly policy: AgentUpgradePolicy;
  readonly state: AgentUpgradeState;
  readonly startTime: string;
  readonly stateEnteredTime: string;
  /** Grows with each retry: a host tries a version that failed again only under another order. */
  readonly attempt: number;
  readonly isPaused?: boolean;
  /** Parts that are over. */
  readonly wavesDone: number;
  /** Since when the part is watched, RFC 3339. */
  readonly bakingSince?: string;
  readonly error?: ProblemRecord;
}

/** The version that the agent of one host is to have. Record id: the host's. */
export interface AgentOrderDocument {
  readonly agentUpgradeId: string;
  readonly orderId: string;
  readonly version: string;
  readonly artifact: {
    readonly digest: string;
    readonly sizeBytes: number;
    readonly bitsPerSecond?: number;
  };
  readonly confirmWithinSeconds: number;
  readonly orderedAt: string;
}

/** The wanted state that a host's last report reflects: what was no longer wanted then is gone, or among what is observed there. Record id: the host's. */
export interface HostAppliedDocument {
  readonly revision: number;
}

export interface EnrolmentTokenDocument {
  /** SHA-256 of the token, hex. */
  readonly tokenHash: string;
  readonly hostId?: HostId;
  readonly tenants: readonly TenantId[];
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly usedBy?: HostId;
}

export type Role = 'admin' | 'operator' | 'viewer' | 'agent';

/** Who asks, as authenticated. A request sees the records of its tenant and nothing else. */
export interface Caller {
  readonly tenant: TenantId;
  readonly role: Role;
  readonly name: string;
  /** Of the access token, of whoever is no agent. */
  readonly tokenId?: string;
  /** Of an agent. */
  readonly hostId?: HostId;
  /** The record of an agent's session, where it has shown the token of one. */
  readonly sessionId?: string;
}

export interface AccessTokenDocument {
  readonly name: string;
  /** SHA-256 of the token, hex. */
  readonly tokenHash: string;
  readonly role: Exclude<Role, 'agent'>;
  readonly createdAt: string;
  readonly expiresAt?: string;
}

/** An agent's session: opaque token, hashed at rest. Record id: the hash. */
export interface SessionDocument {
  readonly hostId: HostId;
  readonly bootId: string;
  /** Of the agents that it is for; absent: all of the host's. */
  readonly roles?: HostDocument['roles'];
  /** Opened with the certificate of the host: its token is good on a connection that shows one, and nowhere else (RFC 8705, clause 3). */
  readonly isCertificateBound?: true;
  readonly expiresAt: string;
  /** State of the store that it was opened under, and is good for; absent in those of earlier versions. */
  readonly stateId?: StateId;
}

/** The answer that a creating request with an Idempotency-Key got. Record id: hash of tenant and key. */
export interface IdempotencyDocument {
  readonly requestHash: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly expiresAt: string;
}

export interface AlarmDocument {
  readonly source: {
    readonly hostId?: HostId;
    readonly vnfInstanceId?: VnfInstanceId;
    readonly vnfcInstanceId?: VnfcInstanceId;
    readonly zone?: string;
    readonly agentUpgradeId?: string;
  };
  readonly name: string;
  readonly severity: 'CRITICAL' | 'MAJOR' | 'MINOR' | 'WARNING' | 'INDETERMINATE' | 'CLEARED';
  readonly text: string;
  /** The condition that a descriptor declares, as written there. Absent: no descriptor declares it, or the record is older than this field. */
  readonly when?: string;
  readonly raisedAt: string;
  readonly changedAt: string;
  readonly clearedAt?: string;
}

/** What scaling knows of one aspect of a function, or of a service. Record id: `scalingAspectId`. */
export interface ScalingAspectDocument {
  /** What an operator has put in the place of the descriptor's policy, as written. */
  readonly policy?: Readonly<Record<string, unknown>>;
  /** Set by an operator: policies only look. Without an end it stands until it is released. */
  readonly hold?: { readonly since: string; readonly until?: string };
  /** What was scaled by hand before that holds nothing any more. */
  readonly releasedAt?: string;
  /** What the policy has learned and remembers; its own plain JSON. */
  readonly state?: object;
}

/** What is remembered of the runs of a schedule on a VIM. Record id: `hostId.`, then what the site controller calls it. */
export interface ScheduleDocument {
  /** The site controller's own plain JSON. */
  readonly record: object;
}

/** A host's user of NATS: who was given a JWT that is good until it expires, or is revoked. Record id: the public key as NATS names it. */
export interface NatsUserDocument {
  readonly hostId: HostId;
  /** How many operations its JWT allows; absent in those of earlier versions. */
  readonly operations?: number;
  readonly issuedAt: string;
  readonly expiresAt: string;
}

/** What an operator has switched on of diagnostics (Mco-d). One record, with the id `diagnostics`; absent: nothing. */
export interface DiagnosticsDocument {
  readonly logs: DiagnosticSwitch;
  readonly exec: DiagnosticSwitch;
}

/** When and by whom it was changed last; absent: it never was. */
export interface DiagnosticSwitch {
  readonly isOn: boolean;
  readonly changed?: {
    readonly at: string;
    /** Name of the access token. */
    readonly by: string;
  };
}

/** How a use of diagnostics has ended: as the host says (stream-end.json), or for a reason of the orchestrator's own. */
export interface DiagnosticEnd {
  readonly reason:
    | 'EXITED'
    | 'COMPLETE'
    | 'BYTES'
    | 'SECONDS'
    | 'REFUSED'
    | 'FAILED'
    | 'READER_GONE'
    | 'SWITCHED_OFF'
    | 'HOST_SILENT'
    | 'SESSION_ENDED'
    | 'RESTARTED';
  readonly exitCode?: number;
  readonly signal?: string;
  readonly detail?: string;
}

/** Who has used diagnostics on what, or has switched them; durable before it begins. Belongs to the tenant of who did it. Record id: a number that grows, with leading zeros. */
export interface AuditEntryDocument {
  readonly at: string;
  readonly user: string;
  readonly tokenId?: string;
  readonly role: Exclude<Role, 'agent'>;
  readonly action: 'logs' | 'exec' | 'switch';
  /** Of a switch. */
  readonly switched?: { readonly logs?: boolean; readonly exec?: boolean };
  /** Of a use. */
  readonly subject?: {
    readonly streamId: string;
    readonly hostId: HostId;
    readonly vnfInstanceId: VnfInstanceId;
    readonly vnfcInstanceId: VnfcInstanceId;
    /** Name of the copy on its host. */
    readonly copy: string;
    readonly command?: readonly string[];
  };
  /** Of a use that is over. */
  readonly end?: DiagnosticEnd & {
    readonly at: string;
    readonly outputBytes: number;
    readonly inputBytes: number;
  };
}

/** record kind → document */
export interface RecordDocuments {
  'vnf-package': VnfPackageDocument;
  'ns-descriptor': NsDescriptorDocument;
  'vnf-instance': VnfInstanceDocument;
  'vnf-lcm-op-occ': VnfLcmOpOccDocument;
  'ns-instance': NsInstanceDocument;
  'ns-lcm-op-occ': NsLcmOpOccDocument;
  assignment: AssignmentDocument;
  observed: ObservedDocument;
  host: HostDocument;
  'host-facts': HostFactsDocument;
  'host-applied': HostAppliedDocument;
  'enrolment-token': EnrolmentTokenDocument;
  'access-token': AccessTokenDocument;
  session: SessionDocument;
  'nats-user': NatsUserDocument;
  idempotency: IdempotencyDocument;
  alarm: AlarmDocument;
  'scaling-aspect': ScalingAspectDocument;
  schedule: ScheduleDocument;
  'vim-connection': VimConnectionDocument;
  'agent-release': AgentReleaseDocument;
  'agent-upgrade': AgentUpgradeDocument;
  'agent-order': AgentOrderDocument;
  installation: InstallationDocument;
  diagnostics: DiagnosticsDocument;
  'audit-entry': AuditEntryDocument;
}

export type RecordKind = keyof RecordDocuments;
