import type { Resources } from './types.ts';

/** Why one host is passed over. Rejections with the same `text` are counted together. */
export interface Rejection {
  readonly text: string;
  /** Where an amount is short: what is free here, for "most free" in the summary. */
  readonly short?: { readonly resource: keyof Resources; readonly needed: number; readonly free: number };
}
