import { scoreByPart, type CompiledRequest } from './compile-request.ts';
import type { HostIndex } from './host-index.ts';
import type { Decision, RatedHost } from './types.ts';

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
      return rank(index, compiled)
        .filter(({ row }) => row !== chosen)
        .slice(0, MOST_RUNNERS_UP)
        .map(({ row }) => rate(index, compiled, row));
    },
  };
}

export interface RankedRow {
  readonly row: number;
  readonly score: number;
}

/** All rows that can take one more now, best first. Looks at each of them. */
export function rank(index: HostIndex, compiled: CompiledRequest): readonly RankedRow[] {
  const ranked: RankedRow[] = [];
  compiled.eligible.forEach((row) => {
    if (compiled.fits(row)) ranked.push({ row, score: scoreOf(compiled, row) });
  });
  return ranked.toSorted((a, b) => b.score - a.score || index.compareRows(a.row, b.row));
}

export function rate(index: HostIndex, compiled: CompiledRequest, row: number): RatedHost {
  return {
    hostId: index.idOf(row),
    score: scoreOf(compiled, row),
    parts: scoreByPart(index, compiled, row),
  };
}

function scoreOf(compiled: CompiledRequest, row: number): number {
  return compiled.key(row) + compiled.limits.score(row, false);
}
