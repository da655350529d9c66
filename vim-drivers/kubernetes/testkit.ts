/** Sites for the conformance suite: a scope and namespaces of its own on the cluster at hand, gone afterwards with everything in them. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { KubeConfig } from '@kubernetes/client-node';
import { DEFAULT_TENANT, silentLogger, systemClock, type HostId } from '../../kernel/index.ts';
import type { ConformanceSite, ConformanceTarget } from '../conformance-site.ts';
import type { WorkloadKey } from '../contract.ts';
import { createKubernetesDriver, type KubernetesDriver, type KubernetesDriverOptions } from './index.ts';
import { LABEL, labelValue, slotName, workloadName } from './names.ts';
import { ObjectClient } from './object-client.ts';
import type { Kind, KubeObject } from './objects.ts';
import { endSandboxes, measureContainer, signalContainer } from './testkit-engine.ts';
import { startCuttingProxy } from './testkit-proxy.ts';
import { ApiTransport } from './transport.ts';

const run = promisify(execFile);

/** Has a shell and Node. */
export const TEST_IMAGE = 'node:24-slim';

export interface KubernetesSite extends ConformanceSite {
  readonly driver: KubernetesDriver;
  readonly scope: string;
  /** Namespace of the tenant of the suite. */
  readonly namespace: string;
  /** Asks the cluster by another way than the driver's. */
  readonly client: ObjectClient;
  cut(): void;
  mend(): Promise<void>;
}

export interface SiteOptions extends Partial<Omit<KubernetesDriverOptions, 'connection'>> {
  /** Of another account than the kubeconfig's. */
  readonly token?: string;
}

/** The kubeconfig of the cluster for tests. */
export function clusterAtHand(): KubeConfig {
  const config = new KubeConfig();
  config.loadFromString(readFileSync(process.env['KUBECONFIG'] ?? '', 'utf8'));
  return config;
}

export async function kubectl(...words: readonly string[]): Promise<string> {
  const { stdout } = await run('kubectl', [...words], { maxBuffer: 64 * 1024 ** 2 });
  return stdout.trim();
}

export async function openKubernetesSite({ token, ...options }: SiteOptions = {}): Promise<KubernetesSite> {
  const config = clusterAtHand();
  const transport = new ApiTransport(config);
  const client = new ObjectClient(transport);
  const proxy = await startCuttingProxy(config.getCurrentCluster()?.server ?? '');
  const unique = randomUUID().slice(0, 8);
  const scope = options.scope ?? `test ${unique}`;
  const prefix = options.namespacePrefix ?? `iotmano-test-${unique}-`;
  const namespace = `${prefix}${DEFAULT_TENANT}`;
  const open = (): Promise<KubernetesDriver> =>
    createKubernetesDriver({
      hostId: 'cluster-1' as HostId,
      clock: systemClock,
      log: silentLogger,
      ...options,
      scope,
      namespacePrefix: prefix,
      connection: connectionBy(config, proxy.url, token),
    });
  let driver = await open();
  const ending = helpPodsEnd(client, namespace);
  const foreign: string[] = [];
  const podOf = async (key: WorkloadKey, slot: number): Promise<KubeObject<'pod'> | undefined> => {
    const labelSelector = `${LABEL.slot}=${slotName(key, slot)}`;
    const { items } = await client.list('pod', { namespace, labelSelector });
    return items.find(isRunning);
  };
  const containerOf = async (key: WorkloadKey, slot: number): Promise<string> => {
    const id = (await podOf(key, slot))?.status?.containerStatuses?.[0]?.containerID;
    if (id === undefined) throw new Error(`nothing runs in slot ${slot} of ${workloadName(key)}`);
    return id;
  };
  return {
    scope,
    namespace,
    client,
    get driver() {
      return driver;
    },
    cut: () => proxy.cut(),
    mend: () => proxy.mend(),
    async reopen() {
      await driver.close();
      driver = await open();
    },
    artifact: (command) => ({ type: 'container', image: TEST_IMAGE, command }),
    async crash(key, { slot }) {
      await signalContainer(await containerOf(key, slot), 'SIGKILL');
    },
    async takeAway(key, slot) {
      const selector = `${LABEL.slot}=${slotName(key, slot)}`;
      await kubectl('delete', 'deployment,statefulset,job', '-n', namespace, '-l', selector);
    },
    async runOf(key, slot) {
      return (await podOf(key, slot))?.status?.containerStatuses?.[0]?.containerID;
    },
    programs: {
      address: (await driver.inventory())[0]?.address ?? '127.0.0.1',
      missingArtifact: () => ({
        type: 'container',
        image: 'iotmano.invalid/no-such-image:1',
        command: ['sh'],
      }),
      async signal(key, slot, name) {
        await signalContainer(await containerOf(key, slot), name);
      },
      usageByTool: async (key, slot) => measureContainer(await containerOf(key, slot)),
      shownByTool: async (key) => {
        const selector = `${LABEL.workload}=${workloadName(key)}`;
        const kinds = 'deployments,statefulsets,jobs,replicasets,pods,services,networkpolicies,configmaps';
        const shown = await kubectl('get', kinds, '-n', namespace, '-l', selector, '-o', 'yaml');
        return `${shown}\n${await kubectl('describe', kinds, '-n', namespace, '-l', selector)}`;
      },
    },
    async plantForeign() {
      const name = `iotmano-foreign-${unique}`;
      foreign.push(name);
      await kubectl('run', name, '-n', 'default', `--image=${TEST_IMAGE}`, '--', 'sleep', '600');
      const { metadata } = (await client.get('pod', 'default', name)) ?? {};
      return async () => {
        const found = (await client.get('pod', 'default', name))?.metadata;
        return found?.uid === metadata?.uid && found?.deletionTimestamp === undefined;
      };
    },
    traces: (...keys) => tracesOf(client, namespace, keys),
    async interruptEngine() {
      proxy.cut();
      await new Promise((resolve) => setTimeout(resolve, 1500));
      await proxy.mend();
    },
    async close() {
      try {
        await driver.close();
        for (const name of foreign) await client.delete('pod', 'default', name, { graceSeconds: 0 });
        await removeScope(client, scope);
      } finally {
        await ending.end();
        proxy.close();
        transport.close();
      }
    },
  };
}

