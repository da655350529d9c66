import { join } from 'node:path';
import { faultOfTimeZone } from '../descriptors/index.ts';
import { isClosable, type VimDriver } from '../vim-drivers/index.ts';
import type { AgentOptions, DriverContext } from './agent-options.ts';
import { enrolIfNew, layFoundation, type Foundation } from './foundation.ts';
import { createDiagnosticsAgent } from './diagnostics/index.ts';
import { findMemoryDirectory } from './memory-directory.ts';
import { createBackoff, openArtifactCache, type Backoff } from './mco-client/index.ts';
import { startMonitoringAgent } from './monitoring/index.ts';
import {
  collectFacts,
  createLatencyProbe,
  startOrchestrationAgent,
  type OrchestrationAgent,
} from './orchestration/index.ts';
import { openSelfUpgrade, tellParent } from './upgrade/index.ts';

const DEFAULT_ARTIFACT_BYTES = 1024 ** 3;

export interface Parts extends Foundation {
  readonly orchestration: OrchestrationAgent;
  run(signal: AbortSignal): Promise<void>;
}

/**
 * Puts the parts together, and takes them apart whatever happens.
 * @param onSwitch another version of the program is to run: `use` is to come to its end
 */
export async function withParts(
  options: AgentOptions,
  use: (parts: Parts) => Promise<void>,
  onSwitch: () => void,
): Promise<void> {
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
    const memoryDirectory = await findMemoryDirectory(dataDirectory, options.runtimeDirectory);
    if (memoryDirectory === undefined)
      log.warn('this host has no file system in memory: secrets of functions are kept on its disk');
    const openDrivers = options.openDrivers ?? openProcessDriver;
    opened.push(
      ...(await openDrivers({
        directory: dataDirectory,
        memoryDirectory,
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
    const upgrade = await openSelfUpgrade({
      program: options.program ?? 'it is not the packed program',
      dataDirectory,
      artifacts,
      createBackoff: newBackoff,
      clock,
      log,
      onNews: () => orchestration.factsChanged(),
      onSwitch,
      tellWaiting: (waitsFor) => tellParent({ waitsFor }),
    });
    const diagnostics = createDiagnosticsAgent({
      ...shared,
      stream: (streamId) => foundation.client.stream(streamId),
    });
    const probe = createLatencyProbe({ targets: options.latencyTargets ?? [], clock });
    const orchestration: OrchestrationAgent = await startOrchestrationAgent({
      ...shared,
      identity: foundation.identity,
      localTimeZone: () => localTimeZone(stated.labels),
      collectFacts: () =>
        collectFacts(stated, opened, {
          dataDirectory,
          agentVersion: options.agentVersion,
          latencies: probe.measurements(),
          agentUpgrade: upgrade.facts(),
        }),
      onWanted: (wanted) => {
        monitoring.wanted(wanted.collectionJobs, wanted.assignments);
        upgrade.wanted(wanted);
      },
      onObserved: (observed) => {
        monitoring.observed(observed);
        upgrade.observed(observed);
      },
      onHeard: () => upgrade.heard(),
      rhythm: monitoring.rhythm,
      onDiagnostics: (requests) => diagnostics.wanted(requests),
    });
    const run = async (signal: AbortSignal): Promise<void> => {
      const end = (): void => ending.abort();
      signal.addEventListener('abort', end, { once: true });
      if (signal.aborted) end();
      await Promise.all([
        orchestration.run(),
        monitoring.run(),
        probe.run(ending.signal),
        upgrade.run(ending.signal),
      ]);
    };
    try {
      await use({ ...foundation, orchestration, run });
    } finally {
      ending.abort();
      await diagnostics.close();
      await orchestration.close();
    }
  } finally {
    for (const driver of opened) if (isClosable(driver)) await driver.close();
    foundation.close();
  }
}

/** As the operator says, else as the system has it. What is no zone counts as UTC, as everywhere. */
function localTimeZone(labels: Readonly<Record<string, string>>): string {
  const name = labels['timezone'] ?? new Intl.DateTimeFormat().resolvedOptions().timeZone;
  return faultOfTimeZone(name) === undefined ? name : 'UTC';
}

async function openProcessDriver(context: DriverContext): Promise<readonly VimDriver[]> {
  const { createProcessDriver } = await import('../vim-drivers/process/index.ts');
  const { directory, memoryDirectory, hostId, artifacts, clock, log, stated } = context;
  return [
    await createProcessDriver({
      directory: join(directory, 'process'),
      ...(memoryDirectory === undefined ? {} : { secretsDirectory: join(memoryDirectory, 'process') }),
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
