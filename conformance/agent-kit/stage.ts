import type { Clock, IdSource } from '../../kernel/index.ts';
import { CaseFailure, NotApplicable, type Case } from '../case.ts';
import type { Trace } from '../trace.ts';
import { needsCommand, type AgentCommand, type Hands } from './commands.ts';
import { assign, idOf, type AssignmentWish, type Ledger, type Schemas } from './ledger.ts';
import type { Received } from './orchestrator-wire.ts';
import type { PlayedOrchestrator } from './played-orchestrator.ts';
import { wishOf, type WorkloadFile } from './workload.ts';

/** What a case that checks an agent has at hand. */
export interface AgentStage {
  readonly played: PlayedOrchestrator;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly workload: WorkloadFile;
  /** Life of a certificate that the agent is to renew while the kit looks on. */
  readonly certificateSeconds: number;
  /** What the agent may become; absent: nothing was given. */
  readonly release: AgentRelease | undefined;
  /** What came since the case began, of one operation or of all. */
  since(operation?: string): readonly Received[];
  /** Waits until there is something. @throws CaseFailure naming what did not come to pass */
  until<T>(what: string, look: () => T | undefined | false, seconds?: number): Promise<T>;
  /** Everything right, nothing assigned, nothing collected, and the agent there. */
  calm(): Promise<void>;
  /** A name for a workload that was never there. */
  newName(): string;
  assign(...wishes: readonly AssignmentWish[]): void;
  collect(...jobs: readonly Schemas['collection-job'][]): void;
  /** Assigns the workload that runs, alone, and waits until it does. */
  run(): Promise<AssignmentWish>;
  /** The first instance as the agent reports it. */
  instanceOf(wish: AssignmentWish): Schemas['observed-instance'] | undefined;
  isRunning(wish: AssignmentWish): boolean;
  /** Has something done at the host. @throws NotApplicable without a command for it */
  command(name: AgentCommand, pauseSeconds?: number): Promise<void>;
  /** Has the agent killed and started again, and waits for its next boot. @throws NotApplicable without a command for it */
  restart(how?: 'restart' | 'rekey'): Promise<{ readonly bootId: string }>;
  sleep(seconds: number): Promise<void>;
}

/** A newer program of the agent under test. */
export interface AgentRelease {
  readonly content: Buffer;
  /** What it calls itself. */
  readonly version: string;
}

export type AgentCase = Case<AgentStage>;

export interface AgentStageOptions {
  readonly played: PlayedOrchestrator;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly workload: WorkloadFile;
  readonly hands: Hands;
  readonly certificateSeconds: number;
  readonly release?: AgentRelease | undefined;
  /** Of a whole case; what is waited for within it may take a third of it. */
  readonly timeoutSeconds: number;
}

const LOOK_MILLISECONDS = 20;

export function createAgentStage(options: AgentStageOptions, trace: Trace, signal: AbortSignal): AgentStage {
  const { played, clock, ids, workload } = options;
  const { ledger } = played;
  const begin = played.received.length;
  played.trace = trace;
  const stage: AgentStage = {
    played,
    ledger,
    clock,
    workload,
    certificateSeconds: options.certificateSeconds,
    release: options.release,
    since: (operation) =>
      played.received.slice(begin).filter((each) => operation === undefined || each.operation === operation),
    async until(what, look, seconds = options.timeoutSeconds / 3) {
      const end = clock.monotonic() + seconds * 1000;
      for (;;) {
        const found = look();
        if (found !== undefined && found !== false) return found;
        if (signal.aborted || clock.monotonic() > end)
          throw new CaseFailure(`it did not come to pass within ${seconds} s that ${what}`);
        await clock.sleep(LOOK_MILLISECONDS, signal);
      }
    },
    async calm() {
      played.fate = undefined;
      played.revise = undefined;
      played.arePushesKept = false;
      await played.wire.appear();
      ledger.isStateConfirmed = true;
      ledger.jobs = [];
      ledger.requests = [];
      ledger.agentUpgrade = undefined;
      assign(ledger, []);
      const from = played.received.length;
      await stage.until('the agent takes over that nothing is assigned', () => {
        const hasTaken = played.received
          .slice(from)
          .some(
            ({ operation, query }) =>
              operation === 'getWanted' && Number(query.get('since')) >= ledger.revision,
          );
        return hasTaken && ledger.observed.size === 0;
      });
    },
    newName: () => `kit-${ids.uuid().slice(0, 8)}`,
    assign: (...wishes) => assign(ledger, wishes),
    collect: (...jobs) => {
      ledger.jobs = jobs;
      ledger.revision += 1;
    },
    async run() {
      const wish = wishOf(stage.newName(), workload.runs);
      stage.assign(wish);
      await stage.until('the workload is reported as RUNNING', () => stage.isRunning(wish));
      return wish;
    },
    instanceOf: ({ workload: { key } }) => ledger.observed.get(idOf(key))?.instances[0],
    isRunning: (wish) => stage.instanceOf(wish)?.state === 'RUNNING',
    async command(name, pauseSeconds = 0) {
      const hand = options.hands[name];
      if (hand === undefined) throw new NotApplicable(needsCommand(name));
      await hand(signal, pauseSeconds);
    },
    async restart(how = 'restart') {
      const before = new Set(played.received.map(({ bootId }) => bootId));
      await stage.command(how);
      const first = await stage.until('the agent is there again, with a new boot id', () =>
        played.received.find(({ bootId, operation }) => operation === 'openSession' && !before.has(bootId)),
      );
      return { bootId: first.bootId };
    },
    sleep: (seconds) => clock.sleep(seconds * 1000, signal),
  };
  return stage;
}
