import type { VnfInstanceId } from '../../kernel/index.ts';
import { compileRequest, type CompiledRequest } from './compile-request.ts';
import { decisionOf } from './decision.ts';
import type { Booking, HostIndex } from './host-index.ts';
import type { Decision } from './plan-types.ts';
import type { PlacementProblem, UnitDemand } from './types.ts';

interface Run {
  readonly functionId: VnfInstanceId;
  readonly demand: UnitDemand;
  readonly compiled: CompiledRequest;
}

/** Books a plan once more, telling each of its decisions with how the hosts compared. Coverage decides nothing. */
export function explainPlan(
  index: HostIndex,
  { requests, rules }: PlacementProblem,
  bookings: readonly Booking[],
  { isPacking, tell }: { readonly isPacking: boolean; tell(decision: Decision): void },
): void {
  let run: Run | undefined;
  for (const { functionId, demand, row, sign, isEviction } of bookings) {
    if (isEviction) {
      index.evict(functionId, demand, row);
      continue;
    }
    const request = requests.find((each) => each.functionId === functionId);
    if (sign === 1 && request !== undefined && request.coverage === undefined) {
      if (run?.functionId !== functionId || run.demand !== demand)
        run = { functionId, demand, compiled: compileRequest(index, request, demand, rules, { isPacking }) };
      tell(decisionOf(index, run.compiled, row));
      run.compiled.limits.take(row);
    }
    index.book(functionId, demand, row, sign);
  }
}
