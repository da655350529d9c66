import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomIds, silentLogger, systemClock } from '../../kernel/index.ts';
import type { Route } from '../../orchestrator/api/index.ts';
import { compose } from '../../orchestrator/compose.ts';
import { openContentFiles } from '../../orchestrator/packages/index.ts';
import { createSecretBox } from '../../orchestrator/sites/index.ts';
import { createMemoryStore, type MemoryStore } from '../../orchestrator/store/index.ts';
import { sharedDocuments } from './api-client.ts';

export interface AllRoutes {
  readonly store: MemoryStore;
  readonly routes: readonly Route[];
  close(): Promise<void>;
}

const MAX_PACKAGE_BYTES = 64 * 1024 * 1024;

/** Every route that the orchestrator serves, over one memory store; the loops that act on it stand still. */
export async function composeAllRoutes(): Promise<AllRoutes> {
  const store = createMemoryStore();
  const directory = await mkdtemp(join(tmpdir(), 'iotmano-routes-'));
  const composition = compose({
    store,
    files: await openContentFiles(directory, MAX_PACKAGE_BYTES),
    documents: sharedDocuments(),
    clock: systemClock,
    ids: randomIds,
    log: silentLogger,
    m2mSpId: '//test.example',
    secrets: createSecretBox({ type: 'key', key: randomBytes(32) }),
    openDriver: async () => {
      throw new RangeError('no VIM is opened here');
    },
  });
  return {
    store,
    routes: composition.routes,
    async close() {
      await composition.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
