import { messageOf, type Clock, type Logger } from '../../kernel/index.ts';
import type { Inventory } from '../inventory/index.ts';
import { createHeldFor } from '../lifecycle/index.ts';
import type { StateStore, StoredRecord } from '../store/index.ts';
import type { UpgradeHost } from './host-standing.ts';
import { lookAtHosts } from './look-at-hosts.ts';
import { planUpgrade } from './plan-upgrade.ts';
import { writesOf } from './step-writes.ts';

export interface UpgradeEngineOptions {
  readonly store: StateStore;
  readonly inventory: Pick<Inventory, 'hasLease'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Between two looks; default 1000. */
  readonly tickMilliseconds?: number;
}

/**
 * Carries upgrades of agents out. Level-triggered: what is next follows from what is in the store, so that a new leader goes on where an old one was
 * killed. It commits orders; hosts act on them when they are durable.
 */
export interface UpgradeEngine {
  start(): void;
  stop(): Promise<void>;
  /** Does all that can be done now. */
  settle(): void;
  /** Hosts of an upgrade as they are now. */
  hostsOf(upgrade: StoredRecord<'agent-upgrade'>): readonly UpgradeHost[];
}

/** Steps of one upgrade that follow each other without anything else happening: waves of which nothing is left. */
const MOST_STEPS = 100;

export function createUpgradeEngine(options: UpgradeEngineOptions): UpgradeEngine {
  const { store, inventory, clock, log, tickMilliseconds = 1000 } = options;
  const heldFor = createHeldFor(clock);
  const stopping = new AbortController();
  let loop: Promise<void> | undefined;

  const underWay = (): StoredRecord<'agent-upgrade'>[] =>
    [...store.list('agent-upgrade')].filter(({ document }) => document.state === 'PROCESSING');
  const hostsOf = (record: StoredRecord<'agent-upgrade'>): readonly UpgradeHost[] =>
    lookAtHosts({ state: store, inventory, heldFor }, record);

  /** One step. Whether there may be another one at once. */
  function advance(id: string): boolean {
    const record = store.get('agent-upgrade', id);
    if (record === undefined || record.document.state !== 'PROCESSING') return false;
    const { document } = record;
    const hosts = hostsOf(record);
    const bakedSeconds =
      document.bakingSince === undefined
        ? undefined
        : (clock.now() - Date.parse(document.bakingSince)) / 1000;
    const step = planUpgrade(document, hosts, bakedSeconds);
    const writes = writesOf(store, record, step, hosts, clock.now());
    if (writes.length === 0) return false;
    store.commit(writes);
    log.info({ agentUpgradeId: id, version: document.version, step: step.type }, 'upgrade of agents');
    return true;
  }

  function settle(): void {
    const records = underWay();
    heldFor.retain(new Set(records.map(({ id }) => id)));
    for (const { id } of records) {
      try {
        for (let step = 0; step < MOST_STEPS && advance(id); step += 1);
      } catch (error) {
        log.error({ agentUpgradeId: id, reason: messageOf(error) }, 'an upgrade of agents does not get on');
      }
    }
  }

  return {
    settle,
    hostsOf,
    start: () => {
      loop ??= (async () => {
        while (!stopping.signal.aborted) {
          settle();
          await clock.sleep(tickMilliseconds, stopping.signal);
        }
      })();
    },
    stop: async () => {
      stopping.abort();
      await loop;
    },
  };
}
