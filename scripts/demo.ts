/**
 * The main job, end to end: an orchestrator, a cloud and the agent of a gateway, the catalogue onboarded, a virtual CSE deployed over both,
 * road sensors playing real data through it, and four of its parts killed meanwhile.
 * `--cloud docker` or `kubernetes`: the functions of the cloud run there; absent: as processes of a second agent. `--short`: at most 60 s,
 * where the platform is as quick. `--keep`: leave it running and print where. The last line of stdout is the result as JSON.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { buildCatalog } from '../vnf-catalog/build-packages.ts';
import { account, renderResult } from './demo/accounting.ts';
import { runChaos } from './demo/chaos.ts';
import { CLOUD_KINDS, type Cloud } from './demo/cloud.ts';
import { removeControlGroups } from './demo/control-groups.ts';
import { createDockerCloud } from './demo/docker-cloud.ts';
import { createInstallation, type Installation } from './demo/installation.ts';
import { createKubernetesCloud } from './demo/kubernetes-cloud.ts';
import { memoryAtRest } from './demo/memory.ts';
import { provideNatsServer } from './demo/nats-server.ts';
import { play, pointsOf } from './demo/play.ts';
import { createProcessCloud } from './demo/process-cloud.ts';
import { endProcessesOf, processesOf, until } from './demo/processes.ts';

const { values: options } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    cloud: { type: 'string', default: 'process' },
  },
});
const cloudKind = CLOUD_KINDS.find((kind) => kind === options.cloud);
if (cloudKind === undefined)
  throw new RangeError(`--cloud ${options.cloud}: there are ${CLOUD_KINDS.join(', ')}`);
/** How long the sensors play at least; they do so for as long as something is still to be killed. */
const PLAY_SECONDS = options.short ? 15 : 60;
const LOG_LINES = 8;

const say = (text: string): void => void process.stderr.write(`${text}\n`);
const abort = new AbortController();
// However often, and also when the terminal goes: what was started is ended first.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => abort.abort(new RangeError(`stopped by ${signal}`)));

const folder = mkdtempSync(join(tmpdir(), 'iotmano-demo-'));
/** Nobody else's: what the demo makes on a platform is known by it. */
const VIM_ID = basename(folder).toLowerCase();
const CLOUDS = {
  process: createProcessCloud,
  docker: () => createDockerCloud(VIM_ID),
  kubernetes: () => createKubernetesCloud(VIM_ID),
} as const;
const cloud: Cloud = CLOUDS[cloudKind]();
try {
  process.exitCode = (await demonstrate()) ? 0 : 1;
} catch (error) {
  say(`the demo failed: ${error instanceof Error ? error.message : String(error)}`);
  if (!abort.signal.aborted) showLogs();
  process.exitCode = 1;
} finally {
  if (options.keep && !abort.signal.aborted)
    say(`left as it is below ${folder} (logs in ${join(folder, 'logs')})`);
  else await leaveNothing();
}

async function demonstrate(): Promise<boolean> {
  provideNatsServer(say);
  await cloud.prepare(say);
  const installation = await createInstallation(folder, abort.signal);
  await startHosts(installation);
  const deploySeconds = await deploy(installation);
  const rssMiB = memoryAtRest(installation);
  const ending = new AbortController();
  const playing = play(installation, { ending: ending.signal, signal: abort.signal, say });
  // When something else fails first, what becomes of the play no longer matters; below it is awaited.
  playing.catch(() => undefined);
  const [healSeconds] = await Promise.all([
    runChaos(installation, cloud, abort.signal, say),
    sleep(PLAY_SECONDS * 1000, undefined, { signal: abort.signal }),
  ]).finally(() => ending.abort());
  const result = {
    cloud: options.cloud,
    ...(await account(installation, await playing, abort.signal, say)),
    healSeconds,
    deploySeconds,
    rssMiB,
  };
  if (options.keep) {
    await tellWhere(installation);
  } else {
    say('removing the service');
    await installation.iotmano('service', 'rm', 'virtual-cse');
    await cloud.leave(installation);
    await installation.stop();
  }
  process.stdout.write(renderResult(result));
  return result.isExact;
}

async function startHosts(installation: Installation): Promise<void> {
  say(`starting the orchestrator, the cloud (${options.cloud}) and the agent of the gateway`);
  await installation.startOrchestrator();
  await installation.enrolAgent('gw-1', await cloud.join(installation));
  await until('that both hosts are READY', 20, () => hasReadyHosts(installation, 2), abort.signal);
}

async function hasReadyHosts(installation: Installation, count: number): Promise<boolean> {
  const hosts = await installation.request<{ state: string; facts?: object }[]>('GET', '/iotmano/v1/hosts');
  return hosts.filter(({ state, facts }) => state === 'READY' && facts !== undefined).length === count;
}

/** @returns seconds from the request until every function runs */
async function deploy(installation: Installation): Promise<number> {
  say('building and onboarding the catalogue');
  const packages = join(folder, 'packages');
  mkdirSync(packages);
  const { functions, services } = await buildCatalog(packages);
  await installation.iotmano('package', 'onboard', ...Object.values(functions), ...Object.values(services));
  say('deploying the service virtual-cse');
  const { seconds } = JSON.parse(
    await installation.iotmano('service', 'deploy', 'virtual-cse', '-o', 'json'),
  ) as { seconds: number };
  say(`virtual-cse runs after ${seconds} s`);
  return seconds;
}

/** The last lines of each program's log: they are removed with the folder. */
function showLogs(): void {
  const logs = join(folder, 'logs');
  for (const name of existsSync(logs) ? readdirSync(logs) : []) {
    const lines = readFileSync(join(logs, name), 'utf8').trimEnd().split('\n').slice(-LOG_LINES);
    say(`--- ${name}\n${lines.join('\n')}`);
  }
}

/** Where everything is reached that is left running. */
async function tellWhere(installation: Installation): Promise<void> {
  const instances = await installation.instances();
  say(`oneM2M: ${pointsOf(instances, 'gateway').join(', ')}`);
  say(`figures: ${pointsOf(instances, 'road-traffic').join(', ')}/figures`);
  if (cloud.whereabouts !== undefined) say(`${options.cloud}: ${cloud.whereabouts}`);
  say(`iotmano: IOTMANO_URL=${installation.url} IOTMANO_DATA=${join(folder, 'orchestrator')}`);
}

/** Stops whatever the demo has started and removes what it has made; says so when something had to be killed. */
async function leaveNothing(): Promise<void> {
  const left = await endProcessesOf(folder);
  for (const name of ['cloud-1', 'gw-1']) removeControlGroups(join(folder, name, 'process'));
  rmSync(folder, { recursive: true, force: true });
  if (left > 0) say(`ended ${left} processes of the demo`);
  if (processesOf(folder).length > 0) {
    say('some processes of the demo could not be ended');
    process.exitCode = 1;
  }
  try {
    const removed = await cloud.leaveNothing();
    if (removed.length > 0) say(`removed from ${options.cloud}: ${removed.join(', ')}`);
  } catch (error) {
    say(`something of ${VIM_ID} may be left on ${options.cloud}: ${String(error)}`);
    process.exitCode = 1;
  }
}
