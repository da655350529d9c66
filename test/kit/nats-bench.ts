import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openIdentity, type HostIdentity } from '../../agents/identity/index.ts';
import {
  chooseTransport,
  createMcoClient,
  createSessionKeeper,
  plainToken,
  type McoClient,
  type SessionKeeper,
  type Transport,
} from '../../agents/mco-client/index.ts';
import { createLogger, parseId, randomIds, systemClock, type HostId } from '../../kernel/index.ts';
import { createApi, createAuthenticator, serveApi, type ApiServer } from '../../orchestrator/api/index.ts';
import type { Diagnostics } from '../../orchestrator/diagnostics/index.ts';
import { diagnosticsOver } from '../../orchestrator/diagnostics/testkit/diagnostics-over.ts';
import { createInventory, type Inventory } from '../../orchestrator/inventory/index.ts';
import { createMco, type McoOptions } from '../../orchestrator/mco/index.ts';
import {
  createNatsBinding,
  enrolmentCredential,
  loadAccountKeys,
  parseNatsPlace,
  type AccountKeys,
} from '../../orchestrator/mco/nats/index.ts';
import { createMonitoring, type Monitoring } from '../../orchestrator/monitoring/index.ts';
import { createMemoryStore, type StateStore } from '../../orchestrator/store/index.ts';
import { sharedDocuments } from './api-client.ts';
import { SHORT_LIVED_KEY } from './api-server.ts';
import { startNatsServers, type NatsServers } from './nats-servers.ts';

export { assign, keyOf, observedOf } from '../../orchestrator/mco/testkit/assignments.ts';

export const SP_ID = '//iotmano.test';
export const CONTENT = randomBytes(1_300_000);

/** The orchestrator's side of Mco over NATS, over real servers. */
export interface NatsOrchestrator {
  readonly inventory: Inventory;
  readonly monitoring: Monitoring;
  readonly diagnostics: Diagnostics;
  /** The same over HTTP, beside it. */
  serveHttp(): Promise<ApiServer>;
  stop(): Promise<void>;
}

export interface NatsBench {
  readonly folder: string;
  readonly keys: AccountKeys;
  readonly servers: NatsServers;
  readonly store: StateStore;
  /** Over the same store, as a new process. */
  startOrchestrator(): NatsOrchestrator;
  /** What an operator gives out for a host. */
  credential(orchestrator: NatsOrchestrator, hostId: string): Promise<string>;
  agent(hostId: string, credential?: string, more?: AgentPlace): Promise<NatsAgent>;
  close(): Promise<void>;
}

/** Where an agent finds the orchestrator, if not over the servers of NATS of the bench. */
export interface AgentPlace {
  readonly serverUrl?: string;
  readonly caFile?: string;
}

/** The agent's side, without its loops. */
export interface NatsAgent {
  readonly hostId: HostId;
  readonly bootId: string;
  readonly identity: HostIdentity;
  readonly sessions: SessionKeeper;
  readonly client: McoClient;
  readonly transport: Transport;
}

export interface NatsBenchOptions {
  readonly count?: number;
  /** Files beside the one that is there for every digest; undefined: it has none of that. */
  readonly openArtifact?: (digest: string) => ReturnType<McoOptions['artifacts']['openArtifact']> | undefined;
  /** Makes a certificate for 127.0.0.1 in the folder; everybody trusts it, agents only where they are told to. */
  readonly makeTls?: (folder: string) => { readonly certFile: string; readonly keyFile: string };
}

export async function createNatsBench({
  count = 1,
  openArtifact,
  makeTls,
}: NatsBenchOptions = {}): Promise<NatsBench> {
  const folder = mkdtempSync(join(tmpdir(), 'mco-nats-'));
  const keys = loadAccountKeys(folder);
  const tls = makeTls?.(folder);
  const servers = await startNatsServers(keys, folder, { count, ...(tls === undefined ? {} : { tls }) });
  const store = createMemoryStore();
  const clock = systemClock;
  const log = createLogger('nats-bench', process.env['NATS_BENCH_LOG'] === undefined ? 'silent' : 'debug');
  const orchestrators: NatsOrchestrator[] = [];
  const agents: NatsAgent[] = [];
  const file = join(folder, 'artifact');
  writeFileSync(file, CONTENT);
  const artifacts: McoOptions['artifacts'] = {
    openArtifact: (digest) =>
      openArtifact?.(digest) ?? Promise.resolve({ path: file, sizeBytes: CONTENT.length }),
  };

  function startOrchestrator(): NatsOrchestrator {
    const inventory = createInventory({ store, clock, ids: randomIds, random: randomBytes, log });
    const monitoring = createMonitoring({ store, clock });
    const diagnostics = diagnosticsOver(store);
    const shared = { store, clock, log, inventory, monitoring, artifacts, diagnostics: diagnostics.agents };
    const mco = createMco({ ...shared, m2mSpId: SP_ID });
    const authenticate = createAuthenticator(store, clock, SHORT_LIVED_KEY);
    const api = { store, clock, log, ids: randomIds, documents: sharedDocuments(), authenticate };
    const binding = createNatsBinding({
      mco,
      api,
      keys,
      place: parseNatsPlace(servers.urls, tls?.certFile),
      maxStreamBytes: 64 * 1024 * 1024,
    });
    binding.start();
    const serveHttp = (): Promise<ApiServer> =>
      serveApi(createApi({ ...api, routes: [...mco.routes, ...diagnostics.routes] }), {
        host: '127.0.0.1',
        port: 0,
      });
    const orchestrator = { inventory, monitoring, diagnostics, serveHttp, stop: () => binding.stop() };
    orchestrators.push(orchestrator);
    return orchestrator;
  }

  return {
    folder,
    keys,
    servers,
    store,
    startOrchestrator,
    credential: async ({ inventory }, hostId) => {
      const { record, token } = inventory.tokens.create({ hostId: parseId<HostId>(hostId, 'hostId') });
      return enrolmentCredential(keys, parseId<HostId>(hostId, 'hostId'), token, record.document.expiresAt);
    },
    agent: async (hostId, credential, more = {}) => {
      const id = parseId<HostId>(hostId, 'hostId');
      const dataDirectory = join(folder, hostId);
      mkdirSync(dataDirectory, { recursive: true });
      const identity = await openIdentity(dataDirectory, id);
      const options = {
        serverUrl: servers.urls.join(','),
        enrolmentToken: credential,
        log,
        ...more,
      };
      const chosen = await chooseTransport(options);
      const { privateKey } = identity;
      const transport = await chosen.open({
        dataDirectory,
        hostId,
        privateKey,
        clientIdentity: () => undefined,
      });
      const bootId = randomIds.uuid();
      const sessions = createSessionKeeper({
        transport,
        identity,
        bootId,
        clock,
        log,
        agentVersion: 'test/1',
        enrolmentToken: plainToken(credential),
      });
      const client = createMcoClient(transport, sessions, hostId, clock);
      const agent = { hostId: id, bootId, identity, sessions, client, transport };
      agents.push(agent);
      return agent;
    },
    close: async () => {
      for (const { transport } of agents) transport.close();
      await Promise.all(orchestrators.map((each) => each.stop()));
      await servers.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Repeats what fails for a while, as agents do. */
export async function eventually<T>(act: () => Promise<T>, milliseconds = 20_000): Promise<T> {
  const end = performance.now() + milliseconds;
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (performance.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
