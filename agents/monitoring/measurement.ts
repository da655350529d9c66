import type { components } from '../../api-specs/generated/mco.ts';
import type { WorkloadKey } from '../../vim-drivers/index.ts';

export type Measurement = components['schemas']['measurement'];
export type MeasurementBatch = components['schemas']['measurement-batch'];
export type Alarm = components['schemas']['alarm'];
export type Subject = NonNullable<Measurement['subject']>;

export function subjectOf(key: WorkloadKey, slot: number): Subject {
  return { ...key, slot };
}
