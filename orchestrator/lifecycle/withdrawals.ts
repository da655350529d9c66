import type { HostId } from '../../kernel/index.ts';
import {
  copyName,
  toWantedUnits,
  wantedVnfcs,
  type DisplacedVnfc,
  type VnfInstanceDocument,
  type WantedUnit,
  type WantedVnfc,
  type Withdrawal,
} from '../domain/index.ts';
import { appliedRevisionOf, type StateView } from '../store/index.ts';
import type { FunctionRecord } from './abandoned.ts';
import { findCopy } from './assess-convergence.ts';
import type { LifecycleContext } from './context.ts';
import { judgeHost } from './liveness.ts';
import { descriptorAt } from './version-descriptor.ts';

/** Withdrawals that their hosts have not applied yet: a copy may still be there, or be on its way, though nobody has reported it. */
export function openWithdrawals(
  state: StateView,
  { withdrawn = [] }: Pick<VnfInstanceDocument, 'withdrawn'>,
): readonly Withdrawal[] {
  return withdrawn.filter(({ hostId, revision }) => appliedRevisionOf(state, hostId) < revision);
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

/** What is wanted, with what is only on its way from one host to the next. */
export function intendedOf({ wanted, displaced = [] }: VnfInstanceDocument): readonly WantedUnit[] {
  return displaced.length === 0 ? wanted : toWantedUnits([...wantedVnfcs(wanted), ...displaced]);
}

const NOTHING_DISPLACED = { gone: [], leaving: [] };

/**
 * Displaced copies that may be placed, and those that may still be where they were: their host has not confirmed that they are gone,
 * and is not fenced either.
 */
export function sortDisplaced(
  context: Pick<LifecycleContext, 'state' | 'liveness' | 'index' | 'catalog'>,
  { vnfInstanceId, instance }: FunctionRecord,
): { readonly gone: readonly DisplacedVnfc[]; readonly leaving: readonly DisplacedVnfc[] } {
  const { displaced = [] } = instance;
  if (displaced.length === 0) return NOTHING_DISPLACED;
  const { state, liveness, index, catalog } = context;
  const unconfirmed = new Set(openWithdrawals(state, instance).map(({ hostId }) => hostId));
  const observed = index.observedOf(vnfInstanceId).map(({ document }) => document);
  // What covers hosts starts again where it was: there the silence of a host says nothing of the copy.
  const isFenced = ({ hostId, generation }: WantedVnfc): boolean =>
    instance.coverage === undefined
      ? judgeHost(state, liveness, descriptorAt(catalog, instance, generation), hostId).isAbandoned
      : state.get('host', hostId) === undefined;
  const isGone = (copy: WantedVnfc): boolean =>
    isFenced(copy) || (!unconfirmed.has(copy.hostId) && findCopy(observed, copy)?.instance === undefined);
  return { gone: displaced.filter(isGone), leaving: displaced.filter((copy) => !isGone(copy)) };
}

function hostsThatLose(before: readonly WantedUnit[], after: readonly WantedUnit[]): ReadonlySet<HostId> {
  const stays = new Set(wantedVnfcs(after).map(copyName));
  const gone = wantedVnfcs(before).filter((copy) => !stays.has(copyName(copy)));
  return new Set(gone.map(({ hostId }) => hostId));
}
