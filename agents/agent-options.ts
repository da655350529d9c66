import type { Clock, HostId, IdSource, Logger } from '../kernel/index.ts';
import type { ArtifactSource, VimDriver } from '../vim-drivers/index.ts';
import type { TransportOptions } from './mco-client/index.ts';
import type { OwnProgram } from './upgrade/index.ts';
import type { LatencyTarget, StatedFacts } from './orchestration/index.ts';

export interface AgentOptions extends TransportOptions {
  /** What the operator says of the host. */
  readonly facts: StatedFacts;
  /** Whereto round trips are measured, for placement. */
  readonly latencyTargets?: readonly LatencyTarget[];
  readonly hostId: HostId;
  /** One-time token of an operator; needed for the first start only. */
  readonly enrolmentToken?: string | undefined;
  /** This agent's alone: identity, assignments, queues, and what the drivers keep. */
  readonly dataDirectory: string;
  /** `$XDG_RUNTIME_DIR`: where secrets may be kept in memory, if no other place is. */
  readonly runtimeDirectory?: string | undefined;
  /** Makes a new key for sealed values; what is sealed to the one before is sealed anew as soon as the orchestrator is reached. */
  readonly mustRotateSealingKey?: boolean;
  /** Makes a new key for the host, whose present one was revoked; it then has to enrol. */
  readonly mustMakeKey?: boolean;
  /** M2M-SP-ID that is expected; absent: whichever the orchestrator serves. */
  readonly m2mSpId?: string;
  /** What runs workloads here; absent: the `process` driver, in the data directory. */
  readonly openDrivers?: (context: DriverContext) => Promise<readonly VimDriver[]>;
  /** Bound of the files of functions that are kept beside what the drivers unpack. */
  readonly maxArtifactBytes?: number;
  /** Bound of the measurements that wait on disk for the orchestrator. */
  readonly maxQueueBytes?: number;
  readonly agentVersion: string;
  /** The program that this process runs, where it can be exchanged; else why it cannot. Absent: nothing is known of one. */
  readonly program?: OwnProgram | string;
  readonly clock: Clock;
  readonly ids: IdSource;
  /** Between 0 and 1, for the jitter of repetitions. */
  readonly random: () => number;
  readonly log: Logger;
  /** Ends the agents. Functions run on. */
  readonly signal: AbortSignal;
  /** Stop the functions, too, once the signal is aborted. */
  readonly mustStopFunctions?: boolean;
  /** Called once both agents run. */
  readonly onStarted?: () => void;
}

/** What a driver needs of the agent that opens it. */
export interface DriverContext {
  readonly directory: string;
  /** In memory, for secrets; undefined where the host has no such file system. */
  readonly memoryDirectory: string | undefined;
  readonly hostId: HostId;
  readonly artifacts: ArtifactSource;
  readonly clock: Clock;
  readonly log: Logger;
  readonly stated: StatedFacts;
}
