import { isTransient, IotmanoError, messageOf, type Clock, type Logger } from '../../kernel/index.ts';
import type { Fence, ObservedWorkload, VimDriver, Workload } from '../../vim-drivers/index.ts';
import type { HostIdentity } from '../identity/index.ts';
import type { Backoff, McoClient } from '../mco-client/index.ts';
import type { PollRhythm } from '../rhythm.ts';
import { createWakeup } from '../wakeup.ts';
import { driverFence, openAssignmentStore, type StoredWanted } from './assignment-store.ts';
import type { HostFacts } from './facts.ts';
import { createFactsTeller } from './facts-teller.ts';
import { needsSealing, openAssignments } from './open-assignments.ts';
import { ReportOutbox } from './report-outbox.ts';
import { createReporter } from './reporter.ts';
import { openScheduleStore } from './schedule-store.ts';
import { createSites, type Sites } from './sites.ts';
import { runWantedLoop } from './wanted-loop.ts';

export interface OrchestrationAgentOptions {
  readonly client: McoClient;
  readonly identity: HostIdentity;
  readonly dataDirectory: string;
  readonly drivers: readonly VimDriver[];
  /** IANA name of the zone of this host. */
  readonly localTimeZone: () => string;
  readonly collectFacts: () => Promise<HostFacts>;
  readonly createBackoff: () => Backoff;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** A wanted state was taken over: from disk at the start, or from the orchestrator. */
  readonly onWanted: (wanted: StoredWanted) => void;
  readonly onObserved: (observed: readonly ObservedWorkload[]) => void;
  readonly rhythm: PollRhythm;
  /** The orchestrator has taken facts and a full report, and has answered what is wanted since. */
  readonly onHeard?: () => void;
  /** What is asked for of diagnostics, all of it, as it came. */
  readonly onDiagnostics: (requests: readonly unknown[]) => void;
}

export interface OrchestrationAgent {
  /** Until the signal is aborted. Functions run on. */
  run(): Promise<void>;
  /** The facts have changed: they are told with the next renewal. */
  factsChanged(): void;
  /** Stops all functions of this host and waits for their end, at most so long; whether all have ended. */
  stopFunctions(withinMilliseconds: number): Promise<boolean>;
  /** After the host has left: nothing is assigned any more. */
  forgetAssignments(): Promise<void>;
  /** What is left of `run` after it ended. */
  close(): Promise<void>;
}

const STOP_LOOK_MILLISECONDS = 100;
const FIRST_LOOK_MILLISECONDS = 5000;

