import { IotmanoError, messageOf, toTimestamp, type Clock, type IdSource } from '../../kernel/index.ts';
import { otherBinding } from '../case.ts';
import { notPlayed, playCase, type CaseResult } from '../play-case.ts';
import { loadRequirements } from '../requirements.ts';
import { judgeRequirements, selectCases, type ConformanceResult } from '../result.ts';
import { parseOnly } from '../select.ts';
import { AGENT_CASES } from './cases/index.ts';
import type { OrchestratorWire, Received, Reply } from './orchestrator-wire.ts';
import { startPlayedOrchestrator, type PlayedOrchestrator } from './played-orchestrator.ts';
import { needsCommand, type AgentCommand, type Hands } from './commands.ts';
import { createAgentStage, type AgentCase, type AgentRelease } from './stage.ts';
import type { WorkloadFile } from './workload.ts';

export interface AgentRunOptions {
  readonly listen: (handler: (received: Received) => Promise<Reply>) => Promise<OrchestratorWire>;
  readonly workload: WorkloadFile;
  /** What can be done at the host of the agent. */
  readonly hands: Hands;
  /** What the agent may become; absent: upgrades are not applicable. */
  readonly release?: AgentRelease | undefined;
  readonly only?: readonly string[] | undefined;
  readonly timeoutSeconds: number;
  /** Life of the certificate that an agent is to renew over TLS while the kit looks on. */
  readonly certificateSeconds: number;
  /** How long the agent is waited for. */
  readonly waitSeconds: number;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly signal: AbortSignal;
  /** The kit listens: what the agent has to be started with. */
  readonly onListening: (told: Started) => void;
  readonly onCase?: (result: CaseResult) => void;
}

/** With what an agent has to be started. */
export interface Started {
  readonly url: string;
  readonly token: string;
  /** Absent: any. */
  readonly hostId?: string | undefined;
}

const LOOK_MILLISECONDS = 50;

/**
 * Plays an orchestrator for one agent, and judges it.
 * @throws IotmanoError `unavailable` where no agent comes, `invalid-parameter`
 */
export async function checkAgent(options: AgentRunOptions): Promise<ConformanceResult> {
  const { clock, signal } = options;
  const only = parseOnly(options.only, AGENT_CASES);
  const cases = selectCases(AGENT_CASES, only) as readonly AgentCase[];
  requireShortLife(options);
  const ending = new AbortController();
  const all = AbortSignal.any([signal, ending.signal]);
  const played = await startPlayedOrchestrator(options.listen, { clock, ids: options.ids, signal: all });
  try {
    const { wire, ledger } = played;
    const token = await wire.credential(ledger.token);
    options.onListening({ url: wire.url, token, hostId: wire.hostId });
    await requireAgent(played, options);
    const startedAt = clock.monotonic();
    const began = toTimestamp(clock.now());
    const results: CaseResult[] = [];
    for (const one of cases) {
      if (signal.aborted) break;
      const missing = one.needs?.find((each) => options.hands[each as AgentCommand] === undefined);
      const unfit =
        otherBinding(one, wire.binding) ?? (missing === undefined ? undefined : needsCommand(missing));
      const result =
        unfit === undefined
          ? await playCase(one, (trace, own) => createAgentStage({ ...options, played }, trace, own), options)
          : notPlayed(one, unfit);
      if (signal.aborted) break;
      results.push(result);
      options.onCase?.(result);
    }
    await tidyUp(played, options);
    const requirements = judgeRequirements(
      loadRequirements().filter(
        ({ id }) => only === undefined || cases.some((each) => each.requirements.includes(id)),
      ),
      'agent',
      AGENT_CASES,
      results,
    );
    const seconds = Math.round(clock.monotonic() - startedAt) / 1000;
    return { side: 'agent', binding: wire.binding, startedAt: began, seconds, requirements, cases: results };
  } finally {
    ending.abort();
    await played.wire.close();
  }
}

/** The renewal of a certificate has to come within a case. */
function requireShortLife({ certificateSeconds, timeoutSeconds }: AgentRunOptions): void {
  if (certificateSeconds < timeoutSeconds) return;
  throw new IotmanoError(
    'invalid-parameter',
    `--certificate-life of ${certificateSeconds} s has to be shorter than a case may last: ${timeoutSeconds} s; give a longer --timeout`,
    { parameter: 'certificate-life' },
  );
}

/** Waits until an agent has enrolled and asks for its wanted state. */
async function requireAgent(
  played: PlayedOrchestrator,
  { clock, waitSeconds, signal }: AgentRunOptions,
): Promise<void> {
  const until = clock.monotonic() + waitSeconds * 1000;
  while (!played.received.some(({ operation }) => operation === 'getWanted')) {
    if (signal.aborted) return;
    if (clock.monotonic() > until) throw noAgent(played, waitSeconds);
    await clock.sleep(LOOK_MILLISECONDS, signal);
  }
}

function noAgent({ received, statuses, wire }: PlayedOrchestrator, waitSeconds: number): IotmanoError {
  const last = received.at(-1);
  const came =
    last === undefined
      ? 'nothing came at all: is the agent started, and with the URL'
      : `the last that came was ${last.operation || 'something that is no operation of Mco'}, which was answered with ${String(statuses.get(last) ?? 'nothing')}${last.faults.length > 0 ? ` (${last.faults.join('; ')})` : ''}: is the agent started with an empty data directory, the token that was printed, and the URL`;
  return new IotmanoError(
    'unavailable',
    `no agent has asked for its wanted state within ${waitSeconds} s; ${came} ${wire.url}? More time is given with --wait`,
  );
}

/** Leaves nothing running on the host of the agent, if it is still there. */
async function tidyUp(played: PlayedOrchestrator, options: AgentRunOptions): Promise<void> {
  if (played.ledger.host === undefined || options.signal.aborted) return;
  const patience = new AbortController();
  const stage = createAgentStage(
    { ...options, played },
    { exchanges: [], add: () => undefined },
    patience.signal,
  );
  await stage.calm().catch((error: unknown) => messageOf(error));
  patience.abort();
}
