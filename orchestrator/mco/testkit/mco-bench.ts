import { generateKeyPairSync, randomBytes, randomUUID, type KeyObject } from 'node:crypto';
import { SignJWT } from 'jose';
import {
  IotmanoError,
  createLogger,
  parseId,
  randomIds,
  systemClock,
  type Clock,
  type HostId,
} from '../../../kernel/index.ts';
import type { Diagnostics } from '../../diagnostics/index.ts';
import { diagnosticsOver } from '../../diagnostics/testkit/diagnostics-over.ts';
import { createInventory, type Inventory } from '../../inventory/index.ts';
import { createMemoryStore, type StateStore } from '../../store/index.ts';
import {
  createApiClient,
  type ApiAnswer,
  type ApiClient,
  type ApiRequestOptions,
} from '../../../test/kit/api-client.ts';
import { startTestApi, type TestApi } from '../../../test/kit/api-server.ts';
import { createHostAuthority, readHostsIssuer, readServer } from '../../../pki/index.ts';
import { createMco, disconnectRevoked, enrolmentTokenRoutes, hostRoutes, type McoOptions } from '../index.ts';
import type { EnrolmentMessage, HostFactsMessage, SessionMessage } from '../messages.ts';

export const SP_ID = '//iotmano.test';

/** The orchestrator's side of Mco on a port of its own, over the whole pipeline. */
export interface McoBench {
  readonly url: string;
  readonly store: StateStore;
  readonly inventory: Inventory;
  readonly admin: ApiClient;
  clientFor: TestApi['clientFor'];
  tokenFor: TestApi['tokenFor'];
  readonly diagnostics: Diagnostics;
  /** A one-time token. */
  token(hostId?: string): Promise<string>;
  /** An agent that has enrolled and opened a session. */
  agent(hostId: string): Promise<TestAgent>;
  close(): Promise<void>;
}

export interface McoBenchOptions {
  readonly store?: StateStore;
  readonly clock?: Clock;
  readonly artifacts?: McoOptions['artifacts'];
  readonly monitoring?: McoOptions['monitoring'];
  /** A directory of certificates: it is served over TLS, and hosts get certificates. `admin` does not know the authority. */
  readonly pki?: string;
}

export const silentMonitoring: McoOptions['monitoring'] = {
  ingestMeasurements: (_hostId, { sequence }) => ({ nextSequence: sequence + 1, ignored: 0 }),
  ingestAlarms: (_hostId, { sequence }) => ({ nextSequence: sequence + 1, ignored: 0 }),
  collectionJobsFor: () => [{ jobId: 'host', source: 'host', everySeconds: 10 }],
};

const NO_ARTIFACTS: McoOptions['artifacts'] = {
  openArtifact: async (digest) => {
    throw new IotmanoError('not-found', `there is no artifact ${digest}; onboard its package again`);
  },
};

export async function startMcoBench(options: McoBenchOptions = {}): Promise<McoBench> {
  const store = options.store ?? createMemoryStore();
  const clock = options.clock ?? systemClock;
  const log = createLogger('mco-bench', 'silent');
  const inventory = createInventory({ store, clock, ids: randomIds, random: randomBytes, log });
  const diagnostics = diagnosticsOver(store, { clock });
  const pki =
    options.pki === undefined
      ? undefined
      : { server: readServer(options.pki), hosts: readHostsIssuer(options.pki) };
  const api = await startTestApi({
    store,
    clock,
    ...(pki === undefined ? {} : { tls: { ...pki.server, clientAuthorities: pki.hosts.certificates } }),
    routes: () => [
      ...createMco({
        store,
        clock,
        log,
        inventory,
        monitoring: options.monitoring ?? silentMonitoring,
        artifacts: options.artifacts ?? NO_ARTIFACTS,
        diagnostics: diagnostics.agents,
        m2mSpId: SP_ID,
        ...(pki === undefined
          ? {}
          : { hostAuthority: createHostAuthority({ ...pki.hosts, clock, random: randomBytes }) }),
      }).routes,
      ...diagnostics.routes,
      ...hostRoutes({ store, clock, inventory }),
      ...enrolmentTokenRoutes(inventory),
    ],
  });
  disconnectRevoked(store, api.disconnect);
  const admin = api.clientFor('admin', 'system');
  const token = async (hostId?: string): Promise<string> => {
    const answer = await admin.post<{ token: string }>(
      '/iotmano/v1/enrolment_tokens',
      hostId === undefined ? {} : { hostId },
    );
    return answer.body.token;
  };
  return {
    url: api.url,
    store,
    inventory,
    admin,
    clientFor: api.clientFor,
    tokenFor: api.tokenFor,
    diagnostics,
    token,
    agent: async (hostId) => {
      const agent = createTestAgent(api.url, hostId);
      await agent.enrol(await token());
      await agent.open();
      return agent;
    },
    close: api.close,
  };
}

