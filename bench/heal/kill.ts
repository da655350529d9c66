import { join } from 'node:path';
import { IotmanoError } from '../../kernel/index.ts';
import { processesOf } from '../../scripts/demo/processes.ts';
import { eventually } from '../../test/kit/test-system.ts';
import { GATEWAYS, running, type RealCse } from '../real-cse/open-real-cse.ts';
import type { Probe } from './probe.ts';
import { newProgramBelow, programBelow, startedAt } from './programs.ts';

/** What is killed, and who asks meanwhile. */
export interface Scene {
  readonly cse: RealCse;
  readonly service: string;
  readonly probe: Probe;
}

/** Seconds from a kill until a request that was sent after it was answered. */
export interface Healed {
  readonly seconds: number;
  /** Of which the new process took from its start on. */
  readonly ownStartSeconds: number;
}

export interface HostHealed extends Healed {
  /** What is left without the time that the function bears the silence of its host, counted from its last sign of life. */
  readonly beyondPatienceSeconds: number;
}

const FUNCTION = 'processing';
const PROGRAM = 'request-processing';
const PATIENCE_SECONDS = 60;
/** `healing.lostAfter` of request processing in the catalogue. */
export const LOST_AFTER_SECONDS = 10;

/** Kills the only process of request processing with SIGKILL. */
export async function killInstance(scene: Scene): Promise<Healed> {
  await whole(scene);
  const { folder } = scene.cse.system;
  const pid = found(programBelow(folder, PROGRAM));
  const begin = performance.now();
  process.kill(pid, 'SIGKILL');
  return healedAfter(scene, begin, pid);
}

/** Kills the agent of the host of request processing and everything on it, as when the power fails; afterwards the host is started again. */
export async function killHost(scene: Scene): Promise<HostHealed> {
  const { cse } = scene;
  const { system } = cse;
  const hostId = await whole(scene);
  const pid = found(programBelow(system.folder, PROGRAM));
  const onHost = processesOf(join(system.folder, hostId));
  const { silentSeconds } = found(
    (await system.get<{ hostId: string; silentSeconds: number }[]>('/iotmano/v1/hosts')).find(
      (host) => host.hostId === hostId,
    ),
  );
  const begin = performance.now();
  for (const one of [system.agent(hostId).pid, ...onHost]) killIfThere(one);
  const healed = await healedAfter(scene, begin, pid);
  await system.startAgent(hostId);
  await system.readyHosts(...GATEWAYS);
  const beyondPatienceSeconds = healed.seconds + silentSeconds - LOST_AFTER_SECONDS;
  return { ...healed, beyondPatienceSeconds };
}

async function healedAfter({ cse, probe }: Scene, begin: number, killed: number): Promise<Healed> {
  const answered = await probe.firstAnswer(begin, PATIENCE_SECONDS);
  const started = startedAt(await newProgramBelow(cse.system.folder, PROGRAM, killed));
  return { seconds: (answered - begin) / 1000, ownStartSeconds: (answered - started) / 1000 };
}

/** Waits until the only copy runs and answers. @returns its host */
async function whole({ cse, service, probe }: Scene): Promise<string> {
  const [copy] = await running(cse, service, FUNCTION, 1);
  await probe.firstAnswer(performance.now(), PATIENCE_SECONDS);
  return found(copy).hostId;
}

export interface OrchestratorBack {
  /** Until it is ready: `/readyz`. */
  readonly readySeconds: number;
  /** Until an operation that was asked for then is done, by an agent that has found it again. */
  readonly actedSeconds: number;
  /** Requests of devices that failed meanwhile, of so many. */
  readonly failed: number;
  readonly ended: number;
}

/** Kills the orchestrator with SIGKILL and starts it again at once, as whoever supervises it does; then scales out, and in again. */
export async function killOrchestrator(scene: Scene): Promise<OrchestratorBack> {
  const { cse, service, probe } = scene;
  await whole(scene);
  const [copy] = await cse.copiesOf(service, FUNCTION);
  probe.count();
  const begin = performance.now();
  await cse.system.orchestrator().kill();
  await cse.system.startOrchestrator();
  const readySeconds = (performance.now() - begin) / 1000;
  const path = `/vnflcm/v2/vnf_instances/${found(copy).vnfInstanceId}/scale`;
  await scale(cse, path, 'SCALE_OUT');
  const actedSeconds = (performance.now() - begin) / 1000;
  const { ended, failed } = probe.count();
  await scale(cse, path, 'SCALE_IN');
  return { readySeconds, actedSeconds, failed, ended };
}

async function scale({ system }: RealCse, path: string, type: 'SCALE_OUT' | 'SCALE_IN'): Promise<void> {
  const { status, headers, body } = await system.request('POST', path, { type, aspectId: 'load' });
  if (status !== 202)
    throw new IotmanoError('internal', `scaling was answered with ${status}: ${JSON.stringify(body)}`);
  const operation = new URL(headers.get('location') ?? '').pathname;
  const state = await eventually(`${operation} has ended`, async () => {
    const { operationState } = await system.get<{ operationState: string }>(operation);
    return !['STARTING', 'PROCESSING'].includes(operationState) && operationState;
  });
  if (state !== 'COMPLETED') throw new IotmanoError('internal', `the scaling is ${state}`);
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended with another one.
  }
}

function found<T>(value: T | undefined): T {
  if (value === undefined) throw new IotmanoError('internal', 'what is to be killed is not there');
  return value;
}
