import type { StateStore } from '../contract.ts';

/** A place that a store writes to. */
export interface StorePlace {
  /** Opens the store there: an empty one at first, later what earlier ones have made durable. */
  open(options?: { readonly changeLogLimit?: number }): Promise<StateStore>;
  remove(): Promise<void>;
}
