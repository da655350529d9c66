import type { Clock, HostId, IdSource, Logger } from '../../kernel/index.ts';
import { assignmentId, type VimConnectionDocument } from '../domain/index.ts';
import type { Monitoring } from '../monitoring/index.ts';
import type { StateView } from '../store/index.ts';
import type { ObservedWorkload, VimDriver } from '../../vim-drivers/index.ts';
import { runCollector, type CollectionJob } from '../../vim-drivers/collection/index.ts';

export interface CollectionOptions {
  readonly store: StateView;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly log: Logger;
  readonly monitoring: Pick<Monitoring, 'collectionJobsFor' | 'ingestMeasurements'>;
  readonly hostId: HostId;
  readonly connection: VimConnectionDocument;
  readonly driver: VimDriver;
  readonly observed: () => readonly ObservedWorkload[];
}

/** How soon new jobs are found. */
const MOST_PAUSE_MILLISECONDS = 2000;

/** Measures what runs on a VIM as its monitoring agent would, if it had one. @returns the end of it */
export function collectFrom(options: CollectionOptions): () => void {
  const { store, clock, log, monitoring, hostId, driver, observed } = options;
  const ending = new AbortController();
  const bootId = options.ids.uuid();
  let sequence = 0;
  const metricsOf = (key: ObservedWorkload['key']) =>
    store.get('assignment', assignmentId(hostId, key))?.document.workload.spec.metrics;
  void runCollector({
    scene: () => ({
      jobs: monitoring.collectionJobsFor(hostId) as readonly CollectionJob[],
      observed: observed(),
      metricsOf,
      address: scrapeAddress(options),
    }),
    drivers: [driver],
    take: async (points) => {
      if (points.length === 0 || ending.signal.aborted) return;
      sequence += 1;
      monitoring.ingestMeasurements(hostId, { bootId, sequence }, { points: [...points] });
    },
    pause: (milliseconds, signal) => clock.sleep(Math.min(milliseconds, MOST_PAUSE_MILLISECONDS), signal),
    clock,
    log,
    signal: ending.signal,
  });
  return () => ending.abort();
}

/** Ports that only the engine's machine may reach are on its loopback address, which is ours where its socket is. */
function scrapeAddress({ store, hostId, connection: { vimType, interfaceInfo } }: CollectionOptions): string {
  const { endpoint = '' } = interfaceInfo;
  if (vimType === 'docker' && endpoint.startsWith('unix:')) return '127.0.0.1';
  if (vimType === 'docker' && URL.canParse(endpoint))
    return new URL(endpoint).hostname.replace(/^\[|\]$/g, '');
  return store.get('host-facts', hostId)?.document.address ?? '127.0.0.1';
}
