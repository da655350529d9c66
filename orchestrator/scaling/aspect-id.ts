import type { NsInstanceId, VnfInstanceId } from '../../kernel/index.ts';

/** What has aspects: a function, or a service. */
export type ScaledId = VnfInstanceId | NsInstanceId;

/** Id of the one record of an aspect of a function or service. Those of one begin with its id and a dot. */
export function scalingAspectId(id: ScaledId, aspect: string): string {
  return `${id}.${aspect}`;
}
