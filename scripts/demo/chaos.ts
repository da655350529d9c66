import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentName, FunctionInstance, Installation } from './installation.ts';
import { argumentsOf, processesOf, until } from './processes.ts';

/** Seconds from each SIGKILL until what it hit did its work again. */
export interface HealSeconds {
  readonly requestProcessing: number;
  readonly dataStorage: number;
  readonly agent: number;
  readonly orchestrator: number;
}

const HEAL_LIMIT_SECONDS = 20;
const PAUSE_MILLISECONDS = 1500;

/**
 * Kills four parts, one after the other, each with SIGKILL, and waits for each to be whole again.
 * @throws RangeError when one does not heal, or when a function was restarted although only its agent or the orchestrator died
 */
export async function runChaos(
  installation: Installation,
  signal: AbortSignal,
  say: (text: string) => void,
): Promise<HealSeconds> {
  const pause = (): Promise<void> => sleep(PAUSE_MILLISECONDS, undefined, { signal });
  await pause();
  const requestProcessing = await killFunction(installation, 'request-processing', 'processing', signal, say);
  await pause();
  const dataStorage = await killFunction(installation, 'data-storage', 'storage', signal, say);
  await pause();
  const agent = await killAgent(installation, 'gw-1', signal, say);
  await pause();
  const orchestrator = await killOrchestrator(installation, signal, say);
  return { requestProcessing, dataStorage, agent, orchestrator };
}

/**
 * @param program name of the catalogue function
 * @param constituent what the service calls it
 */
async function killFunction(
  installation: Installation,
  program: string,
  constituent: string,
  signal: AbortSignal,
  say: (text: string) => void,
): Promise<number> {
  const before = pidsOf(installation, program);
  const [killed] = before;
  if (killed === undefined) throw new RangeError(`no process of ${program} is running`);
  const restarts = sumOfRestarts(await installation.instances(), constituent);
  say(`kill -9 ${program} (pid ${killed})`);
  const begin = performance.now();
  process.kill(killed, 'SIGKILL');
  const isWhole = async (): Promise<boolean> => {
    const instances = await installation.instances();
    const pids = pidsOf(installation, program);
    return (
      !pids.includes(killed) &&
      pids.length >= before.length &&
      sumOfRestarts(instances, constituent) > restarts &&
      instances.every((instance) => instance.function !== constituent || instance.state === 'RUNNING')
    );
  };
  await until(`the healing of ${program}`, HEAL_LIMIT_SECONDS, isWhole, signal);
  return told(program, begin, say);
}

function sumOfRestarts(instances: readonly FunctionInstance[], constituent: string): number {
  return instances
    .filter((instance) => instance.function === constituent)
    .reduce((sum, { restarts }) => sum + restarts, 0);
}

async function killAgent(
  installation: Installation,
  name: AgentName,
  signal: AbortSignal,
  say: (text: string) => void,
): Promise<number> {
  const agent = installation.agent(name);
  const before = functionPids(installation, agent.pid);
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
  requireSamePids(before, functionPids(installation, installation.agent(name).pid), `the agent of ${name}`);
  return told(`agent ${name}`, begin, say);
}

async function killOrchestrator(
  installation: Installation,
  signal: AbortSignal,
  say: (text: string) => void,
): Promise<number> {
  const { pid } = installation.orchestrator();
  const before = functionPids(installation, pid);
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
  requireSamePids(before, functionPids(installation, installation.orchestrator().pid), 'the orchestrator');
  return told('orchestrator', begin, say);
}

function told(what: string, begin: number, say: (text: string) => void): number {
  const seconds = Math.round(performance.now() - begin) / 1000;
  say(`${what} is whole again after ${seconds} s`);
  return seconds;
}

/** Processes of one catalogue function, by its program. */
function pidsOf(installation: Installation, name: string): number[] {
  return processesOf(installation.folder).filter(
    (pid) => programOf(pid).includes(`${name}/main.js`) && !programOf(pid).includes('/bin/sh'),
  );
}

/** Every process of a function that runs below the demo's folder, and not the program that is killed. */
function functionPids(installation: Installation, without: number): number[] {
  return processesOf(installation.folder).filter(
    (pid) => pid !== without && programOf(pid).includes('/main.js'),
  );
}

function programOf(pid: number): string {
  return argumentsOf(pid).join(' ');
}

function requireSamePids(before: readonly number[], after: readonly number[], killed: string): void {
  const missing = before.filter((pid) => !after.includes(pid));
  if (missing.length > 0)
    throw new RangeError(
      `functions were restarted because ${killed} died: pids ${missing.join(', ')} are gone`,
    );
}
