import { randomBytes } from 'node:crypto';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { parseId, randomIds, systemClock, type HostId } from '../../../kernel/index.ts';
import {
  createFakeDriver,
  createFakeWorld,
  noFailures,
  type FailureSwitches,
  type FakeWorld,
} from '../../../vim-drivers/fake/index.ts';
import { createMco, enrolmentTokenRoutes, hostRoutes } from '../../mco/index.ts';
import { createInventory, type Inventory } from '../../inventory/index.ts';
import { createMonitoring, monitoringRoutes, type Monitoring } from '../../monitoring/index.ts';
import { diagnosticsOver } from '../../diagnostics/testkit/diagnostics-over.ts';
import { eventRoutes } from '../../api/index.ts';
import { createMemoryStore, type MemoryStore } from '../../store/index.ts';
import { sharedDocuments, type ApiClient } from '../../../test/kit/api-client.ts';
import { startTestApi, type TestApi } from '../../../test/kit/api-server.ts';
import {
  createSecretBox,
  createSites,
  createVimUseCases,
  vimRoutes,
  type OpenDriver,
  type Sites,
  type VimOpening,
} from '../index.ts';

export const VIMS = '/iotmano/v1/vim_connections';
export const DOCKER = {
  vimType: 'docker',
  interfaceInfo: { endpoint: 'unix:///var/run/docker.sock' },
} as const;
export const TOKEN = 'a-bearer-token-that-nobody-may-see';

/** Sites over fake platforms, with all routes that concern them, on a port of its own. */
export interface SitesBench {
  readonly url: string;
  readonly store: MemoryStore;
  readonly world: FakeWorld;
  readonly inventory: Inventory;
  readonly monitoring: Monitoring;
  readonly sites: Sites;
  readonly admin: ApiClient;
  clientFor: TestApi['clientFor'];
  tokenFor: TestApi['tokenFor'];
  /** What drivers were opened with, in order. */
  readonly openings: readonly VimOpening[];
  /** What goes wrong at the platform of that VIM. */
  failuresOf(vimId: string): FailureSwitches;
  /** Everything that was logged. */
  logged(): string;
  /** As a process that ends; the store and the platforms stay. */
  close(): Promise<void>;
}

export interface SitesBenchOptions {
  readonly store?: MemoryStore;
  readonly world?: FakeWorld;
  readonly secretsKey?: Uint8Array;
  /** In the place of the one over the world. */
  readonly openDriver?: OpenDriver;
}

export async function startSitesBench(options: SitesBenchOptions = {}): Promise<SitesBench> {
  const store = options.store ?? createMemoryStore();
  const clock = systemClock;
  const world = options.world ?? createFakeWorld({ clock });
  const { log, logged } = recordedLog();
  const failures = new Map<string, FailureSwitches>();
  const openings: VimOpening[] = [];
  const failuresOf = (vimId: string): FailureSwitches => {
    const known = failures.get(vimId) ?? noFailures();
    failures.set(vimId, known);
    return known;
  };
  const openFake: OpenDriver = async (opening) =>
    createFakeDriver({
      world,
      hostId: parseId<HostId>(opening.vimId, 'vimId'),
      failures: failuresOf(opening.vimId),
    });
  const inventory = createInventory({ store, clock, ids: randomIds, random: randomBytes, log });
  const monitoring = createMonitoring({ store, clock, collectEverySeconds: 1 });
  const secrets = createSecretBox({ type: 'key', key: options.secretsKey ?? randomBytes(32) });
  const shared = { store, clock, ids: randomIds, log, inventory, secrets };
  const openDriver: OpenDriver = async (opening) => {
    openings.push(opening);
    return await (options.openDriver ?? openFake)(opening);
  };
  const sites = createSites({ ...shared, monitoring, openDriver });
  const check = sharedDocuments().operation('POST', VIMS)?.bodies[0]?.check;
  const vims = createVimUseCases({
    ...shared,
    checkRegistration: (value) => check?.(value),
    requireSite: (vimId) => sites.requireSite(vimId),
  });
  const artifacts = { openArtifact: async () => Promise.reject(new RangeError('no artifacts here')) };
  const m2mSpId = '//iotmano.test';
  const diagnostics = diagnosticsOver(store, {
    siteOf: (vimId) => sites.requireSite(vimId),
  });
  const api = await startTestApi({
    store,
    routes: () => [
      ...vimRoutes({ store, sites, vims }),
      ...diagnostics.routes,
      ...hostRoutes({ store, clock, inventory }),
      ...enrolmentTokenRoutes(inventory),
      ...monitoringRoutes(monitoring, store),
      ...eventRoutes({ store, clock }),
      ...createMco({ ...shared, monitoring, artifacts, diagnostics: diagnostics.agents, m2mSpId }).routes,
    ],
  });
  const ending = new AbortController();
  const judging = inventory.run(ending.signal);
  await sites.start();
  return {
    url: api.url,
    store,
    world,
    inventory,
    monitoring,
    sites,
    admin: api.clientFor('admin'),
    clientFor: api.clientFor,
    tokenFor: api.tokenFor,
    openings,
    failuresOf,
    logged,
    close: async () => {
      ending.abort();
      await Promise.all([api.close(), sites.stop(), judging]);
      monitoring.close();
    },
  };
}

function recordedLog() {
  let text = '';
  const sink = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      text += chunk.toString();
      done();
    },
  });
  return { log: pino({ level: 'debug' }, sink), logged: () => text };
}
