import type { BuiltCatalog } from '../../vnf-catalog/build-packages.ts';
import type { Cloud } from './cloud.ts';
import type { Installation } from './installation.ts';
import { until } from './processes.ts';

/** A service of the catalogue, and what is said when it is deployed. */
export interface Deployment {
  readonly service: string;
  readonly catalogue: BuiltCatalog;
  readonly parameters?: Readonly<Record<string, string | number>>;
}

/** Starts the orchestrator, the cloud and the agent of the gateway, and waits until both hosts are READY. */
export async function startHosts(installation: Installation, cloud: Cloud): Promise<void> {
  await installation.startOrchestrator();
  await installation.enrolAgent('gw-1', await cloud.join(installation));
  await until('that both hosts are READY', 20, () => hasReadyHosts(installation, 2), installation.signal);
}

async function hasReadyHosts(installation: Installation, count: number): Promise<boolean> {
  const hosts = await installation.request<{ state: string; facts?: object }[]>('GET', '/iotmano/v1/hosts');
  return hosts.filter(({ state, facts }) => state === 'READY' && facts !== undefined).length === count;
}

/** Onboards the catalogue, and deploys the service. @returns seconds from the request until every function runs */
export async function deploy(
  installation: Installation,
  { service, catalogue, parameters = {} }: Deployment,
  say: (text: string) => void,
): Promise<number> {
  say('onboarding the catalogue');
  const { functions, services } = catalogue;
  await installation.iotmano('package', 'onboard', ...Object.values(functions), ...Object.values(services));
  say(`deploying the service ${service}`);
  const params = Object.entries(parameters).flatMap(([name, value]) => ['--param', `${name}=${value}`]);
  const { seconds } = JSON.parse(
    await installation.iotmano('service', 'deploy', service, ...params, '-o', 'json'),
  ) as { seconds: number };
  say(`${service} runs after ${seconds} s`);
  return seconds;
}
