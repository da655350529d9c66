import type { VnfInstanceId } from '../../kernel/index.ts';

/** Id of the one record of an aspect of a function. Those of a function begin with its id and a dot. */
export function scalingAspectId(vnfInstanceId: VnfInstanceId, aspect: string): string {
  return `${vnfInstanceId}.${aspect}`;
}
