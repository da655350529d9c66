import type { VnfInstanceId } from '../../kernel/index.ts';
import { compareText } from '../domain/index.ts';
import type { PlacementRequest } from './types.ts';

/**
 * Higher priorities first, then providers before those that must reach them; among equals by name, then by id.
 * @param isBySize large ones before all that: what is small finds room in what they leave
 */
export function orderRequests(
  requests: readonly PlacementRequest[],
  isBySize = false,
): readonly PlacementRequest[] {
  const byId = new Map(requests.map((request) => [request.functionId, request]));
  const depths = new Map<VnfInstanceId, number>();

  function depthOf(id: VnfInstanceId, path: readonly VnfInstanceId[]): number {
    const known = depths.get(id);
    if (known !== undefined) return known;
    const providers = byId.get(id)?.providers.filter((other) => byId.has(other) && !path.includes(other));
    const depth = Math.max(-1, ...(providers ?? []).map((other) => depthOf(other, [...path, id]))) + 1;
    if (path.length === 0) depths.set(id, depth);
    return depth;
  }

  for (const { functionId } of requests) depthOf(functionId, []);
  return requests.toSorted(
    (a, b) =>
      (b.priority ?? 0) - (a.priority ?? 0) ||
      (isBySize ? largestUnit(b) - largestUnit(a) : 0) ||
      depthOf(a.functionId, []) - depthOf(b.functionId, []) ||
      compareText(a.name, b.name) ||
      compareText(a.functionId, b.functionId),
  );
}

function largestUnit({ units }: PlacementRequest): number {
  return Math.max(0, ...units.map(({ resources }) => resources.memoryBytes));
}
