/**
 * The proof of concept of ETSI TR 103 527 clause 5.5, on this machine: devices behind a load balancer ask more and more, request processing is
 * scaled out, a copy of it and the orchestrator are killed, it goes to another version, and is scaled in again, with the commands and the API
 * that an operator has. `--short`: about a minute, and the orchestrator is not killed. Ends with 1 when something did not come to pass or a
 * request failed. The last line of stdout is the result as JSON.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildCatalog, type BuiltCatalog } from '../vnf-catalog/build-packages.ts';
import { REQUEST_PROCESSING } from './demo/chaos.ts';
import { deploy, startHosts } from './demo/deployment.ts';
import { createInstallation, type Installation } from './demo/installation.ts';
import { createProcessCloud } from './demo/process-cloud.ts';
import { provideProgram } from './demo/provide-program.ts';
import { openStage, playOn } from './demo/stage.ts';
import { accountStory, renderAccount } from './poc/account.ts';
import { startLoad } from './poc/load-player.ts';
import { Screen } from './poc/screen.ts';
import { leaveOutAspects } from './poc/shown-service.ts';
import { tellStory, type Story } from './poc/story.ts';
import { DECLARED, demandOf, ONE_MINUTE, THREE_MINUTES } from './poc/timetable.ts';
import { buildVersions, type Versions } from './poc/versions.ts';
import { versionsText, Watch } from './poc/watch.ts';

const { values: options } = parseArgs({ options: { short: { type: 'boolean', default: false } } });
const SERVICE = 'balanced-cse';
const timetable = options.short ? ONE_MINUTE : THREE_MINUTES;
const stage = openStage('poc');
const cloud = createProcessCloud();
const screen = new Screen();
const { say } = screen;

await playOn(stage, { say }, () => prove().finally(() => screen.close()));

async function prove(): Promise<boolean> {
  provideProgram('nats-server', say);
  provideProgram('haproxy', say);
  const installation = await createInstallation(stage.folder, stage.signal);
  say('starting the orchestrator and the agents of a cloud host and of a gateway');
  say('building the catalogue, and two versions of request processing');
  const [catalogue, versions] = await Promise.all([
    buildCatalog(join(stage.folder, 'packages')),
    buildVersions(stage.folder, timetable),
    startHosts(installation, cloud),
  ]);
  await deploy(
    installation,
    { service: SERVICE, parameters: DECLARED, catalogue: withVersion(catalogue, versions) },
    say,
  );
  const watch = new Watch(installation, say);
  const over = new AbortController();
  const watching = watch.follow(over.signal);
  const story = await show(installation, watch, versions).finally(() => over.abort());
  await watching;
  const result = accountStory(story, watch);
  if (!options.short) {
    say('removing the service');
    await installation.iotmano('service', 'rm', SERVICE);
  }
  say('stopping');
  await installation.stop();
  screen.close();
  process.stdout.write(renderAccount(result));
  return result.isWhole;
}

/** The first version in place of that of the catalogue; of services, the one that is shown. */
function withVersion({ functions, services }: BuiltCatalog, { first }: Versions): BuiltCatalog {
  const service = services[SERVICE] ?? '';
  leaveOutAspects(service);
  return {
    functions: { ...functions, [REQUEST_PROCESSING.program]: first.file },
    services: { [SERVICE]: service },
  };
}

async function show(installation: Installation, watch: Watch, versions: Versions): Promise<Story> {
  say('devices register, and the load begins');
  const load = startLoad(installation, SERVICE, demandOf(timetable));
  screen.follow(() => ({
    load: load.seconds(),
    versions: versionsText(watch.copies),
    running: runningOf(watch),
  }));
  return tellStory({
    installation,
    cloud,
    signal: stage.signal,
    say,
    begin: screen.begin,
    service: SERVICE,
    timetable,
    versions,
    load,
    watch,
  });
}

/** Running copies by function. */
function runningOf({ copies }: Watch): Readonly<Record<string, number>> {
  const running: Record<string, number> = {};
  for (const { function: name, state } of copies)
    if (state === 'RUNNING') running[name] = (running[name] ?? 0) + 1;
  return running;
}
