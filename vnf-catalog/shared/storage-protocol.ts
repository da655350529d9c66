import type { ResourceAttributes } from './primitive.ts';

/** One rule of an access control policy (m2m:accessControlRule). */
export interface AccessRule {
  readonly acor: readonly string[];
  readonly acop: number;
}

export interface PolicyContent {
  readonly rev: number;
  readonly pv: readonly AccessRule[];
  readonly pvs: readonly AccessRule[];
}

/** What decides who may do what with a resource. A contentInstance is governed by its container. */
export interface Governor {
  readonly ri: string;
  readonly ty: number;
  /** Grows with every update of the resource by a request; never with counters. */
  readonly rev: number;
  readonly org: string;
  readonly acpi?: readonly string[];
}

/** Policies by resource id; those of the governors beside them, as far as they exist. */
export type Policies = Readonly<Record<string, PolicyContent>>;

export interface LookRequest {
  /** Structured address from the CSEBase's name on, or an unstructured one, with `la` or `ol` behind a container. */
  readonly to: string;
  /** Where the request changes something: its key, so that an answer already given is given again. */
  readonly key?: string;
}

export type LookReply =
  | { readonly found: false }
  | { readonly answered: CommitDone }
  | {
      readonly found: true;
      readonly target: { readonly ri: string; readonly ty: number; readonly path: string };
      readonly resource: ResourceAttributes;
      readonly governor: Governor;
      readonly policies: Policies;
    };

/** In place of any reply: nothing was done or read, and another time it may be. */
export interface StorageFailure {
  readonly failed: string;
}

export interface ListRequest {
  readonly ri: string;
  readonly ty?: readonly number[];
  readonly lbl?: readonly string[];
  readonly crb?: string;
  readonly cra?: string;
  readonly limit: number;
  readonly offset: number;
  /** Levels below the target; absent: all. */
  readonly level?: number;
  /** With the attributes of each, or addresses only. */
  readonly attributes: boolean;
}

export interface ListItem {
  readonly ri: string;
  readonly ty: number;
  readonly path: string;
  readonly rn: string;
  readonly pi: string;
  /** Index into `governors`. */
  readonly governor: number;
  readonly resource?: ResourceAttributes;
}

export interface ListReply {
  readonly items: readonly ListItem[];
  readonly governors: readonly Governor[];
  readonly policies: Policies;
  /** Offset to go on from; absent: that was all. */
  readonly next?: number;
}

export type Change =
  | {
      readonly op: 'create';
      readonly parent: string;
      readonly ty: number;
      /** Absent: the storage names it. */
      readonly ri?: string;
      readonly rn?: string;
      readonly org: string;
      readonly attributes: ResourceAttributes;
    }
  | {
      readonly op: 'update';
      readonly ri: string;
      readonly set: ResourceAttributes;
      readonly unset: readonly string[];
    }
  | { readonly op: 'delete'; readonly ri: string };

export interface CommitRequest {
  readonly key: string;
  /** What the decision was based on: resource id and revision of each. Refused as stale when one has changed. */
  readonly expect: readonly (readonly [string, number])[];
  readonly change: Change;
}

export interface CommitDone {
  readonly outcome: 'done';
  readonly rsc: number;
  readonly path: string;
  readonly ty: number;
  readonly resource: ResourceAttributes;
}

export type CommitReply =
  | CommitDone
  | { readonly outcome: 'stale' }
  | { readonly outcome: 'refused'; readonly rsc: number; readonly debug: string };

/** An event that a subscription is to be told of, with all that its notification needs, even when the subscription is gone. */
export interface OutboxEvent {
  readonly sub: string;
  /** Structured address of the subscription. */
  readonly sur: string;
  readonly target: string;
  /** Creator of the subscription. */
  readonly cr: string;
  /** Notification event type (enc.net); absent in a deletion notice. */
  readonly net?: number;
  /** Notification content type: 1 all attributes, 2 modified ones, 3 resource id. */
  readonly nct?: number;
  readonly ty?: number;
  readonly rep?: ResourceAttributes;
  /** Subscription deletion notice to the subscriber URI. */
  readonly sud?: boolean;
}

export interface OutboxTake {
  readonly worker: string;
  readonly max: number;
  /** How long the storage may wait for something to come. */
  readonly waitMilliseconds: number;
}

export interface OutboxBatch {
  /** Names the queue of one subscription and target; absent: nothing came. */
  readonly queue?: string;
  readonly entries: readonly { readonly id: number; readonly event: OutboxEvent }[];
  /** Attempts in a row that failed for this queue, and since when. */
  readonly failures: number;
  readonly failingForMilliseconds: number;
}

export interface OutboxSettle {
  readonly worker: string;
  readonly queue: string;
  readonly done: readonly number[];
  /** The rest failed: not to be offered again before this delay. */
  readonly retryAfterMilliseconds?: number;
  /** The target is given up: remove the subscription with all that waits for it. */
  readonly removeSubscription?: string;
}
