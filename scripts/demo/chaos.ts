import { setTimeout as sleep } from 'node:timers/promises';
import type { Cloud, Constituent } from './cloud.ts';
import type { AgentName, FunctionInstance, Installation } from './installation.ts';
import { argumentsOf, processesOf, until } from './processes.ts';

/** Seconds from each kill until what it hit did its work again. */
export interface HealSeconds {
  readonly requestProcessing: number;
  readonly dataStorage: number;
  readonly agent: number;
  readonly orchestrator: number;
}

const HEAL_LIMIT_SECONDS = 20;
const PAUSE_MILLISECONDS = 1500;
export const REQUEST_PROCESSING: Constituent = { program: 'request-processing', name: 'processing' };
const DATA_STORAGE: Constituent = { program: 'data-storage', name: 'storage' };

/**
 * Kills four parts, one after the other, with SIGKILL or what the cloud has for it, and waits for each to be whole again.
 * @throws RangeError when one does not heal, or when a function was restarted although only its agent or the orchestrator died
 */
export async function runChaos(
  installation: Installation,
  cloud: Cloud,
  signal: AbortSignal,
  say: (text: string) => void,
): Promise<HealSeconds> {
  const pause = (): Promise<void> => sleep(PAUSE_MILLISECONDS, undefined, { signal });
  const terms = { installation, cloud, signal, say };
  await pause();
  const requestProcessing = await killFunction(terms, REQUEST_PROCESSING);
  await pause();
  const dataStorage = await killFunction(terms, DATA_STORAGE);
  await pause();
  const agent = await killAgent(terms, 'gw-1');
  await pause();
  const orchestrator = await killOrchestrator(terms);
  return { requestProcessing, dataStorage, agent, orchestrator };
}

export interface ChaosTerms {
  readonly installation: Installation;
  readonly cloud: Cloud;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}

/**
 * Kills a copy of a function, and waits until it has been started again, and all of its copies run.
 * @returns seconds from the one to the other
 */
export async function killFunction(
  { installation, cloud, signal, say }: ChaosTerms,
  constituent: Constituent,
): Promise<number> {
  const { program, name } = constituent;
  const before = await cloud.runs(installation, constituent);
  const [killed] = before;
  if (killed === undefined) throw new RangeError(`no copy of ${program} is running in the cloud`);
  const restarts = sumOfRestarts(await installation.instances(), name);
  say(`killing ${program} (${killed})`);
  const begin = performance.now();
  await cloud.kill(killed, constituent);
  const isWhole = async (): Promise<boolean> => {
    const instances = await installation.instances();
    const runs = await cloud.runs(installation, constituent);
    return (
      !runs.includes(killed) &&
      runs.length >= before.length &&
      (!cloud.countsRestarts || sumOfRestarts(instances, name) > restarts) &&
      instances.every((instance) => instance.function !== name || instance.state === 'RUNNING')
    );
  };
  await until(`the healing of ${program}`, cloud.healSeconds, isWhole, signal);
  return told(program, begin, say);
}

function sumOfRestarts(instances: readonly FunctionInstance[], constituent: string): number {
  return instances
    .filter((instance) => instance.function === constituent)
    .reduce((sum, { restarts }) => sum + restarts, 0);
}

async function killAgent({ installation, cloud, signal, say }: ChaosTerms, name: AgentName): Promise<number> {
  const agent = installation.agent(name);
  const before = await functionRuns(installation, cloud, agent.pid);
  const boot = await installation.lastBoot(name);
  say(`kill -9 the agent of ${name} (pid ${agent.pid})`);
  const begin = performance.now();
  await agent.kill();
  installation.startAgent(name);
  await until(
    `the return of the agent of ${name}`,
    HEAL_LIMIT_SECONDS,
    async () => (await installation.lastBoot(name)) !== boot,
    signal,
  );
  const seconds = told(`agent ${name}`, begin, say);
  const after = await functionRuns(installation, cloud, installation.agent(name).pid);
  requireSameRuns(before, after, `the agent of ${name}`);
  return seconds;
}

/**
 * Kills the orchestrator, starts it again, and waits until it sees every function run.
 * @returns seconds from the one to the other
 * @throws RangeError when a function was restarted because of that
 */
export async function killOrchestrator({ installation, cloud, signal, say }: ChaosTerms): Promise<number> {
  const { pid } = installation.orchestrator();
  const before = await functionRuns(installation, cloud, pid);
  say(`kill -9 the orchestrator (pid ${pid})`);
  const begin = performance.now();
  await installation.orchestrator().kill();
  await installation.startOrchestrator();
  await until(
    'the orchestrator seeing every function again',
    HEAL_LIMIT_SECONDS,
    async () => {
      const instances = await installation.instances();
      return instances.length > 0 && instances.every(({ state }) => state === 'RUNNING');
    },
    signal,
  );
  const seconds = told('orchestrator', begin, say);
  const after = await functionRuns(installation, cloud, installation.orchestrator().pid);
  requireSameRuns(before, after, 'the orchestrator');
  return seconds;
}

function told(what: string, begin: number, say: (text: string) => void): number {
  const seconds = Math.round(performance.now() - begin) / 1000;
  say(`${what} is whole again after ${seconds} s`);
  return seconds;
}

/** Every run of a function: processes below the demo's folder but for the program that is killed, and what else the cloud has. */
async function functionRuns(
  installation: Installation,
  cloud: Cloud,
  without: number,
): Promise<readonly string[]> {
  const pids = processesOf(installation.folder).filter(
    (pid) => pid !== without && argumentsOf(pid).join(' ').includes('/main.js'),
  );
  return [...pids.map(String), ...(await cloud.runs(installation))];
}

function requireSameRuns(before: readonly string[], after: readonly string[], killed: string): void {
  const missing = before.filter((run) => !after.includes(run));
  if (missing.length > 0)
    throw new RangeError(`functions were restarted because ${killed} died: ${missing.join(', ')} are gone`);
}
