/** An agent without a machine: the client, the sessions, the poll, the facts and the reports of the real one, over a socket of its own. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import {
  createBackoff,
  createMcoClient,
  createSessionKeeper,
  type Transport,
} from '../../agents/mco-client/index.ts';
import {
  sealingKey,
  type HostIdentity,
  type IdentityDocument,
  type SealingKeys,
} from '../../agents/identity/index.ts';
import { createWakeup } from '../../agents/index.ts';
import {
  ReportOutbox,
  createFactsTeller,
  createReporter,
  openAssignments,
  runWantedLoop,
  type AssignmentStore,
  type HostFacts,
  type StoredWanted,
} from '../../agents/orchestration/index.ts';
import {
  randomIds,
  silentLogger,
  systemClock,
  toTimestamp,
  type HostId,
  type StateId,
} from '../../kernel/index.ts';
import type { ObservedWorkload } from '../../vim-drivers/index.ts';

export interface SimulatedAgentOptions {
  readonly transport: Transport;
  readonly hostId: HostId;
  readonly privateKey: KeyObject;
  readonly stateId: StateId;
  readonly m2mSpId: string;
  readonly signal: AbortSignal;
  /** The first wanted state is here. */
  readonly onFirstAnswer: () => void;
  /** A report of something that runs was acknowledged. */
  readonly onReported: () => void;
}

const log = silentLogger;
const clock = systemClock;

/** Runs until the signal is aborted. */
export async function runSimulatedAgent(options: SimulatedAgentOptions): Promise<void> {
  const { transport, hostId, signal } = options;
  const identity = await identityOf(options);
  const bootId = randomIds.uuid();
  const sessions = createSessionKeeper({
    transport,
    identity,
    bootId,
    clock,
    log,
    agentVersion: 'iotmano/bench',
  });
  const client = createMcoClient(transport, sessions, hostId, clock);
  const outbox = new ReportOutbox();
  const wakeup = createWakeup(clock);
  const newBackoff = () => createBackoff(clock, Math.random);
  const telling: typeof client = {
    ...client,
    postReport: async (report, sequence, gone) => {
      const receipt = await client.postReport(report, sequence, gone);
      if (report.workloads.length > 0) options.onReported();
      return receipt;
    },
  };
  const reporter = createReporter({ client: telling, outbox, wakeup, backoff: newBackoff(), log, signal });
  const facts = createFactsTeller(client, async () => factsOf(hostId), clock, signal);
  outbox.observe([]);
  const reporting = reporter.run();
  await runWantedLoop({
    client,
    identity,
    store: storeInMemory(),
    backoff: newBackoff(),
    clock,
    log,
    signal,
    onReturn: async () => {
      facts.forget();
      await facts.tell();
      outbox.requireFull();
      await reporter.flush();
      return true;
    },
    open: ({ assignments }) => openAssignments(assignments, { hostId, keys: identity.sealingKeys }),
    needsWhole: false,
    rhythm: { untilDue: () => undefined, afterDue: async () => undefined },
    onAccepted: (wanted) => {
      outbox.observe(wanted.assignments.map(runningAsWanted), wanted);
      wakeup.wake();
      options.onFirstAnswer();
    },
    onDiagnostics: () => {},
    onRenewed: async () => undefined,
  });
  await reporting;
  transport.close();
}

async function identityOf({
  hostId,
  stateId,
  m2mSpId,
  privateKey,
}: SimulatedAgentOptions): Promise<HostIdentity> {
  let document: IdentityDocument = { hostId, isEnrolled: true, m2mSpId, stateId };
  return {
    get document() {
      return document;
    },
    privateKey,
    sealingKeys: await sealingKeysInMemory(),
    certificate: { current: undefined, save: async () => undefined, clear: async () => undefined },
    publicJwk: { kty: 'OKP', crv: 'Ed25519', x: '' },
    update: async (changes) => {
      document = { ...document, ...changes };
    },
    forgetEnrolment: async () => undefined,
  };
}

async function sealingKeysInMemory(): Promise<SealingKeys> {
  const current = await sealingKey(generateKeyPairSync('x25519').privateKey);
  return {
    current,
    find: (id) => (id === current.id ? current : undefined),
    rotate: async () => undefined,
    forgetPrevious: async () => undefined,
  };
}

function storeInMemory(): AssignmentStore {
  let current: StoredWanted | undefined;
  return {
    get current() {
      return current;
    },
    save: async (next) => {
      current = next;
    },
    clear: async () => {
      current = undefined;
    },
  };
}

function runningAsWanted({ workload }: StoredWanted['assignments'][number]): ObservedWorkload {
  return {
    key: workload.key,
    specHash: workload.specHash,
    instances: workload.instances.map(({ slot, epoch }) => ({
      slot,
      epoch,
      state: 'RUNNING',
      since: toTimestamp(clock.now()),
      restarts: 0,
      ports: Object.fromEntries(workload.spec.ports.map(({ name }) => [name, 20_000])),
      pid: 4711,
    })),
  };
}

/** A gateway of 4 cores. */
export function factsOf(hostId: string): HostFacts {
  return {
    tier: 'device-edge',
    labels: { site: hostId, zone: `zone-${hostId.slice(-2)}` },
    architecture: 'arm64',
    cpu: { cores: 4, score: 1, allocatableMillis: 4000 },
    memory: { totalBytes: 4 * 1024 ** 3, allocatableBytes: 4 * 1024 ** 3 },
    storage: { totalBytes: 32 * 1024 ** 3, allocatableBytes: 16 * 1024 ** 3, medium: 'ssd' },
    drivers: [{ name: 'process', artifactTypes: ['process'] }],
    address: '127.0.0.1',
    devices: [],
    latencies: [],
    cses: [],
    agentVersion: 'iotmano/bench',
  };
}
