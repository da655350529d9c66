import type { components } from '../../api-specs/generated/mco.ts';
import type { AssignmentDocument } from '../domain/index.ts';
import { workloadId, type WorkloadKey } from '../../vim-drivers/index.ts';
import type { DeclaredIndicator } from './indicators.ts';

export type CollectionJob = components['schemas']['collection-job'];

export const DEFAULT_EVERY_SECONDS = 10;

/**
 * What the monitoring agent of a host has to collect: the host itself, the usage of each workload, and what a workload's descriptor
 * declares as indicators. Port and path to scrape are in the workload's own specification, where the agent has its resolved ports.
 * @param assignments of one host
 * @param everySecondsOf how often the descriptor wants the metrics of a workload's unit to be read
 * @param indicatorsOf what the descriptor declares for a workload's unit; where it declares none, everything is kept
 */
export function collectionJobs(
  assignments: readonly AssignmentDocument[],
  indicatorsOf: (key: WorkloadKey) => readonly DeclaredIndicator[],
  everySecondsOf: (key: WorkloadKey) => number | undefined,
  everySeconds = DEFAULT_EVERY_SECONDS,
): readonly CollectionJob[] {
  return [
    { jobId: 'host', source: 'host', everySeconds },
    ...assignments.flatMap(({ workload: { key, spec } }): CollectionJob[] => {
      const id = workloadId(key);
      const usage: CollectionJob = { jobId: `usage.${id}`, source: 'usage', workload: key, everySeconds };
      if (spec.metrics === undefined) return [usage];
      const metrics = namesOf(indicatorsOf(key));
      const kept = metrics.length === 0 ? {} : { metrics };
      return [
        usage,
        {
          jobId: `scrape.${id}`,
          source: 'scrape',
          workload: key,
          ...kept,
          everySeconds: everySecondsOf(key) ?? everySeconds,
        },
      ];
    }),
  ];
}

function namesOf(indicators: readonly DeclaredIndicator[]): string[] {
  const names = indicators.flatMap(({ name, quantile }) =>
    quantile === undefined ? [name] : [`${name}_bucket`, `${name}_sum`, `${name}_count`],
  );
  return [...new Set(names)];
}
