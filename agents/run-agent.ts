import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  IotmanoError,
  isTransient,
  messageOf,
  type Clock,
  type HostId,
  type IdSource,
  type Logger,
} from '../kernel/index.ts';
import { isClosable, type ArtifactSource, type VimDriver } from '../vim-drivers/index.ts';
import { DRIVERS } from '../vim-drivers/registry.ts';
import { lockDataDirectory, openIdentity, type HostIdentity } from './identity/index.ts';
import {
  createBackoff,
  createMcoClient,
  createSessionKeeper,
  createTransport,
  openArtifactCache,
  type Backoff,
  type McoClient,
  type TransportOptions,
} from './mco-client/index.ts';
import { startMonitoringAgent } from './monitoring/index.ts';
import {
  collectFacts,
  startOrchestrationAgent,
  type OrchestrationAgent,
  type StatedFacts,
} from './orchestration/index.ts';

export interface AgentOptions extends TransportOptions {
  /** What the operator says of the host. */
  readonly facts: StatedFacts;
  readonly hostId: HostId;
  /** One-time token of an operator; needed for the first start only. */
  readonly enrolmentToken?: string | undefined;
  /** This agent's alone: identity, assignments, queues, and what the drivers keep. */
  readonly dataDirectory: string;
  /** M2M-SP-ID that is expected; absent: whichever the orchestrator serves. */
  readonly m2mSpId?: string;
  /** What runs workloads here; absent: the `process` driver, in the data directory. */
  readonly openDrivers?: (context: DriverContext) => Promise<readonly VimDriver[]>;
  /** Bound of the files of functions that are kept beside what the drivers unpack. */
  readonly maxArtifactBytes?: number;
  /** Bound of the measurements that wait on disk for the orchestrator. */
  readonly maxQueueBytes?: number;
  readonly agentVersion: string;
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
  readonly hostId: HostId;
  readonly artifacts: ArtifactSource;
  readonly clock: Clock;
  readonly log: Logger;
  readonly stated: StatedFacts;
}

const DEFAULT_ARTIFACT_BYTES = 1024 ** 3;
const STOP_FUNCTIONS_MILLISECONDS = 60_000;
const LEAVE_LOOK_MILLISECONDS = 1000;

/**
 * Runs the orchestration agent and the monitoring agent of a CSE's host, as one process with one identity, until the signal is aborted.
 * Whatever the orchestrator or the network does, it goes on, and functions run on.
 * @throws IotmanoError at the start only: `store-locked` (a second agent), `store-newer`, `conflict` (another host's directory),
 * `unauthorized` and the like where the host is not enrolled and cannot be
 */
export async function runAgent(options: AgentOptions): Promise<void> {
  await withParts(options, async (parts) => {
    options.onStarted?.();
    await parts.run(options.signal);
    if (options.mustStopFunctions !== true) return;
    const haveEnded = await parts.orchestration.stopFunctions(STOP_FUNCTIONS_MILLISECONDS);
    options.log.info({ haveEnded }, 'functions stopped');
  });
}

/** Enrols the host and ends: its identity is then on disk. @throws IotmanoError where it cannot be enrolled now */
export async function enrolHost(options: AgentOptions): Promise<void> {
  const foundation = await layFoundation(options);
  try {
    await foundation.sessions.enrol(options.signal);
  } finally {
    foundation.close();
  }
}

/** Drains the host, and has it forgotten once nothing is assigned to it; runs the agents meanwhile. Resolves false when the signal came first. */
export async function leaveOrchestrator(options: AgentOptions): Promise<boolean> {
  let hasLeft = false;
  await withParts(options, async (parts) => {
    const ending = new AbortController();
    const running = parts.run(AbortSignal.any([options.signal, ending.signal]));
    while (!hasLeft && !options.signal.aborted) {
      hasLeft = await parts.client.leave(options.signal).then(
        (remaining) => remaining === 0,
        (error: unknown) => {
          if (!isTransient(error)) throw error;
          return false;
        },
      );
      if (!hasLeft) await options.clock.sleep(LEAVE_LOOK_MILLISECONDS, options.signal);
    }
    ending.abort();
    await running;
    if (!hasLeft) return;
    await parts.orchestration.stopFunctions(STOP_FUNCTIONS_MILLISECONDS);
    await parts.orchestration.forgetAssignments();
    await parts.identity.forgetEnrolment();
  });
  return hasLeft;
}

interface Foundation {
  readonly identity: HostIdentity;
  readonly client: McoClient;
  readonly sessions: ReturnType<typeof createSessionKeeper>;
  readonly transport: ReturnType<typeof createTransport>;
  close(): void;
}

