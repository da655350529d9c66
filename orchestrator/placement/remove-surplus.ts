import { compileRequest, scoreOf } from './compile-request.ts';
import type { HostIndex } from './host-index.ts';
import type { PlacementRequest, PlacementRule } from './types.ts';

/** Takes away what is too many: from hosts that are not READY first, then where the next one would be placed last. */
export function removeSurplus(
  index: HostIndex,
  requests: readonly PlacementRequest[],
  rules: readonly PlacementRule[],
): void {
  for (const request of requests) {
    const { functionId } = request;
    for (const demand of request.units) {
      let surplus = index.occupancy.countOf(functionId, demand.unit) - demand.instances;
      if (surplus <= 0) continue;
      const compiled = compileRequest(index, request, demand, rules);
      const goesFirst = (a: number, b: number): number =>
        Number(index.isReady(a)) - Number(index.isReady(b)) ||
        scoreOf(compiled, a) - scoreOf(compiled, b) ||
        index.compareRows(b, a);
      for (; surplus > 0; surplus -= 1) {
        const [worst] = [...index.occupancy.rowsOfUnit(functionId, demand.unit).keys()].toSorted(goesFirst);
        if (worst === undefined) break;
        index.book(functionId, demand, worst, -1);
        compiled.limits.recount(index.occupancy.rowsOf(functionId));
      }
    }
  }
}
