/** What the conformance suite needs of the world around a driver, and the workloads that it applies there. */
import { createHash } from 'node:crypto';
import { vi } from 'vitest';
import { DEFAULT_TENANT, type VnfInstanceId } from '../kernel/index.ts';
import {
  isLeaseKeeper,
  workloadId,
  type Bindings,
  type Fence,
  type ObservedInstance,
  type ObservedWorkload,
  type VimDriver,
  type Workload,
  type WorkloadArtifact,
  type WorkloadKey,
  type WorkloadSpec,
} from './contract.ts';

/** One host with one driver on it, for the length of a test. */
export interface ConformanceSite {
  readonly driver: VimDriver;
  /** Ends the driver and opens it anew on the same host; `driver` is the new one. */
  reopen(): Promise<void>;
  /** An artifact that runs this command of the host (`sh` and `node` are there). */
  artifact(command: readonly string[]): WorkloadArtifact;
  /** Ends an instance by hand, as if it had crashed. */
  crash(key: WorkloadKey, instance: ObservedInstance): Promise<void>;
  /** Which run of a program is in the slot: another text after every start of it. Undefined: none runs. */
  runOf(key: WorkloadKey, slot: number): Promise<string | undefined>;
  /** Puts something on the host that is not ours; tells whether it is still there. */
  plantForeign(): Promise<() => Promise<boolean>>;
  /** Names of everything on the host that belongs to the workloads, kept volumes excepted. */
  traces(...keys: readonly WorkloadKey[]): Promise<readonly string[]>;
  /** What the suite can ask of a site where programs really run. */
  readonly programs?: ProgramSite;
  /** Stops the engine, or the way to it, waits until the driver has noticed, and starts it again. Absent: there is none beside the host. */
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
}

export interface ConformanceTarget {
  readonly name: string;
  /** The driver is a `LeaseKeeper`. */
  readonly keepsLease: boolean;
  /** How long the platform may take for what a process host does at once: the suite waits this many times longer. */
  readonly slowness?: number;
  open(): Promise<ConformanceSite>;
}

const slownessOf = new WeakMap<ConformanceSite, number>();

/** Has everything that waits at this site wait that many times longer. */
export function setSlowness(site: ConformanceSite, slowness: number): void {
  slownessOf.set(site, slowness);
}

/** How long to wait at this site for what a process host does within that time. */
export function patience(site: ConformanceSite, milliseconds: number): number {
  return milliseconds * (slownessOf.get(site) ?? 1);
}

let lastInstance = 0;
let lastRevision = 0;

export const NO_BINDINGS: Bindings = { config: {}, requires: {}, clients: [] };

/** A fence newer than every one before it. */
export function nextFence(): Fence {
  lastRevision += 1;
  return { leaseNumber: 1, revision: lastRevision };
}

export function newKey(generation = 1): WorkloadKey {
  lastInstance += 1;
  const vnfInstanceId = `c${process.pid}-${lastInstance}` as VnfInstanceId;
  return { tenant: DEFAULT_TENANT, vnfInstanceId, unit: 'main', generation };
}

/** Runs until it is told to stop. */
const SLEEPER: readonly string[] = shell('echo up');

/** A shell that does this first, and then stays until it is told to stop: also as the first process of a container, which no signal ends by default. */
export function shell(script: string, ...words: readonly string[]): readonly string[] {
  const stay = 'sleep 600 & while kill -0 $! 2>/dev/null; do wait $!; done';
  return ['sh', '-c', `trap 'exit 0' TERM; ${script}; ${stay}`, 'sh', ...words];
}

export interface WorkloadOptions {
  readonly key?: WorkloadKey;
  readonly command?: readonly string[];
  readonly slots?: readonly number[];
  readonly epoch?: number;
  readonly bindings?: Bindings;
  readonly spec?: Partial<WorkloadSpec>;
}

export function sampleWorkload(
  site: Pick<ConformanceSite, 'artifact'>,
  options: WorkloadOptions = {},
): Workload {
  const spec: WorkloadSpec = {
    artifact: site.artifact(options.command ?? SLEEPER),
    run: { mode: 'service' },
    resources: { cpuMillis: 100, memoryBytes: 64 * 1024 ** 2 },
    volumes: [],
    files: [],
    ports: [],
    env: {},
    security: { nonRoot: false, readOnlyRoot: false, capabilities: [] },
    probes: {},
    stop: { signal: 'SIGTERM', graceSeconds: 5 },
    restart: { withinSeconds: 60, times: 3, backoffMinSeconds: 0.05, backoffMaxSeconds: 1 },
    coldBoot: true,
    ...options.spec,
  };
  return {
    key: options.key ?? newKey(),
    labels: {},
    spec,
    specHash: `sha256:${createHash('sha256').update(JSON.stringify(spec)).digest('hex')}`,
    instances: (options.slots ?? [0]).map((slot) => ({ slot, epoch: options.epoch ?? 1 })),
    bindings: options.bindings ?? NO_BINDINGS,
  };
}

