import { NotApplicable, must } from '../case.ts';
import { digestOf } from './archive.ts';
import type { Schemas } from './ledger.ts';
import { comesToPass } from './observe.ts';
import { problem } from './operations.ts';
import type { Received } from './orchestrator-wire.ts';
import type { AgentStage } from './stage.ts';

export type Facts = Schemas['host-facts'];
type Told = NonNullable<Facts['agentUpgrade']>;
type State = NonNullable<Told['order']>['state'];

const ENDS: readonly State[] = ['CONFIRMED', 'ROLLED_BACK', 'REFUSED'];
/** In which a version that is not heard has to give way. */
export const TRIAL_SECONDS = 6;

interface Program {
  readonly content: Buffer;
  /** What the order names; absent: the right one. */
  readonly digest?: string;
  readonly version: string;
}

export function newestFacts({ played }: AgentStage): Facts {
  const newest = played.received.findLast(
    (each) => each.operation === 'putFacts' && played.statuses.get(each) === 200,
  );
  must(newest !== undefined, 'the agent has stated no facts');
  return newest.body as Facts;
}

/** How far the order is, as the newest facts say; undefined: they speak of another one, or of none. */
export function stateOf(stage: AgentStage, orderId: string): State | undefined {
  const { order: told } = newestFacts(stage).agentUpgrade ?? {};
  return told?.orderId === orderId ? told.state : undefined;
}

/** How the order has ended, once it has; else how far it is. */
export async function endOf(stage: AgentStage, orderId: string, seconds: number): Promise<State | undefined> {
  const isOver = (): boolean => ENDS.includes(stateOf(stage, orderId) ?? 'PREPARING');
  await comesToPass(stage, isOver, seconds);
  return stateOf(stage, orderId);
}

export function versionOf({ release }: AgentStage): string {
  return release?.version ?? '';
}

/** What the agent is now, and what it may become. @throws NotApplicable */
export async function prepare(
  stage: AgentStage,
): Promise<{ readonly content: Buffer; readonly before: string }> {
  await stage.calm();
  const { release } = stage;
  if (release === undefined)
    throw new NotApplicable(
      'needs a newer program of the agent: give --agent-release and --agent-release-version',
    );
  const { agentVersion, agentUpgrade } = newestFacts(stage);
  if (agentUpgrade?.possible !== true)
    throw new NotApplicable(
      `needs an agent that can exchange its program; this one cannot: ${agentUpgrade?.reason ?? 'its facts say nothing of it'}`,
    );
  if (agentUpgrade.digest === digestOf(release.content))
    throw new NotApplicable('needs an agent that does not run the program of --agent-release already');
  return { content: release.content, before: agentVersion };
}

/** @returns id of the order */
export function order(
  { ledger }: AgentStage,
  { content, digest, version }: Program,
  confirmWithinSeconds = TRIAL_SECONDS,
): string {
  const named = digest ?? digestOf(content);
  const orderId = ledger.ids.uuid();
  ledger.files.set(named, content);
  ledger.agentUpgrade = {
    orderId,
    version,
    artifact: { digest: named, sizeBytes: content.length },
    confirmWithinSeconds,
  };
  ledger.revision += 1;
  return orderId;
}

/** Answers versions on trial with 503 from their session on. @returns their boots */
export function refuseTrials(stage: AgentStage, before: string): ReadonlySet<string> {
  const trials = new Set<string>();
  stage.played.fate = ({ operation, body, bootId }: Received) => {
    if (operation === 'openSession' && (body as Schemas['session-request']).agentVersion !== before)
      trials.add(bootId);
    return trials.has(bootId)
      ? { reply: problem(503, 'the kit is not there for a version on trial') }
      : undefined;
  };
  return trials;
}
