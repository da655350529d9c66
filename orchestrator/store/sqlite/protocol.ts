import type { ChangeRow, RecordRow } from './layout.ts';

/** What the worker is started with. */
export interface WorkerSettings {
  readonly directory: string;
  /** Used where a stateId has to be minted. */
  readonly freshStateId: string;
  /** kind → version of its documents that is written, and the newest that is read. */
  readonly versions: Readonly<Record<string, number>>;
  readonly changeLogLimit: number;
  readonly lockWaitMilliseconds: number;
}

export type ToWorker =
  /** Commits in order; answered with `durable`. */
  | { readonly type: 'write'; readonly rows: readonly ChangeRow[] }
  | { readonly type: 'backup'; readonly path: string }
  | { readonly type: 'close' };

export type FromWorker =
  | { readonly type: 'records'; readonly rows: readonly RecordRow[] }
  | {
      readonly type: 'opened';
      readonly stateId: string;
      readonly leaseNumber: number;
      readonly revision: number;
      readonly changes: readonly ChangeRow[];
      /** Why a new stateId was minted, where the store is not new. */
      readonly mintedBecause?: string;
    }
  | { readonly type: 'durable'; readonly revision: number }
  /** After it nothing more is written. */
  | { readonly type: 'failed'; readonly code: string; readonly message: string; readonly context: unknown }
  | { readonly type: 'backedUp'; readonly path: string; readonly problem?: string }
  | { readonly type: 'closed' };
