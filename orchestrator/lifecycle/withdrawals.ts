import type { HostId } from '../../kernel/index.ts';
import { wantedVnfcs, type VnfInstanceDocument, type WantedUnit, type Withdrawal } from '../domain/index.ts';
import type { StateView } from '../store/index.ts';

/** Withdrawals that their hosts have not applied yet: a copy may still be there, or be on its way, though nobody has reported it. */
export function openWithdrawals(
  state: StateView,
  { withdrawn = [] }: Pick<VnfInstanceDocument, 'withdrawn'>,
): readonly Withdrawal[] {
  return withdrawn.filter(
    ({ hostId, revision }) => (state.get('host-applied', hostId)?.document.revision ?? -1) < revision,
  );
}

/** What is open once the commit that comes next wants `wanted` of the instance: one withdrawal for each host, its last. */
export function withdrawalsAfter(
  state: StateView,
  before: Pick<VnfInstanceDocument, 'withdrawn' | 'wanted'>,
  wanted: readonly WantedUnit[],
): readonly Withdrawal[] {
  // Each commit is one revision.
  const revision = state.acceptedRevision + 1;
  const losing = hostsThatLose(before.wanted, wanted);
  const earlier = openWithdrawals(state, before).filter(({ hostId }) => !losing.has(hostId));
  return [...earlier, ...[...losing].map((hostId) => ({ hostId, revision }))];
}

function hostsThatLose(before: readonly WantedUnit[], after: readonly WantedUnit[]): ReadonlySet<HostId> {
  const stays = new Set(wantedVnfcs(after).map(placeOf));
  const gone = wantedVnfcs(before).filter((copy) => !stays.has(placeOf(copy)));
  return new Set(gone.map(({ hostId }) => hostId));
}

function placeOf({ hostId, unit, generation, slot }: ReturnType<typeof wantedVnfcs>[number]): string {
  return `${hostId}/${unit}-g${generation}-${slot}`;
}
