import type { HostId } from '../../../kernel/index.ts';
import type { RolloutPolicy, WantedVnfc } from '../../domain/index.ts';
import type { UnitCounts } from '../levels.ts';

/** A copy while one version replaces another, as the planner sees it. */
export interface RolloutCopy {
  readonly copy: WantedVnfc;
  /** Of the version that is replaced. */
  readonly isOld: boolean;
  /**
   * `well`: has run for as long as the policy asks; `running`: not for so long yet; `waiting`: does not run; `failed`: given up by its host;
   * `gone`: its host has fallen away, and it may be placed elsewhere; `silent`: with coverage, its host is not heard from and is not waited for.
   */
  readonly health: 'well' | 'running' | 'waiting' | 'failed' | 'gone' | 'silent';
  /** It has not been well for longer than anybody waits. */
  readonly isOverdue: boolean;
  /** Nobody who is bound to the function is told of it. */
  readonly isWithheld: boolean;
  /** Everybody who is bound to the function has had the time to learn that. */
  readonly isForgotten: boolean;
  /** Its host is to be left. */
  readonly isOnDraining: boolean;
  /** Why it is not well, in its host's words. */
  readonly reason?: string;
}

export interface RolloutInput {
  readonly policy: RolloutPolicy;
  /** Copies of each unit of the new version, once all are there. With coverage: 1 for each unit on each host. */
  readonly counts: UnitCounts;
  readonly copies: readonly RolloutCopy[];
  /** Copies that are to be gone before others take their place, and are not gone yet. */
  readonly leaving: readonly WantedVnfc[];
  /** With coverage: such copies on hosts that are not heard from. Nobody waits for them, and nothing starts beside them. */
  readonly silentlyLeaving?: readonly WantedVnfc[];
  /** Copies that are gone, and whose place has not been taken. */
  readonly gone: readonly WantedVnfc[];
  /** Only a part gets the new version for now; absent: all of it does. */
  readonly part?: RolloutPart;
  /** With coverage: hosts that may not be touched now. */
  readonly closedHosts?: ReadonlySet<HostId>;
}

export interface RolloutPart {
  /** Copies of each unit of the new version. */
  readonly counts: UnitCounts;
  /** With coverage: the hosts that are of it. */
  readonly hosts?: ReadonlySet<HostId>;
}

/** What is wanted next. Empty: nothing changes. */
export interface RolloutChange {
  /** Copies that are wanted no longer. */
  readonly stop: readonly WantedVnfc[];
  /** Copies that end first, so that others take their place when they are gone. */
  readonly displace: readonly WantedVnfc[];
  /** All that nobody is told of from now on. */
  readonly withheld: readonly WantedVnfc[];
  /** Copies of the new version that are wanted now, by unit; unchanged where a unit is absent. */
  readonly counts: UnitCounts;
  /** With coverage: the hosts that may get the new version now; the others keep what they have. */
  readonly hosts?: readonly HostId[];
}
