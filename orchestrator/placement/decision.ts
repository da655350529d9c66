import { scoreByPart, type CompiledRequest } from './compile-request.ts';
import type { HostIndex } from './host-index.ts';
import type { Decision, RatedHost } from './types.ts';

const MOST_RUNNERS_UP = 3;

/** How the hosts compared when one was chosen. Looks at all of them: for explanations only. */
export function decisionOf(index: HostIndex, compiled: CompiledRequest, chosen: number): Decision {
  const rated: { readonly row: number; readonly score: number }[] = [];
  compiled.eligible.forEach((row) => {
    if (row !== chosen && compiled.fits(row))
      rated.push({ row, score: compiled.key(row) + compiled.limits.score(row, false) });
  });
  rated.sort((a, b) => b.score - a.score || index.compareRows(a.row, b.row));
  const rate = (row: number): RatedHost => ({
    hostId: index.idOf(row),
    score: compiled.key(row) + compiled.limits.score(row, false),
    parts: scoreByPart(index, compiled, row),
  });
  return {
    functionId: compiled.request.functionId,
    unit: compiled.demand.unit,
    chosen: rate(chosen),
    runnersUp: rated.slice(0, MOST_RUNNERS_UP).map(({ row }) => rate(row)),
  };
}
