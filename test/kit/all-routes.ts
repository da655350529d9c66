import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { randomIds, silentLogger, systemClock } from '../../kernel/index.ts';
import { readPackage } from '../../descriptors/index.ts';
import {
  accessTokenRoutes,
  apiVersionRoutes,
  eventRoutes,
  healthRoutes,
  metricsRoutes,
  oauthRoutes,
  randomSecrets,
  type Route,
} from '../../orchestrator/api/index.ts';
import { vnfLcmRoutes } from '../../orchestrator/api/vnflcm-routes.ts';
import { createInventory } from '../../orchestrator/inventory/index.ts';
import { createLifecycle, randomKeys } from '../../orchestrator/lifecycle/index.ts';
import { createMcoRoutes, enrolmentTokenRoutes, hostRoutes } from '../../orchestrator/mco/index.ts';
import { createOnboarding, openContentFiles, packageRoutes } from '../../orchestrator/packages/index.ts';
import { createMemoryStore, type MemoryStore } from '../../orchestrator/store/index.ts';
import { sharedDocuments } from './api-client.ts';

export interface AllRoutes {
  readonly store: MemoryStore;
  readonly routes: readonly Route[];
  close(): Promise<void>;
}

/** Every route of every room over one memory store, without the loops that act on it. */
export async function composeAllRoutes(): Promise<AllRoutes> {
  const store = createMemoryStore();
  const directory = await mkdtemp(join(tmpdir(), 'iotmano-routes-'));
  const common = { store, clock: systemClock, ids: randomIds, log: silentLogger, logger: silentLogger };
  const files = await openContentFiles(directory, 64 * 1024 * 1024);
  const onboarding = createOnboarding({ ...common, files, read: readPackage, checkService: () => [] });
  const inventory = createInventory({ ...common, random: randomBytes });
  const lifecycle = createLifecycle({
    ...common,
    keys: randomKeys,
    liveness: inventory,
    templates: () => '',
  });
  const documents = sharedDocuments();
  return {
    store,
    routes: [
      ...healthRoutes(() => true),
      ...metricsRoutes(new Registry()),
      ...apiVersionRoutes(documents),
      ...oauthRoutes(store, systemClock),
      ...accessTokenRoutes({ ...common, secrets: randomSecrets }),
      ...eventRoutes({ ...common, heartbeatMilliseconds: 1000 }),
      ...packageRoutes({ state: store, onboarding, files }),
      ...vnfLcmRoutes(lifecycle),
      ...hostRoutes({ ...common, inventory }),
      ...enrolmentTokenRoutes(inventory),
      ...createMcoRoutes({
        ...common,
        inventory,
        artifacts: files,
        m2mSpId: '//test.example',
        monitoring: {
          ingestMeasurements: () => ({}) as never,
          ingestAlarms: () => ({}) as never,
          collectionJobsFor: () => [],
        },
      }),
    ],
    async close() {
      await onboarding.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
