import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { randomIds, renderAgentProgram, silentLogger, systemClock } from '../../kernel/index.ts';
import {
  createAgentReleases,
  createAgentUpgrades,
  createUpgradeEngine,
  type AgentUpgrades,
  type UpgradeEngine,
} from '../../orchestrator/agent-upgrades/index.ts';
import type { Inventory } from '../../orchestrator/inventory/index.ts';
import type { McoOptions } from '../../orchestrator/mco/index.ts';
import { openContentFiles, type ContentFiles } from '../../orchestrator/packages/index.ts';
import type { StateStore } from '../../orchestrator/store/index.ts';
import type { OperatorAction } from '../index.ts';

/** Upgrades agents over a store, as the composition root of an orchestrator does. */
export interface UpgradingOperator {
  readonly artifacts: McoOptions['artifacts'];
  /** Whether it is the program that hosts are upgraded to. */
  isProgram(digest: string): boolean;
  /** To be called once. */
  begin(inventory: Pick<Inventory, 'hasLease'>): void;
  /** Undefined: another action. */
  do(action: OperatorAction, hosts: readonly string[]): Promise<string> | undefined;
  close(): Promise<void>;
}

export const UPGRADING: readonly OperatorAction[] = ['upgrade-begin', 'upgrade-state', 'upgrade-end'];

const MOST_BYTES = 1024 * 1024;

export async function createUpgradingOperator(store: StateStore): Promise<UpgradingOperator> {
  const folder = mkdtempSync(join(tmpdir(), 'upgrading-'));
  const files: ContentFiles = await openContentFiles(folder, MOST_BYTES);
  const shared = { store, clock: systemClock, ids: randomIds };
  const releases = createAgentReleases({ ...shared, files });
  const upgrades = createAgentUpgrades({ ...shared, releases });
  let engine: UpgradeEngine | undefined;
  releases.start();

  const newest = (): ReturnType<AgentUpgrades['get']> | undefined =>
    [...upgrades.list()].toSorted((one, other) => one.revision - other.revision).at(-1);

  async function begin(hosts: readonly string[]): Promise<string> {
    const program = renderAgentProgram({ version: '9.9.9', formats: {} });
    const { release } = await releases.add(
      Readable.from([Buffer.from(program)]),
      new AbortController().signal,
    );
    const request = {
      agentReleaseId: release.id,
      waves: [{ count: 1 }, { count: 3 }],
      select: `host in (${hosts.join(', ')})`,
    };
    upgrades.create(request, () => []);
    return '';
  }

  function end(): string {
    const upgrade = newest();
    if (upgrade === undefined) return '';
    if (upgrade.document.state === 'PROCESSING') upgrades.act(upgrade.id, 'cancel');
    if (upgrades.get(upgrade.id).document.state === 'FAILED_TEMP') upgrades.act(upgrade.id, 'fail');
    return '';
  }

  return {
    isProgram: (digest) => [...releases.list()].some(({ document }) => document.digest === digest),
    artifacts: { openArtifact: (digest) => files.openArtifact(digest) },
    begin: (inventory) => {
      engine = createUpgradeEngine({
        store,
        inventory,
        clock: systemClock,
        log: silentLogger,
        tickMilliseconds: 200,
      });
      engine.start();
    },
    do: (action, hosts) => {
      switch (action) {
        case 'upgrade-begin':
          return begin(hosts);
        case 'upgrade-state': {
          const upgrade = newest();
          return Promise.resolve(JSON.stringify(upgrade === undefined ? [] : engine?.hostsOf(upgrade)));
        }
        case 'upgrade-end':
          return Promise.resolve(end());
        default:
          return undefined;
      }
    },
    close: async () => {
      await engine?.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
