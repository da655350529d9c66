import type { HostId } from '../../kernel/index.ts';

/** What a number is to what came before: `first` of a boot (or since this leader began), `next`, seen already, or after a gap. */
export type SequencePosition =
  { readonly type: 'first' | 'next' } | { readonly type: 'duplicate' | 'gap'; readonly expected: number };

/**
 * The report that was applied last, of every host. In memory only: what was acknowledged is durable, and what a new leader cannot know it
 * asks for anew (a full report).
 */
export interface Sequences {
  judge(hostId: HostId, bootId: string, sequence: number): SequencePosition;
  /** The message has been applied. */
  accept(hostId: HostId, bootId: string, sequence: number): void;
  forget(hostId: HostId): void;
}

export function createSequences(): Sequences {
  const newest = new Map<HostId, { readonly bootId: string; readonly sequence: number }>();
  return {
    judge: (hostId, bootId, sequence) => {
      const last = newest.get(hostId);
      if (last?.bootId !== bootId) return { type: 'first' };
      const expected = last.sequence + 1;
      if (sequence === expected) return { type: 'next' };
      return { type: sequence < expected ? 'duplicate' : 'gap', expected };
    },
    accept: (hostId, bootId, sequence) => {
      newest.set(hostId, { bootId, sequence });
    },
    forget: (hostId) => {
      newest.delete(hostId);
    },
  };
}
