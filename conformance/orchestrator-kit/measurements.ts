import { toTimestamp } from '../../kernel/index.ts';
import type { Schemas } from './played-host.ts';

/** What played hosts measure. */
export const METRIC = 'host_cpu_used_ratio';

export function pointAt(epochMilliseconds: number, value: number): Schemas['measurement'] {
  return { metric: METRIC, unit: '1', timestamp: toTimestamp(epochMilliseconds), value };
}
