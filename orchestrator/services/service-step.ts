import type { LcmOperationState, VnfLcmOpOccDocument } from '../domain/index.ts';

export type ChildOperation = VnfLcmOpOccDocument['operation'];

/** One function of the service as the planner sees it. */
export interface ConstituentView {
  readonly name: string;
  /** Constituents that have to run before it. */
  readonly after: readonly string[];
  /** Constituents that have to be gone before it goes. */
  readonly before: readonly string[];
  readonly isInstantiated: boolean;
  /** Of an update that names it: whether it is of the version that is wanted. */
  readonly update?: 'open' | 'done';
  /** Of a scaling that names it. */
  readonly scale?: {
    /** How many steps of its aspect are missing; negative: too many. */
    readonly steps: number;
    /** Constituents that are scaled out before it. */
    readonly after: readonly string[];
    /** Constituents that are scaled in before it. */
    readonly before: readonly string[];
  };
  /** Every wanted copy runs. */
  readonly isWell: boolean;
  /** The operation that it is busy with, whoever has started it. */
  readonly active?: {
    readonly operation: ChildOperation;
    readonly state: LcmOperationState;
    readonly isOurs: boolean;
    readonly isCancelPending: boolean;
    /** This attempt at the way back has begun to undo it. */
    readonly isUndone?: boolean;
    /** Why it has stopped. */
    readonly error?: string;
    /** An operator holds it: nothing further of the service is begun. */
    readonly isPaused?: boolean;
  };
  /** The operation that this attempt has started or taken over, as it is now. */
  readonly own?: { readonly state: LcmOperationState; readonly error?: string };
}

export type ServiceStep =
  | { readonly type: 'start'; readonly operation: ChildOperation; readonly names: readonly string[] }
  /** Let an operation of an earlier attempt count as this one's. */
  | { readonly type: 'adopt'; readonly names: readonly string[] }
  | { readonly type: 'retryChild'; readonly name: string }
  /** An operation that is in the way of the service's end. */
  | { readonly type: 'cancelChild'; readonly name: string }
  | { readonly type: 'failChild'; readonly name: string }
  | { readonly type: 'rollBackChild'; readonly name: string }
  /** A function has gone back by itself: so does all of the update. */
  | { readonly type: 'rollBack'; readonly detail: string }
  | { readonly type: 'rolledBack' }
  | { readonly type: 'complete' }
  /** Delete the functions, and be over. */
  | { readonly type: 'dispose' }
  | { readonly type: 'failTemporarily'; readonly detail: string }
  | { readonly type: 'wait'; readonly for: readonly string[] };
