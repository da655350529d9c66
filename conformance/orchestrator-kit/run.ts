import {
  IotmanoError,
  isTransient,
  messageOf,
  toTimestamp,
  type Clock,
  type IdSource,
} from '../../kernel/index.ts';
import { otherBinding } from '../case.ts';
import { notPlayed, playCase, type CaseResult } from '../play-case.ts';
import { needsOperator, type Operator, type OperatorAction } from '../operator.ts';
import { loadRequirements } from '../requirements.ts';
import { judgeRequirements, selectCases, type ConformanceResult } from '../result.ts';
import { createTrace } from '../trace.ts';
import { parseOnly } from '../select.ts';
import type { AgentWire } from './agent-wire.ts';
import { ORCHESTRATOR_CASES } from './cases/index.ts';
import { createOrchestratorStage, type OrchestratorCase, type StageOptions } from './stage.ts';

export interface OrchestratorRunOptions {
  readonly wire: AgentWire;
  readonly operator: Operator;
  /** One-time enrolment tokens that any host may use. */
  readonly tokens: readonly string[];
  readonly only?: readonly string[] | undefined;
  readonly timeoutSeconds: number;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly signal: AbortSignal;
  readonly onCase?: (result: CaseResult) => void;
}

const FIRST_ANSWER_SECONDS = 10;
/** Waiting cases at a time: each has a connection or two open, and hardly anything to do. */
const WAITING_AT_A_TIME = 4;
/** What makes the orchestrator be away for a while, or switches off what others use, disturbs all others. */
const DISTURBING: ReadonlySet<string> = new Set(['restart', 'reset', 'diagnostics-off']);

/**
 * Plays agents of hosts against an orchestrator, and judges it.
 * @throws IotmanoError `unavailable` where it cannot be reached, `unauthorized` where no host can be enrolled, `invalid-parameter`
 */
export async function checkOrchestrator(options: OrchestratorRunOptions): Promise<ConformanceResult> {
  const { clock, signal } = options;
  const only = parseOnly(options.only, ORCHESTRATOR_CASES);
  const cases = selectCases(ORCHESTRATOR_CASES, only) as readonly OrchestratorCase[];
  const startedAt = clock.monotonic();
  const began = toTimestamp(clock.now());
  const stageOptions: StageOptions = { ...options, tokens: [...options.tokens] };
  await requireReachable(options);
  await requireEnrolment(stageOptions, signal);
  const results = await playAll(cases, stageOptions, options);
  const requirements = judgeRequirements(
    loadRequirements().filter(
      ({ id }) => only === undefined || cases.some((each) => each.requirements.includes(id)),
    ),
    'orchestrator',
    ORCHESTRATOR_CASES,
    results,
  );
  const seconds = Math.round(clock.monotonic() - startedAt) / 1000;
  return {
    side: 'orchestrator',
    binding: options.wire.binding,
    startedAt: began,
    seconds,
    requirements,
    cases: results,
  };
}

/** Waiting cases beside the others, and at the end those that make the orchestrator be away. @returns in the listed order */
async function playAll(
  cases: readonly OrchestratorCase[],
  stageOptions: StageOptions,
  options: OrchestratorRunOptions,
): Promise<readonly CaseResult[]> {
  const { operator, signal } = options;
  const results = new Map<string, CaseResult>();
  const play = async (one: OrchestratorCase): Promise<void> => {
    if (signal.aborted) return;
    const missing = one.needs?.find((each) => !operator.can(each as OperatorAction));
    const unfit =
      otherBinding(one, options.wire.binding) ?? (missing === undefined ? undefined : needsOperator(missing));
    const result =
      unfit === undefined
        ? await playCase(one, (trace, own) => createOrchestratorStage(stageOptions, trace, own), options)
        : notPlayed(one, unfit);
    if (signal.aborted) return;
    results.set(one.id, result);
    options.onCase?.(result);
  };
  const calm = cases.filter((one) => !isDisturbing(one));
  // Where tokens are scarce cases share one host: one after the other.
  const waiting = operator.issuesTokens() ? calm.filter(({ isWaiting }) => isWaiting === true) : [];
  const lanes = Map.groupBy(waiting, ({ turn }, index) => turn ?? index % WAITING_AT_A_TIME).values();
  const others = calm.filter((one) => !waiting.includes(one));
  await Promise.all([others, ...lanes].map((lane) => inOrder(lane, play)));
  const [resetting, disturbing] = [cases.filter(isResetting), cases.filter(isDisturbing)];
  await inOrder(
    disturbing.filter((one) => !resetting.includes(one)),
    play,
  );
  await inOrder(resetting, play);
  return cases.flatMap(({ id }) => results.get(id) ?? []);
}

function isDisturbing({ needs }: OrchestratorCase): boolean {
  return needs?.some((each) => DISTURBING.has(each)) === true;
}

/** What operators have prepared is gone after these. */
function isResetting({ needs }: OrchestratorCase): boolean {
  return needs?.includes('reset') === true;
}

async function inOrder(
  cases: readonly OrchestratorCase[],
  play: (one: OrchestratorCase) => Promise<void>,
): Promise<void> {
  for (const one of cases) await play(one);
}

/** Anything that answers like Mco will do. */
async function requireReachable({ wire, signal }: OrchestratorRunOptions): Promise<void> {
  const patience = AbortSignal.any([signal, AbortSignal.timeout(FIRST_ANSWER_SECONDS * 1000)]);
  try {
    await wire.reach(patience);
  } catch (error) {
    if (!isTransient(error)) throw error;
    throw new IotmanoError(
      'unavailable',
      `${messageOf(error)}; is it started, and --target its address? For TLS with an authority of your own give --ca-file`,
      {},
      error,
    );
  }
}

/** The host that cases share where tokens are scarce; otherwise one that shows that tokens are good. */
async function requireEnrolment(options: StageOptions, signal: AbortSignal): Promise<void> {
  const trace = createTrace();
  try {
    const stage = createOrchestratorStage(options, trace, signal);
    const host = await stage.enrolledHost();
    if (!options.operator.issuesTokens()) options.standing = host;
  } catch (error) {
    throw new IotmanoError(
      'unauthorized',
      `no host can be enrolled, so nothing can be checked: ${messageOf(error)}. A token is good once and has to be one that any host may use: issue a new one and give it with --token or IOTMANO_ENROLMENT_TOKEN, or let --operator-command issue them`,
      {},
      error,
    );
  }
}
