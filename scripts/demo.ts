/**
 * The main job, end to end: an orchestrator, a cloud and the agent of a gateway, the catalogue onboarded, a virtual CSE deployed over both,
 * road sensors playing real data through it, and four of its parts killed meanwhile.
 * `--cloud docker` or `kubernetes`: the functions of the cloud run there; absent: as processes of a second agent. `--short`: at most 60 s,
 * where the platform is as quick. `--keep`: leave it running and print where. The last line of stdout is the result as JSON.
 */
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { buildCatalog } from '../vnf-catalog/build-packages.ts';
import { account, renderResult } from './demo/accounting.ts';
import { runChaos } from './demo/chaos.ts';
import { CLOUD_KINDS, type Cloud } from './demo/cloud.ts';
import { deploy, startHosts } from './demo/deployment.ts';
import { createDockerCloud } from './demo/docker-cloud.ts';
import { createInstallation, type Installation } from './demo/installation.ts';
import { createKubernetesCloud } from './demo/kubernetes-cloud.ts';
import { memoryAtRest } from './demo/memory.ts';
import { play, pointsOf } from './demo/play.ts';
import { createProcessCloud } from './demo/process-cloud.ts';
import { provideProgram } from './demo/provide-program.ts';
import { openStage, playOn } from './demo/stage.ts';

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
const SERVICE = 'virtual-cse';

const say = (text: string): void => void process.stderr.write(`${text}\n`);
const stage = openStage('demo');
const { folder, signal } = stage;
/** Nobody else's: what the demo makes on a platform is known by it. */
const VIM_ID = basename(folder).toLowerCase();
const CLOUDS = {
  process: createProcessCloud,
  docker: () => createDockerCloud(VIM_ID),
  kubernetes: () => createKubernetesCloud(VIM_ID),
} as const;
const cloud: Cloud = CLOUDS[cloudKind]();
await playOn(stage, { say, keep: options.keep, leaveNothing: leaveCloud }, demonstrate);

async function demonstrate(): Promise<boolean> {
  provideProgram('nats-server', say);
  await cloud.prepare(say);
  const installation = await createInstallation(folder, signal);
  say(`starting the orchestrator, the cloud (${options.cloud}) and the agent of the gateway`);
  say('building the catalogue');
  const [catalogue] = await Promise.all([
    buildCatalog(join(folder, 'packages')),
    startHosts(installation, cloud),
  ]);
  const deploySeconds = await deploy(installation, { service: SERVICE, catalogue }, say);
  const rssMiB = memoryAtRest(installation);
  const ending = new AbortController();
  const playing = play(installation, { ending: ending.signal, signal, say });
  // When something else fails first, what becomes of the play no longer matters; below it is awaited.
  playing.catch(() => undefined);
  const [healSeconds] = await Promise.all([
    runChaos(installation, cloud, signal, say),
    sleep(PLAY_SECONDS * 1000, undefined, { signal }),
  ]).finally(() => ending.abort());
  const result = {
    cloud: options.cloud,
    ...(await account(installation, await playing, signal, say)),
    healSeconds,
    deploySeconds,
    rssMiB,
  };
  if (options.keep) {
    await tellWhere(installation);
  } else {
    say('removing the service');
    await installation.iotmano('service', 'rm', SERVICE);
    await cloud.leave(installation);
    await installation.stop();
  }
  process.stdout.write(renderResult(result));
  return result.isExact;
}

/** Where everything is reached that is left running. */
async function tellWhere(installation: Installation): Promise<void> {
  const instances = await installation.instances();
  say(`oneM2M: ${pointsOf(instances, 'gateway').join(', ')}`);
  say(`figures: ${pointsOf(instances, 'road-traffic').join(', ')}/figures`);
  if (cloud.whereabouts !== undefined) say(`${options.cloud}: ${cloud.whereabouts}`);
  say(`iotmano: IOTMANO_URL=${installation.url} IOTMANO_DATA=${join(folder, 'orchestrator')}`);
}

/** Removes what the demo has made on a platform. */
async function leaveCloud(): Promise<void> {
  try {
    const removed = await cloud.leaveNothing();
    if (removed.length > 0) say(`removed from ${options.cloud}: ${removed.join(', ')}`);
  } catch (error) {
    say(`something of ${VIM_ID} may be left on ${options.cloud}: ${String(error)}`);
    process.exitCode = 1;
  }
}
