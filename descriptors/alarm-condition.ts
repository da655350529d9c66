import { parseSeconds } from '../kernel/index.ts';

/** `queue_depth > 500 for 30s`, read. */
export interface AlarmCondition {
  readonly indicator: string;
  readonly comparison: '>' | '>=' | '<' | '<=' | '=';
  readonly bound: number;
  /** It has to hold without a break for so long; 0: once is enough. */
  readonly forSeconds: number;
}

const CONDITION = /^(\w+) *(>=|<=|>|<|=) *(-?[0-9.]+)(?: +for +(\S+))?$/;

/** @returns undefined for what the schema refuses */
export function parseAlarmCondition(when: string): AlarmCondition | undefined {
  const [, indicator, comparison, bound, duration] = CONDITION.exec(when) ?? [];
  const forSeconds = duration === undefined ? 0 : parseSeconds(duration);
  if (indicator === undefined || forSeconds === undefined) return undefined;
  return {
    indicator,
    comparison: comparison as AlarmCondition['comparison'],
    bound: Number(bound),
    forSeconds,
  };
}
