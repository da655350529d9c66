import { toTimestamp, type VnfInstanceId } from '../../../kernel/index.ts';
import type { LifecycleContext } from '../context.ts';

const MOST_DOUBLINGS = 6;

/**
 * Until when copies that are well stay where they are, because moves of them have failed: each further attempt waits twice as long, and what was to move
 * serves on. What has failed is read from the operations, so a new leader waits as the old one did.
 * @returns milliseconds since the epoch; undefined: they may move now
 */
export function moveWaitsUntil(
  { state, index, clock, limits }: LifecycleContext,
  vnfInstanceId: VnfInstanceId,
): number | undefined {
  const earlier = index
    .operationsOf(vnfInstanceId)
    .flatMap((id) => state.get('vnf-lcm-op-occ', id) ?? [])
    // The one that was over last comes first.
    .toSorted((a, b) => b.revision - a.revision)
    .map(({ document }) => document);
  const succeeded = earlier.findIndex(
    ({ rollout, state: end }) => rollout?.moves === undefined || end !== 'FAILED',
  );
  const failures = succeeded === -1 ? earlier.length : succeeded;
  const [last] = earlier;
  if (failures === 0 || last === undefined) return undefined;
  const waitMilliseconds = limits.healBackoffMilliseconds * 2 ** Math.min(failures - 1, MOST_DOUBLINGS);
  const until = Date.parse(last.stateEnteredTime) + waitMilliseconds;
  return clock.now() < until ? until : undefined;
}

/** The same in words, for those who ask why it does not move. */
export function whyMoveWaits(context: LifecycleContext, vnfInstanceId: VnfInstanceId): string | undefined {
  const until = moveWaitsUntil(context, vnfInstanceId);
  return until === undefined
    ? undefined
    : `it waits after a move that has failed, until ${toTimestamp(until)}`;
}
