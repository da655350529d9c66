import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { IotmanoError } from '../../kernel/index.ts';
import { createDockerCloud } from '../../scripts/demo/docker-cloud.ts';
import { createKubernetesCloud } from '../../scripts/demo/kubernetes-cloud.ts';
import { registrationOf } from '../../scripts/demo/vim-registration.ts';
import { createTestSystem, type TestSystem } from '../../test/kit/test-system.ts';
import { CPU_MILLIS, IMAGE, MEMORY_MEBIBYTES, PROGRAM, type Contender } from './program.ts';
import type { DriverName } from './raw-tools.ts';

const POLL_MILLISECONDS = 10;
const PATIENCE_SECONDS = 240;
const FUNCTION = 'urn:bench:function:waiter';

/** An orchestrator of its own with one host of the driver's kind, as separate processes over real sockets. */
export async function openOrchestrated(driver: DriverName, counts: readonly number[]): Promise<Contender> {
  const system = await createTestSystem();
  try {
    await system.startOrchestrator();
    const leave = await addHost(system, driver);
    const vnfdId = await onboard(system, counts);
    return contend(system, vnfdId, leave);
  } catch (error) {
    await system.cleanUp();
    throw error;
  }
}

function contend(system: TestSystem, vnfdId: string, leave: () => Promise<void>): Contender {
  let instance: string | undefined;
  const operate = async (operation: string, body: object): Promise<void> => {
    const reply = await system.request('POST', `${instance}/${operation}`, body);
    const location = reply.headers.get('location');
    if (reply.status !== 202 || location === null) throw refused(operation, reply);
    await completed(system, new URL(location).pathname);
  };
  const stop = async (): Promise<void> => {
    await operate('terminate', { terminationType: 'GRACEFUL' });
  };
  return {
    start: async (count) => {
      instance ??= await create(system, vnfdId);
      await operate('instantiate', { flavourId: 'default', instantiationLevelId: levelOf(count) });
    },
    stop,
    close: async () => {
      await system.cleanUp();
      await leave();
    },
  };
}

async function create(system: TestSystem, vnfdId: string): Promise<string> {
  const reply = await system.request<{ id: string }>('POST', '/vnflcm/v2/vnf_instances', { vnfdId });
  if (reply.status !== 201) throw refused('creation', reply);
  return `/vnflcm/v2/vnf_instances/${reply.body.id}`;
}

async function completed(system: TestSystem, path: string): Promise<void> {
  const end = performance.now() + PATIENCE_SECONDS * 1000;
  for (;;) {
    const occurrence = await system.get<{ operationState: string; error?: { detail: string } }>(path);
    if (occurrence.operationState === 'COMPLETED') return;
    if (!['STARTING', 'PROCESSING'].includes(occurrence.operationState) || performance.now() > end) {
      const why = occurrence.error?.detail ?? JSON.stringify(await system.copies());
      throw new IotmanoError('internal', `the operation is ${occurrence.operationState}: ${why}`);
    }
    await sleep(POLL_MILLISECONDS);
  }
}

function refused(what: string, { status, body }: { status: number; body: unknown }): IotmanoError {
  return new IotmanoError('internal', `the ${what} was answered with ${status}: ${JSON.stringify(body)}`);
}

/** @returns how the host is taken leave of */
async function addHost(system: TestSystem, driver: DriverName): Promise<() => Promise<void>> {
  if (driver === 'process') {
    await system.addHosts('bench-1');
    return async () => {};
  }
  const vimId = `iotmano-bench-${process.pid}`;
  const cloud = driver === 'docker' ? createDockerCloud(vimId) : createKubernetesCloud(vimId);
  const reply = await system.request(
    'POST',
    '/iotmano/v1/vim_connections',
    await registrationOf(driver, vimId),
  );
  if (reply.status !== 201) throw refused('registration', reply);
  await system.readyHosts(vimId);
  return async () => void (await cloud.leaveNothing());
}

const levelOf = (count: number): string => `level-${count}`;

async function onboard(system: TestSystem, counts: readonly number[]): Promise<string> {
  const file = join(system.folder, 'waiter.yaml');
  writeFileSync(file, JSON.stringify(waiter(counts)));
  const { code, stdout, stderr } = await system.iotmano(['package', 'onboard', file, '-o', 'json']);
  if (code !== 0) throw new IotmanoError('internal', `the function was not onboarded: ${stderr}`);
  const [onboarded] = JSON.parse(stdout) as { id: string; descriptorId?: string }[];
  const { vnfdId } = await system.get<{ vnfdId: string }>(`/vnfpkgm/v2/vnf_packages/${onboarded?.id ?? ''}`);
  return vnfdId;
}

function waiter(counts: readonly number[]): object {
  return {
    apiVersion: 'iotmano/v1',
    kind: 'IoTFunctionDescriptor',
    metadata: {
      invariantId: FUNCTION,
      provider: 'bench',
      productName: 'waiter',
      softwareVersion: '1.0.0',
      descriptorVersion: '1.0.0',
      role: 'infrastructure',
    },
    units: [
      {
        name: 'waiter',
        artifacts: [
          { type: 'process', command: PROGRAM },
          { type: 'container', image: IMAGE, command: PROGRAM },
        ],
        resources: { cpu: `${CPU_MILLIS}m`, memory: `${MEMORY_MEBIBYTES}Mi` },
        security: { nonRoot: false, readOnlyRoot: false },
        stop: { signal: 'SIGTERM', grace: '10s' },
      },
    ],
    flavours: [
      {
        name: 'default',
        levels: counts.map((count) => ({ name: levelOf(count), instances: { waiter: count } })),
      },
    ],
  };
}