/** One agent as the specification describes it; every exchange is held to the documents. */
export interface TestAgent {
  readonly hostId: HostId;
  readonly bootId: string;
  readonly keys: { readonly publicKey: KeyObject; readonly privateKey: KeyObject };
  enrol(token: string): Promise<ApiAnswer<EnrolmentMessage>>;
  challenge(): Promise<string>;
  sign(claims: Record<string, unknown>, header?: Record<string, unknown>): Promise<string>;
  /** Opens a session with a fresh proof, in which `claims` may be forged. */
  open(claims?: Record<string, unknown>, lastStateId?: string): Promise<ApiAnswer<SessionMessage>>;
  request<Body = unknown>(
    method: string,
    path: string,
    options?: ApiRequestOptions & { readonly sequence?: number },
  ): Promise<ApiAnswer<Body>>;
  /** The same machine after a restart of its agent, or another one that has stolen its identity. */
  reboot(): TestAgent;
}

export function createTestAgent(
  url: string,
  hostId: string,
  keys: TestAgent['keys'] = generateKeyPairSync('ed25519'),
): TestAgent {
  const client = createApiClient(url, null);
  const bootId = randomUUID();
  const base = `/mco/v1/hosts/${hostId}`;
  let token: string | null = null;
  let stateId = 'unknown';
  let counter = 0;

  function headers(options: { readonly sequence?: number }): Record<string, string> {
    return {
      'Mco-Version': '1.0',
      'Mco-Sp-Id': SP_ID,
      'Mco-Boot-Id': bootId,
      ...(options.sequence === undefined ? {} : { 'Mco-Sequence': String(options.sequence) }),
    };
  }

  const agent: TestAgent = {
    hostId: parseId<HostId>(hostId, 'hostId'),
    bootId,
    keys,
    enrol: async (enrolmentToken) => {
      const { x = '' } = keys.publicKey.export({ format: 'jwk' });
      const answer = await client.post<EnrolmentMessage>(
        '/mco/v1/enrolments',
        {
          token: enrolmentToken,
          hostId,
          publicKey: { kty: 'OKP', crv: 'Ed25519', x },
          roles: ['orchestration', 'monitoring'],
        },
        { headers: headers({}) },
      );
      if (answer.status === 201) stateId = answer.body.stateId;
      return answer;
    },
    challenge: async () => {
      const answer = await client.post<{ nonce: string }>(`${base}/challenges`, undefined, {
        headers: headers({}),
      });
      return answer.body.nonce;
    },
    sign: (claims, header = {}) =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: 'EdDSA', typ: 'mco-proof+jwt', ...header })
        .sign(keys.privateKey),
    open: async (claims = {}, lastStateId) => {
      counter += 1;
      const nonce = await agent.challenge();
      const proof = await agent.sign({
        sub: hostId,
        htm: 'POST',
        htu: `${base}/sessions`,
        nonce,
        bootId,
        counter,
        ...claims,
      });
      const answer = await client.post<SessionMessage>(
        `${base}/sessions`,
        { proof, roles: ['orchestration', 'monitoring'], lastStateId: lastStateId ?? stateId },
        { headers: headers({}) },
      );
      if (answer.status === 201) token = answer.body.token;
      return answer;
    },
    request: (method, path, options = {}) =>
      client.request(method, path.startsWith('/mco') ? path : `${base}${path}`, {
        token,
        ...options,
        headers: { ...headers(options), ...options.headers },
      }),
    reboot: () => createTestAgent(url, hostId, keys),
  };
  return agent;
}

export const FACTS: HostFactsMessage = {
  architecture: 'x64',
  tier: 'device-edge',
  labels: { site: 'north' },
  drivers: [{ name: 'process', artifactTypes: ['process'] }],
  cpu: { cores: 4, score: 1, allocatableMillis: 4000 },
  memory: { totalBytes: 8e9, allocatableBytes: 6e9 },
  storage: { totalBytes: 8e10, allocatableBytes: 6e10, medium: 'ssd' },
  address: '192.0.2.1',
  devices: [],
  latencies: [],
  cses: [],
  agentVersion: 'test/1',
};
