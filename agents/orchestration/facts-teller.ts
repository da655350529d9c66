import { IotmanoError, type Clock } from '../../kernel/index.ts';
import type { McoClient } from '../mco-client/index.ts';
import { isNewsOfFacts, type HostFacts } from './facts.ts';

export interface FactsTeller {
  /** Tells the facts where they are other than what was told last. @throws IotmanoError what the server answered, or the network did */
  tell(): Promise<void>;
  /** As `tell`, but at most once in a while. */
  tellNowAndThen(): Promise<void>;
  /** They have changed: the next `tellNowAndThen` looks, however short the while was. */
  lookSoon(): void;
  /** The orchestrator may have forgotten them. */
  forget(): void;
}

const EVERY_MILLISECONDS = 60_000;

export function createFactsTeller(
  client: McoClient,
  collect: () => Promise<HostFacts>,
  clock: Clock,
  signal: AbortSignal,
): FactsTeller {
  let told: HostFacts | undefined;
  let sequence = 1;
  let looked = Number.NEGATIVE_INFINITY;

  async function tell(): Promise<void> {
    looked = clock.monotonic();
    const facts = await collect();
    if (!isNewsOfFacts(told, facts)) return;
    try {
      const { nextSequence } = await client.putFacts(facts, sequence, signal);
      told = facts;
      sequence = Math.max(nextSequence, sequence + 1);
    } catch (error) {
      const expected = error instanceof IotmanoError ? error.context['expectedSequence'] : undefined;
      // A number that may have been applied is not used for other facts.
      sequence = typeof expected === 'number' ? expected : sequence + 1;
      throw error;
    }
  }

  return {
    tell,
    tellNowAndThen: async () => {
      if (clock.monotonic() - looked >= EVERY_MILLISECONDS) await tell();
    },
    lookSoon: () => {
      looked = Number.NEGATIVE_INFINITY;
    },
    forget: () => {
      told = undefined;
    },
  };
}
