import { bestRows } from './best-rows.ts';
import { scoreByPart, scoreOf, type CompiledRequest } from './compile-request.ts';
import type { HostIndex } from './host-index.ts';
import type { Decision, RatedHost } from './plan-types.ts';

const MOST_RUNNERS_UP = 3;

/** How the hosts compared when one was chosen. They are compared only for who asks, which has to be before anything else is booked. */
export function decisionOf(index: HostIndex, compiled: CompiledRequest, chosen: number): Decision {
  return {
    functionId: compiled.request.functionId,
    unit: compiled.demand.unit,
    get chosen() {
      return rate(index, compiled, chosen);
    },
    get runnersUp() {
      return bestRows(index, compiled, MOST_RUNNERS_UP + 1)
        .filter((row) => row !== chosen)
        .slice(0, MOST_RUNNERS_UP)
        .map((row) => rate(index, compiled, row));
    },
  };
}

export function rate(index: HostIndex, compiled: CompiledRequest, row: number): RatedHost {
  return {
    hostId: index.idOf(row),
    score: scoreOf(compiled, row),
    parts: scoreByPart(index, compiled, row),
  };
}
