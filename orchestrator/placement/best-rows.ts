import { scoreOf, type CompiledRequest } from './compile-request.ts';
import type { HostIndex } from './host-index.ts';

interface RatedRow {
  readonly row: number;
  readonly score: number;
}

/** The rows that can take one more now, best first. Looks at every host. @param most of them */
export function bestRows(index: HostIndex, compiled: CompiledRequest, most = Infinity): readonly number[] {
  const compare = (a: RatedRow, b: RatedRow): number => b.score - a.score || index.compareRows(a.row, b.row);
  let best: RatedRow[] = [];
  compiled.eligible.forEach((row) => {
    if (!compiled.fits(row)) return;
    const rated = { row, score: scoreOf(compiled, row) };
    const last = best[most - 1];
    if (last !== undefined && compare(last, rated) < 0) return;
    best.push(rated);
    if (most < Infinity) best = best.toSorted(compare).slice(0, most);
  });
  return best.toSorted(compare).map(({ row }) => row);
}
