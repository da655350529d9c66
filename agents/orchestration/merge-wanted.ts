import type { StateId } from '../../kernel/index.ts';
import { workloadId, type Fence } from '../../vim-drivers/index.ts';
import type { Assignment, Wanted } from '../mco-client/index.ts';
import type { StoredWanted } from './assignment-store.ts';

export type MergeResult =
  | { readonly type: 'accepted'; readonly next: StoredWanted; readonly refused: readonly string[] }
  /** The answer builds on something that is not here: the whole must be asked for. */
  | { readonly type: 'ask-whole'; readonly reason: string }
  | { readonly type: 'refused'; readonly reason: string };

/**
 * The wanted state after an answer: all or nothing. What is older than what is here is refused, and so is a state
 * that no operator has confirmed. `refused` names single assignments whose generation is older than the one here. Pure.
 */
export function mergeWanted(
  stored: StoredWanted | undefined,
  answer: Wanted,
  pinned: StateId | undefined,
): MergeResult {
  if (pinned !== undefined && answer.stateId !== pinned && !answer.stateIdConfirmed) {
    return { type: 'refused', reason: `state ${answer.stateId} is not confirmed by an operator` };
  }
  const before = stored?.stateId === answer.stateId ? stored : undefined;
  if (before === undefined && !answer.full) {
    return { type: 'ask-whole', reason: 'only changes came, of a state that is not here' };
  }
  if (before !== undefined && isOlder(answer.fence, before.fence)) {
    return { type: 'refused', reason: `fence ${show(answer.fence)} is older than ${show(before.fence)}` };
  }
  const kept = answer.full ? [] : withoutRemoved(before?.assignments ?? [], answer);
  const { assignments, refused } = replace(kept, before?.assignments ?? [], answer.assignments);
  const next: StoredWanted = {
    stateId: answer.stateId,
    revision: answer.revision,
    fence: answer.fence,
    leaseBase: before?.leaseBase ?? nextLeaseBase(stored),
    heartbeatIntervalSeconds: answer.heartbeatIntervalSeconds,
    assignments,
    collectionJobs: answer.collectionJobs,
    ...(answer.agentUpgrade === undefined ? {} : { agentUpgrade: answer.agentUpgrade }),
  };
  return { type: 'accepted', next, refused };
}

function isOlder(a: Fence, b: Fence): boolean {
  return a.leaseNumber === b.leaseNumber ? a.revision < b.revision : a.leaseNumber < b.leaseNumber;
}

function show({ leaseNumber, revision }: Fence): string {
  return `${leaseNumber}/${revision}`;
}

function nextLeaseBase(stored: StoredWanted | undefined): number {
  return stored === undefined ? 0 : stored.leaseBase + stored.fence.leaseNumber + 1;
}

function withoutRemoved(assignments: readonly Assignment[], answer: Wanted): readonly Assignment[] {
  const removed = new Set<string>(answer.removed.map(workloadId));
  return assignments.filter(({ workload }) => !removed.has(workloadId(workload.key)));
}

/** `kept` with the incoming ones in place, but none older than what is here. */
function replace(
  kept: readonly Assignment[],
  before: readonly Assignment[],
  incoming: readonly Assignment[],
): { readonly assignments: readonly Assignment[]; readonly refused: readonly string[] } {
  const known = new Map(before.map((each) => [workloadId(each.workload.key), each]));
  const result = new Map(kept.map((each) => [workloadId(each.workload.key), each]));
  const refused: string[] = [];
  for (const each of incoming) {
    const id = workloadId(each.workload.key);
    const here = known.get(id);
    if (here !== undefined && here.generation > each.generation) refused.push(id);
    result.set(id, here !== undefined && here.generation > each.generation ? here : each);
  }
  return { assignments: [...result.values()], refused };
}
