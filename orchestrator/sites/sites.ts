import { IotmanoError, type HostId } from '../../kernel/index.ts';
import { hostIdOf, isSameJson } from '../domain/index.ts';
import { isStateConfirmed, raiseAlarm } from '../inventory/index.ts';
import type { Change, StoredRecord } from '../store/index.ts';
import { openSite, type Site, type SiteOptions } from './site.ts';
import { collectFrom, type CollectionOptions } from './collect-from.ts';

export type SitesOptions = Omit<SiteOptions, 'connection' | 'onOpened'> &
  Pick<CollectionOptions, 'monitoring'>;

/** The VIMs that this process drives: one site for each connection, as the store has them. */
export interface Sites {
  /** Undefined where nothing drives it yet, or any more. */
  siteOf(vimId: string): Site | undefined;
  /** @throws IotmanoError `unavailable` where nothing drives it, which is so for a moment only: between a change of its connection and the opening of it */
  requireSite(vimId: string): Site;
  start(): Promise<void>;
  /** Lets go of all; what runs there runs on. */
  stop(): Promise<void>;
}

type Connection = StoredRecord<'vim-connection'>;

/** To be created before anything is committed by this leader. Acts on durable changes only, and only between `start` and `stop`. */
export function createSites(options: SitesOptions): Sites {
  const { store, log } = options;
  const sites = new Map<string, { readonly connection: Connection; readonly site: Site }>();
  /** One after the other for each VIM: the driver before lets go before the next one opens. */
  const closings = new Map<string, Promise<void>>();
  let isRunning = false;

  const unsubscribe = store.subscribe((change) => {
    if (isRunning) takeIn(change);
  });

  function takeIn({ entries }: Change): void {
    for (const { kind, id, record } of entries) {
      if (kind === 'vim-connection') void follow(id, record as Connection | undefined);
      if (kind === 'assignment') sites.get(hostIdOf(id))?.site.changed();
      if (kind === 'host') sites.get(id)?.site.changed();
    }
  }

  async function follow(vimId: string, connection: Connection | undefined): Promise<void> {
    const before = sites.get(vimId);
    if (connection !== undefined && isSameJson(before?.connection.document, connection.document)) return;
    sites.delete(vimId);
    const closing = Promise.all([closings.get(vimId), before?.site.close()]).then(() => undefined);
    closings.set(vimId, closing);
    await closing;
    if (closings.get(vimId) !== closing) return;
    closings.delete(vimId);
    if (connection !== undefined && isRunning) begin(connection);
  }

  function begin(connection: Connection): void {
    const hostId = connection.id as HostId;
    alarmUnconfirmed(hostId);
    const site = openSite({
      ...options,
      connection,
      onOpened: (driver, observed) =>
        collectFrom({ ...options, hostId, driver, observed, connection: connection.document }),
    });
    sites.set(connection.id, { connection, site });
    log.debug({ vimId: connection.id }, 'VIM is driven');
  }

  function alarmUnconfirmed(hostId: HostId): void {
    const host = store.get('host', hostId)?.document;
    if (host === undefined || isStateConfirmed(host, store.stateId)) return;
    const text = `VIM ${hostId} gets no orders, and what runs there runs on: the state of this orchestrator, or the place where the VIM is reached, is another than the one that its functions were placed with; see that both are right, then confirm (iotmano host confirm ${hostId})`;
    store.commit(raiseAlarm(store, 'state-id-changed', { hostId }, text, options.clock.now()));
  }

  return {
    siteOf: (vimId) => sites.get(vimId)?.site,
    requireSite: (vimId) => {
      const site = sites.get(vimId)?.site;
      if (site !== undefined) return site;
      throw new IotmanoError(
        'unavailable',
        `nothing drives VIM ${vimId} at this moment; try again in a second`,
      );
    },
    start: async () => {
      await store.whenDurable();
      isRunning = true;
      for (const connection of store.list('vim-connection')) begin(connection);
    },
    stop: async () => {
      isRunning = false;
      unsubscribe();
      const closing = [...sites.values()].map(({ site }) => site.close());
      sites.clear();
      await Promise.all([...closing, ...closings.values()]);
    },
  };
}
