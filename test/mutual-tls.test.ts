/** The whole of mutual TLS: an authority made as operators make it, the orchestrator's routes over TLS, and a real agent. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createAgentRunner, eventually, HOST_ID, type AgentRunner } from '../agents/testkit/agent-runner.ts';
import { randomIds, silentLogger, systemClock } from '../kernel/index.ts';
import { diagnosticsOver } from '../orchestrator/diagnostics/testkit/diagnostics-over.ts';
import { createInventory, type Inventory } from '../orchestrator/inventory/index.ts';
import { createMco, disconnectRevoked, enrolmentTokenRoutes, hostRoutes } from '../orchestrator/mco/index.ts';
import { createMemoryStore, type StateStore } from '../orchestrator/store/index.ts';
import { silentMonitoring } from '../orchestrator/mco/testkit/mco-bench.ts';
import { createHostAuthority, initPki, readHostsIssuer, readServer } from '../pki/index.ts';
import { startTestApi, type TestApi } from './kit/api-server.ts';

let directory: string;
let store: StateStore;
let inventory: Inventory;
let api: TestApi;
let agent: AgentRunner;
let lifeSeconds: number;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'mtls-'));
  lifeSeconds = 24 * 3600;
  await initPki(join(directory, 'pki'), ['127.0.0.1'], { now: () => Date.now(), random: randomBytes });
  const server = readServer(join(directory, 'pki'));
  const hosts = readHostsIssuer(join(directory, 'pki'));
  store = createMemoryStore();
  const shared = { store, clock: systemClock, log: silentLogger };
  inventory = createInventory({ ...shared, ids: randomIds, random: randomBytes });
  const issuer = { ...hosts, clock: systemClock, random: randomBytes };
  const hostAuthority = {
    certificates: hosts.certificates,
    issue: (...wanted: Parameters<ReturnType<typeof createHostAuthority>['issue']>) =>
      createHostAuthority({ ...issuer, lifeSeconds }).issue(...wanted),
  };
  const artifacts = { openArtifact: () => Promise.reject(new Error('none')) };
  api = await startTestApi({
    store,
    tls: { ...server, clientAuthorities: hosts.certificates },
    routes: () => [
      ...createMco({
        ...shared,
        inventory,
        artifacts,
        hostAuthority,
        monitoring: silentMonitoring,
        diagnostics: diagnosticsOver(store).agents,
        m2mSpId: '//iotmano.test',
      }).routes,
      ...hostRoutes({ store, clock: systemClock, inventory }),
      ...enrolmentTokenRoutes(inventory),
    ],
  });
  disconnectRevoked(store, api.disconnect);
  agent = createAgentRunner(api.url);
});

afterEach(async () => {
  await agent.cleanUp();
  await api.close();
  rmSync(directory, { recursive: true, force: true });
});

function token(): string {
  return inventory.tokens.create({}).token;
}

const start = (more: object = {}): Promise<void> =>
  agent.start({ caFile: join(directory, 'pki/ca.crt'), enrolmentToken: token(), ...more });

function sessions() {
  return [...store.list('session')].map(({ document }) => document);
}

async function isHeard(): Promise<void> {
  await eventually('the host is heard', () => store.get('host', HOST_ID)?.document.state === 'READY');
}

interface Shown {
  readonly certificate?: boolean;
  readonly headers?: Record<string, string>;
}

/** A request of the host's machine, made by hand. */
function ask(path: string, { certificate = true, headers = {} }: Shown = {}): Promise<number | string> {
  const key = readFileSync(join(agent.directory, 'host.key'));
  const { certificate: cert } = JSON.parse(
    readFileSync(join(agent.directory, 'certificate.json'), 'utf8'),
  ) as { certificate: string };
  return new Promise((resolve) => {
    const outgoing = httpsRequest(`${api.url}/mco/v1/hosts/${HOST_ID}${path}`, {
      ca: readFileSync(join(directory, 'pki/ca.crt')),
      ...(certificate ? { key, cert } : {}),
      agent: false,
      headers: { 'Mco-Version': '1.0', 'Mco-Sp-Id': '//iotmano.test', 'Mco-Boot-Id': boot(), ...headers },
    });
    outgoing.once('response', (response) => {
      response.resume();
      response.once('close', () => resolve(response.statusCode ?? 0));
    });
    outgoing.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    outgoing.end();
  });
}

