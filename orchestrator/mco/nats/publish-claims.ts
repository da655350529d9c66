import { createTurns, messageOf, type Clock, type Logger } from '../../../kernel/index.ts';
import { isSameJson } from '../../domain/index.ts';
import type { Change, StateStore, StoredRecord } from '../../store/index.ts';
import type { AccountKeys } from './account-keys.ts';
import { accountJwt, type Revocations } from './claims.ts';
import { computeRevocations } from './host-users.ts';

export interface ClaimsOptions {
  readonly store: StateStore;
  readonly clock: Clock;
  readonly log: Logger;
  readonly keys: AccountKeys;
  /** Gives the servers an account JWT; resolves with what one of them says. */
  readonly send: (jwt: string) => Promise<string>;
  readonly signal: AbortSignal;
}

export interface Claims {
  /** Until the signal is aborted. */
  run(): Promise<void>;
  /** Resolves once the servers were told who is revoked now, at once where they were. @throws what the servers or the network say */
  settle(): Promise<void>;
  /** Tells them again, soon. */
  repeat(): void;
}

/** What ends together is told in one message; and the last answer of a host that leaves comes before the end of its connection. */
const GATHER_MILLISECONDS = 100;
/** A server that was away while a host was revoked learns of it when it is told again. */
const REPEAT_MILLISECONDS = 30_000;
const PAUSE_AFTER_FAILURE_MILLISECONDS = 1000;

/** Keeps the servers knowing which users are revoked. Level-triggered: what is told follows from the store. */
export function createClaims({ store, clock, log, keys, send, signal }: ClaimsOptions): Claims {
  let current: { readonly revocations: Revocations; readonly jwt: string } | undefined;
  /** What the servers took last. */
  let told: Revocations | undefined;
  /** So that the newest is the last. */
  const inTurn = createTurns();
  let wake = new AbortController();

  async function tell(isToBeRepeated: boolean): Promise<void> {
    const before = current?.revocations ?? {};
    const revocations = computeRevocations(store, before, clock.now());
    if (!isToBeRepeated && told !== undefined && isSameJson(revocations, told)) return;
    // The same text as before where it says the same: servers then have nothing to do.
    if (current === undefined || !isSameJson(revocations, current.revocations))
      current = { revocations, jwt: await accountJwt(keys, revocations) };
    requireTaken(await send(current.jwt));
    told = current.revocations;
  }

  async function run(): Promise<void> {
    const unsubscribe = store.subscribe(({ entries }) => {
      if (entries.some(isOfLostHost)) wake.abort();
    });
    while (!signal.aborted) {
      let pause = REPEAT_MILLISECONDS;
      try {
        await inTurn(() => tell(true));
      } catch (error) {
        log.warn({ reason: messageOf(error) }, 'NATS was not told who is revoked; it is repeated');
        pause = PAUSE_AFTER_FAILURE_MILLISECONDS;
      }
      await clock.sleep(pause, AbortSignal.any([wake.signal, signal]));
      if (wake.signal.aborted) await clock.sleep(GATHER_MILLISECONDS, signal);
      wake = new AbortController();
    }
    unsubscribe();
  }

  return {
    run,
    settle: () => inTurn(() => tell(false)),
    repeat: () => wake.abort(),
  };
}

/** @throws Error where the answer is not of success */
function requireTaken(answer: string): void {
  const { data, error } = JSON.parse(answer) as {
    data?: { code?: number };
    error?: { description?: string };
  };
  if (data?.code !== 200) throw new RangeError(error?.description ?? answer.slice(0, 200));
}

/** A host that was forgotten or revoked: its user may be connected still. */
function isOfLostHost({ kind, record }: Change['entries'][number]): boolean {
  if (kind !== 'host') return false;
  return record === undefined || (record as StoredRecord<'host'>).document.revokedAt !== undefined;
}
