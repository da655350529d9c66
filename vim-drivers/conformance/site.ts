/** What the suite needs of the world around a driver. */
import type { ObservedInstance, VimDriver, WorkloadArtifact, WorkloadKey } from '../contract.ts';

/** One host with one driver on it, for the length of a test. */
export interface ConformanceSite {
  readonly driver: VimDriver;
  /** Ends the driver and opens it anew on the same host; `driver` is the new one. */
  reopen(): Promise<void>;
  /** An artifact that runs this command of the host (`sh` and `node` are there). */
  artifact(command: readonly string[]): WorkloadArtifact;
  /** Ends an instance by hand, as if it had crashed. */
  crash(key: WorkloadKey, instance: ObservedInstance): Promise<void>;
  /** Takes away all that makes up an instance, with the platform's own tool, as somebody who knows nothing of us might. Absent: the target says why. */
  takeAway?(key: WorkloadKey, slot: number): Promise<void>;
  /** Which run of a program is in the slot: a text that no other start on this host ever has. Undefined: none runs. */
  runOf(key: WorkloadKey, slot: number): Promise<string | undefined>;
  /** Puts something on the host that is not ours; tells whether it is still there. */
  plantForeign(): Promise<() => Promise<boolean>>;
  /** Names of everything on the host that belongs to the workloads, kept volumes excepted. */
  traces(...keys: readonly WorkloadKey[]): Promise<readonly string[]>;
  /** What the suite can ask of a site where programs really run. */
  readonly programs?: ProgramSite;
  /** Stops the engine, or the way to it, waits until the driver has noticed, and starts it again. Absent: the target says why. */
  interruptEngine?(): Promise<void>;
  close(): Promise<void>;
}

/** The world around programs that really run. */
export interface ProgramSite {
  /** Sends a signal to the program of a slot, by other means than the driver's. */
  signal(key: WorkloadKey, slot: number, name: NodeJS.Signals): Promise<void>;
  /** An artifact that names what is not there. */
  missingArtifact(): WorkloadArtifact;
  /** Memory in use and CPU time so far as the platform's own tool tells them. */
  usageByTool(
    key: WorkloadKey,
    slot: number,
  ): Promise<{ readonly memoryBytes: number; readonly cpuSeconds: number }>;
  /** An address of the host where a program of the test can take a fixed port away, and a connection finds the ports of instances. */
  readonly address: string;
  /** What whoever may look at workloads is shown of this one by the platform's tool: names, labels, command lines, specs; not files and secrets. */
  shownByTool(key: WorkloadKey): Promise<string>;
}

/** What the suite asks of most targets but not of all: a target names what it is `without`, and why. */
export type Ability =
  /** An instance that no machine has room for waits, and says so. */
  | 'admission'
  /** A program that is not the driver's may hold a fixed port: that is noticed. */
  | 'foreign-ports'
  /** The options of `remove` reach the host. */
  | 'remove-options'
  /** `takeAway` of the site. */
  | 'take-away'
  /** `interruptEngine` of the site. */
  | 'interruption'
  /** The driver is a `CommandRunner`. */
  | 'commands'
  /** Its commands are told when their standard input has ended. */
  | 'command-input';

export interface ConformanceTarget {
  readonly name: string;
  /** The driver is a `LeaseKeeper`. */
  readonly keepsLease: boolean;
  /** How long the platform may take for what a process host does at once: the suite waits this many times longer. */
  readonly slowness?: number;
  /** How many workloads come and go at once; absent: 200. Fewer where the machine of the test has no room for them. */
  readonly crowd?: number;
  /** Why it is without that ability. Its tests are shown as skipped, with this reason. */
  readonly without?: Readonly<Partial<Record<Ability, string>>>;
  open(): Promise<ConformanceSite>;
}
