import type { components } from '../../api-specs/generated/mco.ts';
import type { WorkloadKey } from '../contract.ts';

/** One measured value, in the words of Mco. */
export type Measurement = components['schemas']['measurement'];
export type Subject = NonNullable<Measurement['subject']>;

/** What to collect, and how often. */
export type CollectionJob = Omit<components['schemas']['collection-job'], 'workload'> & {
  /** Whose; absent for `host`. */
  readonly workload?: WorkloadKey;
};

export function subjectOf(key: WorkloadKey, slot: number): Subject {
  return { ...key, slot };
}