function connectionBy(
  config: KubeConfig,
  server: string,
  token: string | undefined,
): KubernetesDriverOptions['connection'] {
  if (token !== undefined) return { type: 'server', server, skipVerification: true, token };
  const user = config.getCurrentUser();
  const decode = (data: string): string => Buffer.from(data, 'base64').toString();
  return {
    type: 'server',
    server,
    // The certificate names the server itself and not the way of the test.
    skipVerification: true,
    ...(user?.token === undefined ? {} : { token: user.token }),
    ...(user?.certData === undefined ? {} : { certificate: decode(user.certData) }),
    ...(user?.keyData === undefined ? {} : { key: decode(user.keyData) }),
  };
}

function isRunning({ status }: KubeObject<'pod'>): boolean {
  return status?.containerStatuses?.[0]?.state?.running !== undefined;
}

/** Everything of the workloads in the cluster, kept claims excepted. */
async function tracesOf(
  client: ObjectClient,
  namespace: string,
  keys: readonly WorkloadKey[],
): Promise<readonly string[]> {
  const kinds: readonly Kind[] = [
    'pod',
    'deployment',
    'replicaSet',
    'statefulSet',
    'job',
    'service',
    'secret',
    'configMap',
    'networkPolicy',
  ];
  const names = new Set(keys.map(workloadName));
  const found = await Promise.all(
    kinds.map(async (kind) => {
      const { items } = await client.list(kind, { namespace, labelSelector: LABEL.workload });
      return items
        .filter(({ metadata }) => names.has(metadata?.labels?.[LABEL.workload] ?? ''))
        .map(({ metadata }) => `${kind} ${metadata?.name}`);
    }),
  );
  return found.flat();
}

/** Removes everything of a scope, whatever a test has left, and gives back the volumes that it had. */
export async function removeScope(client: ObjectClient, scope: string): Promise<void> {
  const selector = `${LABEL.scope}=${labelValue(scope)}`;
  const { items } = await client.list('namespace', { labelSelector: selector });
  for (const { metadata } of items) {
    const namespace = metadata?.name ?? '';
    for (const kind of ['deployment', 'statefulSet', 'job', 'replicaSet'] as const)
      await client.deleteAll(kind, namespace, '');
    await client.deleteAll('pod', namespace, '', { graceSeconds: 0 });
    await client.deleteAll('claim', namespace, '');
    await giveBackVolumes(client, namespace);
    await client.delete('namespace', undefined, namespace);
  }
}

/** A volume of the cluster at hand is not used again by itself: it is wiped and told that nobody claims it. */
async function giveBackVolumes(client: ObjectClient, namespace: string): Promise<void> {
  for (let look = 0; look < 40; look += 1) {
    const { items } = await client.list('claim', { namespace });
    if (items.length === 0) break;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  const all = await client.transport.send({ method: 'GET', path: '/api/v1/persistentvolumes' });
  const volumes = JSON.parse(all) as {
    readonly items: readonly {
      readonly metadata: { readonly name: string };
      readonly spec: {
        readonly claimRef?: { readonly namespace?: string };
        readonly hostPath?: { readonly path: string };
      };
    }[];
  };
  for (const { metadata, spec } of volumes.items) {
    if (spec.claimRef?.namespace !== namespace) continue;
    if (spec.hostPath !== undefined)
      for (const name of await readdir(spec.hostPath.path))
        await rm(join(spec.hostPath.path, name), { recursive: true, force: true });
    await kubectl('patch', 'pv', metadata.name, '--type=merge', '-p', '{"spec":{"claimRef":null}}');
  }
}

/** Ends the sandboxes of pods that are being deleted, until it is ended itself. */
function helpPodsEnd(client: ObjectClient, namespace: string): { end(): Promise<void> } {
  const over = new AbortController();
  const help = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const { items } = await client.list('pod', { namespace });
      const leaving = new Set(
        items
          .filter(({ metadata }) => metadata?.deletionTimestamp !== undefined)
          .map(({ metadata }) => metadata?.uid),
      );
      if (leaving.size > 0) await endSandboxes(namespace, (uid) => leaving.has(uid));
      await systemClock.sleep(400, over.signal);
    }
  };
  const helping = help().catch(() => undefined);
  return {
    async end() {
      over.abort();
      await helping;
    },
  };
}

export const KUBERNETES_TARGET: ConformanceTarget = {
  name: 'kubernetes',
  keepsLease: false,
  slowness: 6, // a start takes a cluster two seconds, and an end as long, where a process takes a few milliseconds
  crowd: 20, // a machine has room for 110 pods, others' included
  without: { 'command-input': 'standard input over a web socket has no end in clusters before 1.30' },
  open: () => openKubernetesSite(),
};