export async function find(
  site: Pick<ConformanceSite, 'driver'>,
  key: WorkloadKey,
): Promise<ObservedWorkload | undefined> {
  const all = await site.driver.list();
  return all.find((workload) => workloadId(workload.key) === workloadId(key));
}

/** Waits until the instances of the workload are as the check says, and gives them. */
export async function until(
  site: ConformanceSite,
  key: WorkloadKey,
  isSo: (instances: readonly ObservedInstance[]) => boolean,
  timeoutMilliseconds = 12_000,
): Promise<readonly ObservedInstance[]> {
  return vi.waitFor(
    async () => {
      const instances = (await find(site, key))?.instances ?? [];
      if (!isSo(instances)) throw new Error(`still ${JSON.stringify(instances)}`);
      return instances;
    },
    { timeout: patience(site, timeoutMilliseconds), interval: 20 },
  );
}

export async function untilRunning(
  site: ConformanceSite,
  { key, instances }: Workload,
): Promise<readonly ObservedInstance[]> {
  const slots = JSON.stringify(instances.map(({ slot }) => slot));
  return until(
    site,
    key,
    (observed) =>
      JSON.stringify(observed.map(({ slot }) => slot)) === slots &&
      observed.every(({ state }) => state === 'RUNNING'),
  );
}

/** Applies and waits until all of it runs. */
export async function run(site: ConformanceSite, workload: Workload): Promise<readonly ObservedInstance[]> {
  await site.driver.apply(workload, nextFence());
  return untilRunning(site, workload);
}

/** The run in each of the slots, in their order; fails where none runs. */
export async function runsOf(
  site: ConformanceSite,
  key: WorkloadKey,
  slots: readonly number[] = [0],
): Promise<readonly string[]> {
  const runs = await Promise.all(slots.map((slot) => site.runOf(key, slot)));
  return runs.map((one, index) => {
    if (one === undefined) throw new Error(`nothing runs in slot ${slots[index]} of ${workloadId(key)}`);
    return one;
  });
}

/** Waits until another run than that one is RUNNING in the slot, and gives its instance. */
export async function untilOtherRun(
  site: ConformanceSite,
  key: WorkloadKey,
  before: string | undefined,
  slot = 0,
): Promise<ObservedInstance> {
  return vi.waitFor(
    async () => {
      const now = await site.runOf(key, slot);
      const instance = (await find(site, key))?.instances.find((one) => one.slot === slot);
      if (now === undefined || now === before || instance?.state !== 'RUNNING')
        throw new Error(`still the run ${now}, ${JSON.stringify(instance)}`);
      return instance;
    },
    { timeout: patience(site, 12_000), interval: 20 },
  );
}

/** The first instance; a test that asks has one. */
export function only(instances: readonly ObservedInstance[]): ObservedInstance {
  const [instance] = instances;
  if (instance === undefined) throw new Error('there is no instance');
  return instance;
}

/** What programs can be asked on a site that runs some; only tests of programs ask. */
export function programsOf(site: ConformanceSite): ProgramSite {
  if (site.programs === undefined) throw new Error('no programs run at this site');
  return site.programs;
}

export async function outputOf(site: ConformanceSite, key: WorkloadKey, slot = 0): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of site.driver.logs(key, { slot, follow: false })) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** Waits until the output holds the text, and gives all of it. */
export async function untilOutput(
  site: ConformanceSite,
  key: WorkloadKey,
  text: string | RegExp,
): Promise<string> {
  return vi.waitFor(
    async () => {
      const output = await outputOf(site, key);
      if (!(typeof text === 'string' ? output.includes(text) : text.test(output)))
        throw new Error(`the output is still ${JSON.stringify(output)}`);
      return output;
    },
    { timeout: patience(site, 12_000), interval: 20 },
  );
}

/** Renews the lease of the host, as an agent does that was answered. */
export async function renew(site: ConformanceSite): Promise<void> {
  if (!isLeaseKeeper(site.driver)) throw new Error('this driver keeps no lease');
  await site.driver.renewed();
}
