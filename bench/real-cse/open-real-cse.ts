import { join } from 'node:path';
import { readFileSync, writeFileSync } from 'node:fs';
import { parse, stringify } from 'yaml';
import { IotmanoError } from '../../kernel/index.ts';
import { createTestSystem, eventually, type Copy, type TestSystem } from '../../test/kit/test-system.ts';
import { buildCatalog, buildVariant } from '../../vnf-catalog/build-packages.ts';

const SCALED = 'request-processing';
const SERVICE = 'balanced-cse';

/** What request processing is declared to be able to do: time that is waited for, not work that is done. */
export interface DeclaredCapacity {
  readonly serviceMilliseconds: number;
  readonly concurrency: number;
}

/** An orchestrator and three agents as processes on loopback, with the balanced CSE of the catalogue. */
export interface RealCse {
  readonly system: TestSystem;
  /** Deploys the service under a name, and waits until all of it runs. */
  deploy(name: string, declared: DeclaredCapacity): Promise<void>;
  remove(name: string): Promise<void>;
  /** Copies of a function of a service, in whatever state. */
  copiesOf(name: string, functionName: string): Promise<readonly Copy[]>;
  /** Where devices ask. */
  pointOfAccess(name: string): Promise<string>;
  close(): Promise<void>;
}

/** One host of the cloud for what has its one place, two gateways for what is scaled and moved. */
export const GATEWAYS = ['gw-1', 'gw-2'] as const;

export async function openRealCse(): Promise<RealCse> {
  const system = await createTestSystem();
  try {
    await system.startOrchestrator();
    await Promise.all([
      system.startAgent('cloud-1', { enrol: true, tier: 'cloud' }),
      system.addHosts(...GATEWAYS),
    ]);
    await system.readyHosts('cloud-1');
    await onboard(system);
    return realCse(system);
  } catch (error) {
    await system.cleanUp();
    throw error;
  }
}

function realCse(system: TestSystem): RealCse {
  const copiesOf = async (name: string, functionName: string): Promise<readonly Copy[]> =>
    (await system.copies(name)).filter((copy) => copy.function === functionName);
  return {
    system,
    copiesOf,
    deploy: async (name, declared) => {
      const parameters = Object.entries(declared).flatMap(([key, value]) => ['--param', `${key}=${value}`]);
      await succeed(system, ['service', 'deploy', SERVICE, '--name', name, ...parameters]);
    },
    remove: (name) => succeed(system, ['service', 'rm', name]),
    pointOfAccess: async (name) => {
      const [balancer] = await copiesOf(name, 'balancer');
      const endpoint = balancer?.endpoints.find((one) => one.startsWith('http='));
      if (endpoint === undefined)
        throw new IotmanoError('internal', `${name} has no load balancer with a port "http"`);
      return `http://${endpoint.slice('http='.length)}`;
    },
    close: () => system.cleanUp(),
  };
}

async function succeed(system: TestSystem, args: readonly string[]): Promise<void> {
  const { code, stderr } = await system.iotmano(args);
  if (code !== 0)
    throw new IotmanoError('internal', `iotmano ${args.join(' ')} ended with ${code}: ${stderr}`);
}

async function onboard(system: TestSystem): Promise<void> {
  const folder = join(system.folder, 'catalog');
  const { functions, services } = await buildCatalog(folder);
  await buildVariant(SCALED, functions[SCALED] ?? '', withMeasurements);
  const service = services[SERVICE] ?? '';
  writeFileSync(service, apartDescriptor(readFileSync(service, 'utf8')));
  await succeed(system, ['package', 'onboard', ...Object.values(functions), service]);
}

type FunctionDescriptor = Readonly<Record<string, unknown>> & {
  readonly units?: readonly { readonly metrics: object }[];
};

/** As in the catalogue, but measured every second: what scales by measurements reacts no faster than they come. */
function withMeasurements(descriptor: FunctionDescriptor): object {
  return {
    ...descriptor,
    units: (descriptor.units ?? []).map((unit) => ({ ...unit, metrics: { ...unit.metrics, every: '1s' } })),
  };
}

interface ServiceText {
  placement: readonly object[];
}

/** As in the catalogue, but request processing has its hosts for itself, so that one can be lost without the rest. */
function apartDescriptor(text: string): string {
  const descriptor = parse(text) as ServiceText;
  descriptor.placement = [
    { together: ['broker', 'storage', 'notification', 'gateway', 'balancer'], scope: 'host' },
    { apart: ['processing', 'broker'], scope: 'host' },
  ];
  return stringify(descriptor);
}

/** Waits until exactly so many copies of a function are there, and all run. */
export function running(
  cse: Pick<RealCse, 'copiesOf'>,
  name: string,
  functionName: string,
  count: number,
): Promise<readonly Copy[]> {
  return eventually(
    `${count} copies of ${functionName} run`,
    async () => {
      const copies = await cse.copiesOf(name, functionName);
      return copies.length === count && copies.every(({ state }) => state === 'RUNNING') && copies;
    },
    60,
  );
}
