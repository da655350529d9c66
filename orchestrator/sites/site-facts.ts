import type { HostFactsDocument, VimExtra } from '../domain/index.ts';
import type { DriverCapabilities, HostInventory } from '../../vim-drivers/index.ts';

export type SiteFacts = Omit<HostFactsDocument, 'sequence' | 'bootId'>;

/** Storage that is free moves all the time, and counts from a twentieth of the whole on. */
const NEWS_PART = 20;
const LABEL_NAME = /^[A-Za-z0-9._/-]{1,100}$/;
// eslint-disable-next-line no-control-regex -- they are what is looked for
const LABEL_VALUE = /^[^\u0000-\u001f\u007f]{0,200}$/;
const MOST_LABELS = 100;

/** What a VIM is as a host: what its driver measures, and over that what the operator states. */
export function toFacts(
  host: HostInventory,
  { driver, artifactTypes }: DriverCapabilities,
  extra: VimExtra,
): SiteFacts {
  const { capacity, allocatable } = host;
  const cores = Math.max(1, Math.round(capacity.cpuMillis / 1000));
  return {
    architecture: host.architecture,
    tier: extra.tier ?? host.tier ?? 'cloud',
    labels: { ...fitting(host.labels), ...extra.labels },
    drivers: [{ name: driver, artifactTypes }],
    cpu: {
      cores,
      score: Math.max(0.001, capacity.cpuMillis / 1000 / cores),
      allocatableMillis: allocatable.cpuMillis,
    },
    memory: { totalBytes: capacity.memoryBytes, allocatableBytes: allocatable.memoryBytes },
    storage: {
      totalBytes: capacity.storageBytes,
      allocatableBytes: allocatable.storageBytes,
      medium: 'unknown',
    },
    address: extra.address ?? host.address,
    ...(extra.reachableFrom === undefined ? {} : { reachableFrom: extra.reachableFrom }),
    ...(extra.jurisdiction === undefined ? {} : { jurisdiction: extra.jurisdiction }),
    ...(extra.infrastructureProvider === undefined
      ? {}
      : { infrastructureProvider: extra.infrastructureProvider }),
    devices: [],
    latencies: [],
    cses: [],
    agentVersion: '',
  };
}

/** Whether it is worth writing. */
export function isNews(before: SiteFacts | undefined, now: SiteFacts): boolean {
  if (before === undefined) return true;
  const moved = Math.abs(before.storage.allocatableBytes - now.storage.allocatableBytes);
  const steady = (facts: SiteFacts): string =>
    JSON.stringify({ ...facts, storage: { ...facts.storage, allocatableBytes: 0 } });
  return moved > now.storage.totalBytes / NEWS_PART || steady(before) !== steady(now);
}

/** Labels of a platform may be anything; ours are what agents may send. */
function fitting(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const fit = Object.entries(labels).filter(
    ([name, value]) => LABEL_NAME.test(name) && LABEL_VALUE.test(value),
  );
  return Object.fromEntries(fit.slice(0, MOST_LABELS));
}
