import type { HostId } from '../../kernel/index.ts';
import type { StateStore } from '../store/index.ts';

/** Which message of an agent it is: numbers run from 1 in each boot, for each operation. */
export interface MessageNumber {
  readonly bootId: string;
  readonly sequence: number;
}

/** What a number is to what came before: `first` of a boot (or since this leader began), `next`, seen already, or after a gap. */
export type SequencePosition =
  { readonly type: 'first' | 'next' } | { readonly type: 'duplicate' | 'gap'; readonly expected: number };

/**
 * The message that was applied last, of every host. In memory only: what was acknowledged is durable, and what a new leader cannot know it
 * either asks for anew (a full report) or takes once more to no harm (measurements, alarms). Forgotten with the host.
 */
export interface MessageSequences {
  judge(hostId: HostId, number: MessageNumber): SequencePosition;
  /** The message has been applied. */
  accept(hostId: HostId, number: MessageNumber): void;
}

export function createMessageSequences(store: StateStore): MessageSequences {
  const newest = new Map<HostId, MessageNumber>();
  store.subscribe(({ entries }) => {
    for (const { kind, id, record } of entries)
      if (kind === 'host' && record === undefined) newest.delete(id as HostId);
  });
  return {
    judge: (hostId, { bootId, sequence }) => {
      const last = newest.get(hostId);
      if (last?.bootId !== bootId) return { type: 'first' };
      const expected = last.sequence + 1;
      if (sequence === expected) return { type: 'next' };
      return { type: sequence < expected ? 'duplicate' : 'gap', expected };
    },
    accept: (hostId, { bootId, sequence }) => {
      newest.set(hostId, { bootId, sequence });
    },
  };
}
