import type { HostId } from '../../kernel/index.ts';
import type { AgentUpgradeDocument } from '../domain/index.ts';
import { partOf } from '../lifecycle/index.ts';
import type { Standing, UpgradeHost } from './host-standing.ts';

export type UpgradeStep =
  /** These get their order now; the others wait. */
  | { readonly type: 'order'; readonly hosts: readonly HostId[] }
  | { readonly type: 'wait' }
  /** The part is through, and is watched from now on. */
  | { readonly type: 'bake' }
  | { readonly type: 'next-wave' }
  | { readonly type: 'complete' }
  | { readonly type: 'stop'; readonly reason: string };

/** Nobody waits for these. */
const SETTLED: readonly Standing[] = ['UPGRADED', 'FAILED', 'AWAY'];

/**
 * The next step of an upgrade of agents. The waves are those of functions (`partOf`), over the hosts that can be upgraded. A host that is away holds nothing up; but
 * a part that is away as a whole proves nothing, and is waited for. Pure.
 * @param hosts those that are selected, by id
 * @param bakedSeconds for how long the part has been watched; undefined: not yet
 */
export function planUpgrade(
  { policy, wavesDone, isPaused = false }: Pick<AgentUpgradeDocument, 'policy' | 'wavesDone' | 'isPaused'>,
  hosts: readonly UpgradeHost[],
  bakedSeconds: number | undefined,
): UpgradeStep {
  const failed = hosts.filter(({ standing }) => standing === 'FAILED');
  if (failed.length > policy.maxFailed) return { type: 'stop', reason: whyStopped(failed, policy.maxFailed) };
  if (isPaused) return { type: 'wait' };
  const able = hosts.filter(({ standing }) => standing !== 'IMPOSSIBLE');
  const part = partOf({ policy, wavesDone }, {}, able)?.hosts;
  const own = part === undefined ? able : able.filter(({ hostId }) => part.has(hostId));
  const underWay = able.filter(({ standing }) => standing === 'UNDER_WAY').length;
  const next = own
    .filter(({ standing }) => standing === 'WAITING')
    .slice(0, Math.max(0, policy.maxAtOnce - underWay));
  if (next.length > 0) return { type: 'order', hosts: next.map(({ hostId }) => hostId) };
  if (!own.every(({ standing }) => SETTLED.includes(standing))) return { type: 'wait' };
  if (part === undefined) return { type: 'complete' };
  // A host that failed was allowed to; of hosts that are all away nothing is known.
  const isUnknown = own.length > 0 && own.every(({ standing }) => standing === 'AWAY');
  if (isUnknown) return { type: 'wait' };
  if (policy.bakeSeconds === 0 || own.length === 0) return { type: 'next-wave' };
  if (bakedSeconds === undefined) return { type: 'bake' };
  return { type: bakedSeconds >= policy.bakeSeconds ? 'next-wave' : 'wait' };
}

function whyStopped(failed: readonly UpgradeHost[], maxFailed: number): string {
  const [first] = failed;
  const more = failed.length > 1 ? `, and ${failed.length - 1} more` : '';
  const allowed = maxFailed === 0 ? 'none may fail' : `${maxFailed} may fail`;
  return `${first?.hostId ?? ''} did not come up with the version: ${first?.reason ?? ''}${more}; ${allowed}`;
}

/** Hosts by standing. */
export function countStandings(hosts: readonly UpgradeHost[]): Readonly<Record<Standing, number>> {
  const counts = { IMPOSSIBLE: 0, WAITING: 0, UNDER_WAY: 0, AWAY: 0, UPGRADED: 0, FAILED: 0 };
  for (const { standing } of hosts) counts[standing] += 1;
  return counts;
}
