import type { VnfInstanceId } from '../../kernel/index.ts';
import { compareText } from '../domain/index.ts';
import { mentions } from './relatives.ts';
import type { PlacementRequest } from './types.ts';

/**
 * Higher priorities first, then those that others name before who names them (providers, who is to be near, whom an affinity means, where data
 * flows); among equals by name, then by id.
 * @param isBySize large ones before all but priority: what is small finds room in what they leave
 */
export function orderRequests(
  requests: readonly PlacementRequest[],
  isBySize = false,
): readonly PlacementRequest[] {
  if (requests.length < 2) return requests;
  const depths = depthsOf(requests);
  const depthOf = ({ functionId }: PlacementRequest): number => depths.get(functionId) ?? 0;
  return requests.toSorted(
    (a, b) =>
      (b.priority ?? 0) - (a.priority ?? 0) ||
      (isBySize ? largestUnit(b) - largestUnit(a) : 0) ||
      depthOf(a) - depthOf(b) ||
      byName(a, b),
  );
}

/** How many others, one after the other, come before each; a circle is cut at the first of its names. */
function depthsOf(requests: readonly PlacementRequest[]): ReadonlyMap<VnfInstanceId, number> {
  const named = new Map(requests.map((request) => [request.functionId, spokenOf(request, requests)]));
  const depths = new Map<VnfInstanceId, number>();
  let waiting = requests.toSorted(byName);
  for (let depth = 0; waiting.length > 0; depth += 1) {
    const isReady = ({ functionId }: PlacementRequest): boolean =>
      [...(named.get(functionId) ?? [])].every(
        (other) => depths.has(other) || named.get(other)?.has(functionId) === true,
      );
    const ready = waiting.filter(isReady);
    const taken = new Set(ready.length > 0 ? ready : waiting.slice(0, 1));
    for (const { functionId } of taken) depths.set(functionId, depth);
    waiting = waiting.filter((request) => !taken.has(request));
  }
  return depths;
}

/** Functions of the plan that a request speaks of. */
function spokenOf(
  request: PlacementRequest,
  requests: readonly PlacementRequest[],
): ReadonlySet<VnfInstanceId> {
  const speaksOf = mentions(request);
  if (speaksOf === undefined) return new Set();
  return new Set(
    requests.filter((other) => other !== request && speaksOf(other)).map(({ functionId }) => functionId),
  );
}

function byName(a: PlacementRequest, b: PlacementRequest): number {
  return compareText(a.name, b.name) || compareText(a.functionId, b.functionId);
}

function largestUnit({ units }: PlacementRequest): number {
  return Math.max(0, ...units.map(({ resources }) => resources.memoryBytes));
}