/** A request of an operator, who has a token and no certificate. */
function operate(method: string, path: string, body?: object): Promise<{ status: number; body: unknown }> {
  return new Promise((resolve, reject) => {
    const outgoing = httpsRequest(`${api.url}${path}`, {
      method,
      ca: readFileSync(join(directory, 'pki/ca.crt')),
      headers: {
        Authorization: `Bearer ${api.tokenFor('admin', 'system')}`,
        ...(body === undefined ? {} : { 'Content-Type': 'application/merge-patch+json' }),
      },
    });
    outgoing.once('response', (response) => {
      text(response).then(
        (answer) => resolve({ status: response.statusCode ?? 0, body: JSON.parse(answer) as unknown }),
        reject,
      );
    });
    outgoing.once('error', reject);
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

function boot(): string {
  return store.get('host', HOST_ID)?.document.boots.at(-1)?.bootId ?? 'none-00000000';
}

describe('a host with a certificate', () => {
  // MCO-C-060
  it('gets it at enrolment, opens its session with it, and is known by it without a token', async () => {
    await start();
    await isHeard();
    expect(existsSync(join(agent.directory, 'certificate.json'))).toBe(true);
    expect(sessions()).toMatchObject([{ isCertificateBound: true }]);
    expect(await ask('/wanted?full=true')).toBe(200);
    expect(await ask('/wanted?full=true', { headers: { 'Mco-Boot-Id': 'another-boot-0001' } })).toBe(401);
    expect(await ask('/wanted?full=true', { certificate: false })).toBe(401);
  });

  // MCO-C-064
  it('has a token that is good on connections that show its certificate only', async () => {
    await start();
    await isHeard();
    await agent.stop();
    // A token as the agent has one: what the store keeps of it is a hash.
    const { token: bearer } = await inventory.openSession(HOST_ID, {
      roles: ['orchestration', 'monitoring'],
      lastStateId: store.stateId,
      told: { bootId: boot() },
      certificate: {
        hostId: HOST_ID,
        publicKeyX: store.get('host', HOST_ID)?.document.publicKey?.['x'] ?? '',
        validFrom: 0,
        validTo: Number.MAX_SAFE_INTEGER,
      },
    });
    const headers = { Authorization: `Bearer ${bearer}` };
    expect(await ask('/wanted?full=true', { headers })).toBe(200);
    expect(await ask('/wanted?full=true', { headers, certificate: false })).toBe(401);
  });

  // MCO-C-065
  it('proves its key where its certificate has expired, and gets a new one', async () => {
    lifeSeconds = -10;
    await start();
    await isHeard();
    expect(sessions().map(({ isCertificateBound }) => isCertificateBound)).toEqual([undefined]);
    await agent.stop();
    lifeSeconds = 24 * 3600;
    await start();
    await eventually('it has a good one', () => !isExpired());
    await agent.stop();
    await start();
    await eventually('it is taken', () => sessions().some(({ isCertificateBound }) => isCertificateBound));
  });

  it('is no operator, and no other host', async () => {
    await start();
    await isHeard();
    expect(await ask('/../../../../iotmano/v1/hosts')).toBe(403);
    expect(await ask('/../gw-2/wanted?full=true')).toBe(403);
  });
});

function isExpired(): boolean {
  const text = readFileSync(join(agent.directory, 'certificate.json'), 'utf8');
  return Date.parse((JSON.parse(text) as { notAfter: string }).notAfter) < Date.now();
}

describe('a host that is revoked', () => {
  // MCO-C-062 MCO-C-063
  it('is heard no more from that moment on, its poll and connections end, and it comes back with another key only', async () => {
    await start();
    await isHeard();
    expect(await operate('PATCH', `/iotmano/v1/hosts/${HOST_ID}`, { revoked: true })).toMatchObject({
      status: 200,
      body: { revokedAt: expect.any(String) as unknown },
    });
    expect(sessions()).toEqual([]);
    expect(await ask('/wanted?full=true')).toBe(401);
    await agent.stop();
    await expect(start({ enrolmentToken: token() })).resolves.toBeUndefined();
    await agent.stop();
    expect(sessions()).toEqual([]);
    // The thief has a new token, too: the old key is of no use for it.
    const { publicKey } = store.get('host', HOST_ID)?.document ?? {};
    await expect(
      inventory.enrol({
        token: token(),
        hostId: HOST_ID,
        publicKey: { kty: 'OKP', crv: 'Ed25519', x: publicKey?.['x'] ?? '' },
        roles: ['orchestration'],
      }),
    ).rejects.toMatchObject({ code: 'conflict' });
    await start({ mustMakeKey: true });
    await eventually('it is heard again', () => sessions().length > 0);
    expect(store.get('host', HOST_ID)?.document.revokedAt).toBeUndefined();
    expect(await ask('/wanted?full=true')).toBe(200);
  });

  // MCO-C-063
  it('loses open connections at once, and cuts nobody else off', async () => {
    await start();
    await isHeard();
    // The agent's own polls would end ours.
    await agent.stop();
    const revision = store.durableRevision;
    const poll = ask(`/wanted?since=${revision}&wait=10`);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await operate('PATCH', `/iotmano/v1/hosts/${HOST_ID}`, { revoked: true });
    expect([401, 'ECONNRESET']).toContain(await poll);
    expect(await operate('GET', '/iotmano/v1/hosts')).toMatchObject({ status: 200 });
  });
});
