import type { WorkloadUsage } from '../contract.ts';
import type { ContainerView } from './container-view.ts';
import type { Engine } from './engine.ts';
import { hasStatus } from './engine-errors.ts';

/** What `docker stats` reads, as far as it is used. */
export interface ContainerStats {
  readonly cpu_stats?: { readonly cpu_usage?: { readonly total_usage?: number } };
  readonly memory_stats?: { readonly usage?: number; readonly stats?: Readonly<Record<string, number>> };
  readonly networks?: Readonly<Record<string, { readonly rx_bytes: number; readonly tx_bytes: number }>>;
}

type Usage = Pick<
  WorkloadUsage['instances'][number],
  'cpuSeconds' | 'memoryBytes' | 'receivedBytes' | 'sentBytes'
>;

/** Measures one running container; nothing when it has just ended. */
export async function measureContainer(engine: Engine, view: ContainerView): Promise<Usage | undefined> {
  try {
    const stats = await engine.request<ContainerStats>({
      method: 'GET',
      path: `/containers/${view.id}/stats`,
      query: { stream: false, 'one-shot': true },
      what: 'measure a container',
    });
    return readStats(stats);
  } catch (error) {
    if (hasStatus(error, 404, 409)) return undefined;
    throw error;
  }
}

/** The figures as `docker stats` shows them: cached pages that are given back on demand are not a need. */
export function readStats({ cpu_stats, memory_stats, networks }: ContainerStats): Usage | undefined {
  const used = memory_stats?.usage;
  if (used === undefined) return undefined;
  const { total_inactive_file: one, inactive_file: two } = memory_stats?.stats ?? {};
  const inactive = one ?? two ?? 0;
  const traffic = Object.values(networks ?? {});
  return {
    cpuSeconds: (cpu_stats?.cpu_usage?.total_usage ?? 0) / 1e9,
    memoryBytes: inactive < used ? used - inactive : used,
    receivedBytes: traffic.reduce((sum, { rx_bytes }) => sum + rx_bytes, 0),
    sentBytes: traffic.reduce((sum, { tx_bytes }) => sum + tx_bytes, 0),
  };
}
