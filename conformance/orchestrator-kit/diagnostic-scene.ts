import { NotApplicable } from '../case.ts';
import type { Answer } from './agent-wire.ts';
import { comesToPass } from './comes-to-pass.ts';
import { obey, type Obedience } from './obedience.ts';
import { memberOf, type PlayedHost, type Schemas } from './played-host.ts';
import type { OrchestratorStage } from './stage.ts';

type Wanted = Schemas['wanted'];
type Chunk = Schemas['stream-chunk'];
export type Request = Schemas['diagnostic-request'];

/** Until a request comes, or is withdrawn. */
export const SOON_SECONDS = 8;
/** In which no more requests come. */
const SETTLED_SECONDS = 3;

/** A host that runs what was assigned to it, as it says, while operators may look into functions. */
export interface Scene {
  readonly stage: OrchestratorStage;
  readonly host: PlayedHost;
  readonly obedient: Obedience;
  readonly key: Schemas['workload-key'];
  /** Revision before anything was asked for. */
  readonly before: number;
}

/** What an operator has begun. */
export interface Command {
  /** As the operator calls it. */
  readonly name: string;
  /** A word of it that no other has. */
  readonly word: string;
}

export async function openScene(stage: OrchestratorStage): Promise<Scene> {
  await stage.operator.do('diagnostics-on');
  const host = await stage.enrolledHost();
  await host.comeUp();
  const obedient = obey(stage, host, await host.expect<Wanted>(200, 'getWanted'));
  await stage.operator.do('assign', host.hostId);
  const wanted = await host.expect<Wanted>(200, 'getWanted');
  const { key } = memberOf(wanted.assignments[0], 'an assignment').workload;
  return { stage, host, obedient, key, before: wanted.revision };
}

export async function closeScene(stage: OrchestratorStage, { host, obedient }: Scene): Promise<void> {
  await stage.operator.do('unassign', host.hostId);
  obedient.end();
}

export async function begin({ stage, host }: Scene): Promise<Command> {
  const word = `kit-${crypto.randomUUID().slice(0, 8)}`;
  return { word, name: await stage.operator.do('command-begin', host.hostId, 'echo', word) };
}

export async function requestsOf(host: PlayedHost): Promise<readonly Request[]> {
  return (await host.expect<Wanted>(200, 'getWanted')).diagnosticRequests;
}

export function isOf({ command = [] }: Request, { word }: Command): boolean {
  return command.includes(word);
}

export async function isAsked({ host }: Scene, command: Command): Promise<boolean> {
  return (await requestsOf(host)).some((one) => isOf(one, command));
}

/** Whether its request is withdrawn in time. */
export function isWithdrawn(scene: Scene, command: Command, seconds = SOON_SECONDS): Promise<boolean> {
  return comesToPass(scene.stage, async () => !(await isAsked(scene, command)), seconds);
}

/** As it comes with the wanted state; undefined where it does not. */
export async function requestOf({ stage, host }: Scene, command: Command): Promise<Request | undefined> {
  let found: Request | undefined;
  await comesToPass(
    stage,
    async () => {
      found = (await requestsOf(host)).find((one) => isOf(one, command));
      return found !== undefined;
    },
    SOON_SECONDS,
  );
  return found;
}

/** @throws NotApplicable where it does not come, which another case judges */
export async function requireRequest(scene: Scene, command: Command): Promise<Request> {
  const request = await requestOf(scene, command);
  if (request !== undefined) return request;
  throw new NotApplicable('needs a command that comes with the wanted state of its host');
}

/** The requests once there are so many, or no more come. */
export async function settledRequests({ stage, host }: Scene, most: number): Promise<readonly Request[]> {
  let standing: readonly Request[] = [];
  await comesToPass(
    stage,
    async () => {
      standing = await requestsOf(host);
      return standing.length >= most;
    },
    SETTLED_SECONDS,
  );
  return standing;
}

export function send(
  host: PlayedHost,
  streamId: string,
  chunk: Partial<Chunk> & Pick<Chunk, 'number'>,
): Promise<Answer> {
  return host.send('postStream', { streamId, body: { inputBytes: 0, ...chunk } });
}

/** What an operator sees of a command that has ended. */
export async function outputOf(stage: OrchestratorStage, { name, word }: Command): Promise<string> {
  let shown = '';
  await comesToPass(
    stage,
    async () => {
      shown = await stage.operator.do('command-output', name);
      return shown.includes(word);
    },
    SOON_SECONDS,
  );
  return shown;
}
