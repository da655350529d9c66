import type { ObservedInstance } from '../contract.ts';
import { isUp } from './container-view.ts';
import type { SlotState } from './slot-state.ts';

/** What is told of a slot: what is known of it, as far as the latest look at its container bears it out. */
export function observeSlot({ record, obstacle, view, slot }: SlotState): ObservedInstance {
  const { epoch, since, restarts, exitCode, ports } = record;
  const isThere = view !== undefined && isUp(view);
  const isOfRun = isThere && view.startedAt === record.startedAt;
  const shouldRun = ['RUNNING', 'UNHEALTHY', 'STARTING'].includes(record.state);
  // Between its end and the step that takes note of it, it must not look as if it ran.
  const isBehind = shouldRun && !isOfRun;
  const { state, reason } = isBehind
    ? ({ state: 'PENDING', reason: obstacle ?? 'it has just ended' } as const)
    : { state: record.state, reason: obstacle ?? record.reason };
  return {
    slot,
    epoch,
    state,
    since,
    restarts,
    ports,
    ...(reason === undefined ? {} : { reason }),
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(isThere && view.pid > 0 && !isBehind ? { pid: view.pid } : {}),
  };
}
