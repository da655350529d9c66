import type { VnfInstanceId } from '../../kernel/index.ts';
import { compareText } from '../domain/index.ts';
import type { PlacementRequest } from './types.ts';

/** Providers before those that must reach them; among equals by name, then by id. */
export function orderRequests(requests: readonly PlacementRequest[]): readonly PlacementRequest[] {
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
      depthOf(a.functionId, []) - depthOf(b.functionId, []) ||
      compareText(a.name, b.name) ||
      compareText(a.functionId, b.functionId),
  );
}