/** Identity and connection: what there is before anything runs. */
async function layFoundation(options: AgentOptions): Promise<Foundation> {
  const { dataDirectory, hostId, clock, log, ids } = options;
  const transport = createTransport(options);
  await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
  const lock = lockDataDirectory(dataDirectory);
  try {
    const identity = await openIdentity(dataDirectory, hostId);
    await demandSameServiceProvider(identity, options.m2mSpId);
    const sessions = createSessionKeeper({
      transport,
      identity,
      bootId: ids.uuid(),
      clock,
      log,
      agentVersion: options.agentVersion,
      enrolmentToken: options.enrolmentToken,
    });
    const client = createMcoClient(transport, sessions, hostId, clock);
    const close = (): void => {
      transport.close();
      lock.release();
    };
    return { identity, client, sessions, transport, close };
  } catch (error) {
    lock.release();
    throw error;
  }
}

interface Parts extends Foundation {
  readonly orchestration: OrchestrationAgent;
  run(signal: AbortSignal): Promise<void>;
}

/** Puts the parts together, and takes them apart whatever happens. */
async function withParts(options: AgentOptions, use: (parts: Parts) => Promise<void>): Promise<void> {
  const foundation = await layFoundation(options);
  const opened: VimDriver[] = [];
  const ending = new AbortController();
  try {
    await enrolIfNew(foundation, options);
    const { clock, log, dataDirectory, random } = options;
    const newBackoff = (): Backoff => createBackoff(clock, random);
    const artifacts = await openArtifactCache({
      directory: join(dataDirectory, 'artifacts'),
      maxBytes: options.maxArtifactBytes ?? DEFAULT_ARTIFACT_BYTES,
      hostId: options.hostId,
      transport: foundation.transport,
      sessions: foundation.sessions,
      clock,
      createBackoff: newBackoff,
      log,
    });
    const stated = options.facts;
    const openDrivers = options.openDrivers ?? openProcessDriver;
    opened.push(
      ...(await openDrivers({
        directory: dataDirectory,
        hostId: options.hostId,
        artifacts,
        clock,
        log,
        stated,
      })),
    );
    const shared = {
      client: foundation.client,
      dataDirectory,
      drivers: opened,
      createBackoff: newBackoff,
      clock,
      log,
      signal: ending.signal,
    };
    const monitoring = await startMonitoringAgent({
      ...shared,
      ...(options.maxQueueBytes === undefined ? {} : { maxQueueBytes: options.maxQueueBytes }),
    });
    const orchestration = await startOrchestrationAgent({
      ...shared,
      identity: foundation.identity,
      collectFacts: () => collectFacts(stated, opened, dataDirectory, options.agentVersion),
      onWanted: (wanted) => monitoring.wanted(wanted.collectionJobs, wanted.assignments),
      onObserved: (observed) => monitoring.observed(observed),
    });
    const run = async (signal: AbortSignal): Promise<void> => {
      const end = (): void => ending.abort();
      signal.addEventListener('abort', end, { once: true });
      if (signal.aborted) end();
      await Promise.all([orchestration.run(), monitoring.run()]);
    };
    try {
      await use({ ...foundation, orchestration, run });
    } finally {
      ending.abort();
      await orchestration.close();
    }
  } finally {
    for (const driver of opened) if (isClosable(driver)) await driver.close();
    foundation.close();
  }
}

/** A host that was never enrolled says at once when it cannot be; one that was goes on without the orchestrator. */
async function enrolIfNew({ identity, sessions }: Foundation, { log, signal }: AgentOptions): Promise<void> {
  if (identity.document.isEnrolled) return;
  try {
    await sessions.enrol(signal);
  } catch (error) {
    if (!isTransient(error)) throw error;
    log.warn({ reason: messageOf(error) }, 'not enrolled yet; it is tried again');
  }
}

async function demandSameServiceProvider(
  identity: HostIdentity,
  expected: string | undefined,
): Promise<void> {
  const known = identity.document.m2mSpId;
  if (expected === undefined || known === expected) return;
  if (known === undefined) return identity.update({ m2mSpId: expected });
  throw new IotmanoError(
    'conflict',
    `this host is enrolled with the M2M service provider ${known}, not ${expected}; start the agent without --m2m-sp-id, or leave first`,
  );
}

async function openProcessDriver(context: DriverContext): Promise<readonly VimDriver[]> {
  const { createProcessDriver } = await DRIVERS.process();
  const { directory, hostId, artifacts, clock, log, stated } = context;
  return [
    await createProcessDriver({
      directory: join(directory, 'process'),
      hostId,
      artifacts,
      clock,
      log,
      tier: stated.tier,
      labels: stated.labels,
      ...(stated.address === undefined ? {} : { address: stated.address }),
    }),
  ];
}