/** Makes the host be as the orchestrator wants it, from what it said last when it is away, and tells how things are. */
export async function startOrchestrationAgent(
  options: OrchestrationAgentOptions,
): Promise<OrchestrationAgent> {
  const { client, clock, log, signal } = options;
  const store = await openAssignmentStore(options.dataDirectory);
  const outbox = new ReportOutbox();
  const wakeup = createWakeup(clock);
  let accepted: { readonly wanted: StoredWanted; readonly fence: Fence } | undefined;
  const firstLook = Promise.withResolvers<void>();
  const sites = await createSites({
    drivers: options.drivers,
    clock,
    log,
    openSchedules: (driver) => openScheduleStore(options.dataDirectory, driver),
    localTimeZone: options.localTimeZone,
    onChange: (observed, reflects) => {
      const applied = accepted !== undefined && accepted.fence === reflects ? accepted : undefined;
      outbox.observe(observed, applied?.wanted);
      options.onObserved(observed);
      firstLook.resolve();
      wakeup.wake();
    },
  });
  const { sealingKeys: keys, document } = options.identity;
  const open = (wanted: StoredWanted): Promise<readonly Workload[]> =>
    openAssignments(wanted.assignments, { hostId: document.hostId, keys });
  const accept = (wanted: StoredWanted, workloads: readonly Workload[]): void => {
    const fence = driverFence(wanted);
    accepted = { wanted, fence };
    sites.setWanted(workloads, fence);
    options.onWanted(wanted);
    wakeup.wake();
  };
  if (store.current !== undefined) await acceptStored(store.current, open, accept, log);
  const needsWhole = needsSealing(store.current?.assignments ?? [], keys);
  const reporter = createReporter({ client, outbox, wakeup, backoff: options.createBackoff(), log, signal });
  const facts = createFactsTeller(client, options.collectFacts, clock, signal);

  let isTold = false;

  /** First how things are, then what is wanted. Whether all was taken. */
  async function tellAll(): Promise<boolean> {
    isTold = false;
    facts.forget();
    const areFactsTold = await unlessLinkIsDown(facts.tell(), log, 'facts');
    await Promise.race([firstLook.promise, clock.sleep(FIRST_LOOK_MILLISECONDS, signal)]);
    outbox.requireFull();
    isTold = (await unlessLinkIsDown(reporter.flush(), log, 'report')) && areFactsTold;
    return isTold;
  }

  /** Once nothing on disk needs the key before the last rotation any more. */
  async function forgetOldKey({ assignments }: StoredWanted): Promise<void> {
    if (needsSealing(assignments, keys)) return;
    await keys.forgetPrevious().catch((error: unknown) => {
      log.warn({ reason: messageOf(error) }, 'the previous key for sealed values could not be removed');
    });
  }

  return {
    run: async () => {
      const reporting = reporter.run();
      await runWantedLoop({
        client,
        identity: options.identity,
        store,
        backoff: options.createBackoff(),
        clock,
        log,
        signal,
        onReturn: tellAll,
        open,
        needsWhole,
        rhythm: options.rhythm,
        onDiagnostics: options.onDiagnostics,
        onAccepted: (wanted, workloads) => {
          accept(wanted, workloads);
          void forgetOldKey(wanted);
        },
        onRenewed: async (sentAt) => {
          await sites.renewed(sentAt);
          if (isTold) options.onHeard?.();
          await unlessLinkIsDown(facts.tellNowAndThen(), log, 'facts');
        },
      });
      await reporting;
    },
    factsChanged: () => facts.lookSoon(),
    stopFunctions: (withinMilliseconds) => stopAll(sites, store.current, clock, withinMilliseconds),
    forgetAssignments: () => store.clear(),
    close: () => sites.close(),
  };
}

/** What was stored is acted on, unless something in it cannot be opened: then everything stays as it is until the orchestrator has sealed it anew. */
async function acceptStored(
  stored: StoredWanted,
  open: (wanted: StoredWanted) => Promise<readonly Workload[]>,
  accept: (wanted: StoredWanted, workloads: readonly Workload[]) => void,
  log: Logger,
): Promise<void> {
  try {
    accept(stored, await open(stored));
  } catch (error) {
    log.error(
      { reason: messageOf(error) },
      'the stored wanted state cannot be used before the orchestrator is heard',
    );
  }
}

/**
 * Whether the message was taken. What the orchestrator refuses, or this host cannot tell, must not keep us from hearing
 * what is wanted; only when there is no answer at all the error goes on.
 */
async function unlessLinkIsDown(message: Promise<void>, log: Logger, what: string): Promise<boolean> {
  try {
    await message;
    return true;
  } catch (error) {
    if (isTransient(error) && error instanceof IotmanoError && error.context['status'] === undefined)
      throw error;
    log.error({ what, reason: messageOf(error) }, 'something that this host tells was not taken');
    return false;
  }
}

async function stopAll(
  sites: Sites,
  stored: StoredWanted | undefined,
  clock: Clock,
  withinMilliseconds: number,
): Promise<boolean> {
  sites.setWanted([], stored === undefined ? { leaseNumber: 0, revision: 0 } : driverFence(stored));
  const until = clock.monotonic() + withinMilliseconds;
  // Twice, since something may just have been under way.
  let looksEmpty = 0;
  while (looksEmpty < 2 && clock.monotonic() < until) {
    looksEmpty = (await sites.areEmpty()) ? looksEmpty + 1 : 0;
    await clock.sleep(STOP_LOOK_MILLISECONDS);
  }
  return looksEmpty === 2;
}
