import type { HostId } from '../../kernel/index.ts';
import type { AgentUpgradeDocument, HostFactsDocument } from '../domain/index.ts';

/**
 * How far a host is with an upgrade. `IMPOSSIBLE`: its agent cannot be exchanged, or is not trusted any more; `WAITING`: it has no order yet; `UNDER_WAY`: it has, and is heard;
 * `AWAY`: it is not heard, and gets the version when it is back.
 */
export type Standing = 'IMPOSSIBLE' | 'WAITING' | 'UNDER_WAY' | 'AWAY' | 'UPGRADED' | 'FAILED';

/** A host as an upgrade sees it. */
export interface UpgradeHost {
  readonly hostId: HostId;
  /** As label expressions see it. */
  readonly labels: Readonly<Record<string, string>>;
  readonly standing: Standing;
  /** What its agent calls itself. */
  readonly version: string;
  /** Why it stands so, for people. */
  readonly reason?: string;
}

/** What is known of one host. */
export interface HostSight {
  readonly facts: Pick<HostFactsDocument, 'agentVersion' | 'agentUpgrade'> | undefined;
  /** Since then it is heard no more, until it is enrolled anew. */
  readonly revokedAt?: string | undefined;
  /** It has the order of the attempt that is under way. */
  readonly isOrdered: boolean;
  readonly isHeard: boolean;
  /** It has been heard with that order for longer than anybody waits. */
  readonly isOverdue: boolean;
}

/** What a host is told in one attempt: the same for all hosts. */
export function orderIdOf(
  agentUpgradeId: string,
  { attempt }: Pick<AgentUpgradeDocument, 'attempt'>,
): string {
  return `${agentUpgradeId}-${attempt}`;
}

/** Pure. */
export function standingOf(
  upgrade: Pick<AgentUpgradeDocument, 'artifact' | 'policy'>,
  orderId: string,
  { facts, revokedAt, isOrdered, isHeard, isOverdue }: HostSight,
): Pick<UpgradeHost, 'standing' | 'reason'> {
  const own = facts?.agentUpgrade;
  const told = own?.order;
  if (own?.digest === upgrade.artifact.digest && told?.state !== 'TRYING') return { standing: 'UPGRADED' };
  if (revokedAt !== undefined)
    return {
      standing: 'IMPOSSIBLE',
      reason: `it was revoked at ${revokedAt}; enrol it with a new key, or forget it`,
    };
  if (own?.possible !== true) return { standing: 'IMPOSSIBLE', reason: whyImpossible(facts) };
  const isOwnOrder = told?.orderId === orderId;
  if (isOwnOrder && (told.state === 'ROLLED_BACK' || told.state === 'REFUSED'))
    return { standing: 'FAILED', reason: told.reason ?? told.state };
  if (!isOrdered) return { standing: 'WAITING' };
  const progress = isOwnOrder
    ? { reason: `${told.state}${told.reason === undefined ? '' : `: ${told.reason}`}` }
    : {};
  if (!isHeard) return { standing: 'AWAY', ...progress };
  if (!isOverdue) return { standing: 'UNDER_WAY', ...progress };
  const last = progress.reason === undefined ? 'it has said nothing of it' : `it says ${progress.reason}`;
  return {
    standing: 'FAILED',
    reason: `it is heard, and has not ended its order within ${upgrade.policy.giveUpAfterSeconds} s; ${last}`,
  };
}

function whyImpossible(facts: HostSight['facts']): string {
  if (facts === undefined) return 'it has not told its facts yet';
  return (
    facts.agentUpgrade?.reason ??
    `its agent (${facts.agentVersion}) knows of no upgrade of itself; install a newer one by hand once`
  );
}
