import type { HostInventory } from '../../vim-drivers/index.ts';

/** Whether a VIM answers. In memory only: a new leader asks anew. */
export interface VimHealth {
  readonly state: 'REACHABLE' | 'UNREACHABLE' | 'UNKNOWN';
  /** RFC 3339: when it entered the state. */
  readonly since: string;
  readonly reason?: string;
  readonly lastContactAt?: string;
}

/** What a VIM last said of itself, and when. */
export interface SiteInventory {
  readonly takenAt: string;
  readonly host: HostInventory;
}

/** What one attempt at a VIM found. */
export interface VimCheck {
  readonly isReachable: boolean;
  readonly milliseconds: number;
  readonly reason?: string;
  readonly remedy?: string;
}
