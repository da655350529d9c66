/** Sites for the conformance suite: a scope of its own on the engine at hand, gone afterwards with everything in it. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { IotmanoError, silentLogger, systemClock, type HostId } from '../../kernel/index.ts';
import type { ConformanceSite, ConformanceTarget } from '../conformance-site.ts';
import { instanceName, workloadId, type ArtifactSource, type WorkloadKey } from '../contract.ts';
import {
  createDockerDriver,
  type DockerDriver,
  type DockerDriverOptions,
  type DockerEndpoint,
} from './index.ts';
import { startCuttingProxy } from './testkit-proxy.ts';

const run = promisify(execFile);

/** Has a shell and Node. */
export const TEST_IMAGE = 'node:24-slim';

export const NO_ARTIFACTS: ArtifactSource = {
  open: async ({ digest }) => {
    throw new IotmanoError('artifact-unusable', `there is no artifact ${digest}`);
  },
};

/** Where the `docker` command finds its engine. */
export function engineAtHand(): string {
  return process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock';
}

export function endpointOf(dockerHost: string): DockerEndpoint {
  if (dockerHost.startsWith('unix://')) return { type: 'socket', path: dockerHost.slice('unix://'.length) };
  const { hostname, port } = new URL(dockerHost.replace(/^tcp:/, 'http:'));
  return { type: 'tcp', host: hostname, port: Number(port || 2375) };
}

/** The `docker` command, told which engine is meant. */
export async function docker(dockerHost: string, ...words: readonly string[]): Promise<string> {
  const { stdout } = await run('docker', ['-H', dockerHost, ...words], { maxBuffer: 64 * 1024 ** 2 });
  return stdout.trim();
}

export interface DockerSite extends ConformanceSite {
  readonly driver: DockerDriver;
  readonly scope: string;
  readonly dockerHost: string;
}

export interface SiteOptions extends Partial<Omit<DockerDriverOptions, 'endpoint'>> {
  readonly dockerHost?: string;
  readonly image?: string;
}

export async function openDockerSite(options: SiteOptions = {}): Promise<DockerSite> {
  const { dockerHost = engineAtHand(), image = TEST_IMAGE, ...driverOptions } = options;
  const scope = options.scope ?? `test ${randomUUID()}`;
  const proxy = await startCuttingProxy(endpointOf(dockerHost));
  const open = (): Promise<DockerDriver> =>
    createDockerDriver({
      hostId: 'host-1' as HostId,
      artifacts: NO_ARTIFACTS,
      clock: systemClock,
      log: silentLogger,
      ...driverOptions,
      scope,
      endpoint: { type: 'socket', path: proxy.path },
    });
  let driver = await open();
  const [host] = await driver.inventory();
  const cli = (...words: readonly string[]): Promise<string> => docker(dockerHost, ...words);
  const foreign: string[] = [];
  const inspect = async (key: WorkloadKey, slot: number, format: string): Promise<string> =>
    cli('inspect', '--type=container', '--format', format, instanceName(key, slot));
  return {
    scope,
    dockerHost,
    get driver() {
      return driver;
    },
    async reopen() {
      await driver.close();
      driver = await open();
    },
    artifact: (command) => ({ type: 'container', image, command }),
    async crash(key, { slot }) {
      // All but the first process, from inside: an engine that is told to kill would think that somebody wants it to end.
      await cli('exec', instanceName(key, slot), 'sh', '-c', 'kill -9 -1').catch(
        () => undefined, // the shell that kills may be killed, too
      );
    },
    async takeAway(key, slot) {
      await cli('rm', '--force', instanceName(key, slot));
    },
    async runOf(key, slot) {
      const text = await inspect(key, slot, '{{.State.Running}} {{.Id}} {{.State.StartedAt}}').catch(
        () => '',
      );
      return text.startsWith('true ') ? text : undefined;
    },
    programs: {
      address: host?.address ?? '127.0.0.1',
      missingArtifact: () => ({
        type: 'container',
        image: 'iotmano.invalid/no-such-image:1',
        command: ['sh'],
      }),
      async signal(key, slot, name) {
        await cli('kill', '--signal', name, instanceName(key, slot));
      },
      async usageByTool(key, slot) {
        const name = instanceName(key, slot);
        const [memory, times] = await Promise.all([
          cli('stats', '--no-stream', '--format', '{{.MemUsage}}', name),
          cli('top', name, '-o', 'pid,cputimes'),
        ]);
        return { memoryBytes: parseSize(memory), cpuSeconds: sumOfTimes(times) };
      },
      shownByTool: (key) => cli('inspect', instanceName(key, 0)),
    },
    async plantForeign() {
      const name = `iotmano-foreign-${randomUUID()}`;
      foreign.push(name);
      await cli('run', '--detach', '--name', name, '--init', image, 'sleep', '600');
      return async () => (await cli('inspect', '--format', '{{.State.Running}}', name)) === 'true';
    },
    traces: (...keys) => tracesOf(dockerHost, scope, keys),
    async interruptEngine() {
      proxy.cut();
      await new Promise((resolve) => setTimeout(resolve, 1000));
      await proxy.mend();
    },
    async close() {
      try {
        await driver.close();
        for (const name of foreign) await cli('rm', '--force', '--volumes', name);
        await removeScope(dockerHost, scope);
      } finally {
        await proxy.close();
      }
    },
  };
}

/** Everything of the workloads on the engine, by label and by name. */
async function tracesOf(
  dockerHost: string,
  scope: string,
  keys: readonly WorkloadKey[],
): Promise<readonly string[]> {
  const cli = (...words: readonly string[]): Promise<string> => docker(dockerHost, ...words);
  const ofScope = ['--filter', `label=iotmano.scope=${scope}`];
  const [containers, volumes, networks, own] = await Promise.all([
    cli('ps', '--all', '--format', 'container {{.Names}}'),
    cli(
      'volume',
      'ls',
      '--format',
      'volume {{.Name}} {{.Label "iotmano.kind"}} {{.Label "iotmano.workload"}}',
    ),
    cli('network', 'ls', ...ofScope, '--format', 'network {{.Name}}'),
    cli('ps', '--all', ...ofScope, '--format', '{{.Names}}'),
  ]);
  const all = [containers, volumes, networks].flatMap((text) => text.split('\n')).filter(Boolean);
  const isKept = (line: string): boolean => line.startsWith('volume ') && line.includes('.kept ');
  const ids = keys.map(workloadId);
  const isOfKeys = (name: string): boolean => ids.some((id) => name.includes(id));
  // What else of the scope is there shares the network: it stays for those that stay.
  const isNetworkLeft = own.split('\n').filter(Boolean).every(isOfKeys);
  return all.filter((line) => {
    if (isKept(line)) return false;
    return line.startsWith('network ') ? isNetworkLeft : isOfKeys(line);
  });
}

/** Removes everything of a scope, whatever a test has left. */
export async function removeScope(dockerHost: string, scope: string): Promise<void> {
  const ofScope = ['--filter', `label=iotmano.scope=${scope}`, '--quiet'];
  const remove = async (list: readonly string[], how: readonly string[]): Promise<void> => {
    const names = (await docker(dockerHost, ...list, ...ofScope)).split('\n').filter(Boolean);
    if (names.length > 0) await docker(dockerHost, ...how, ...names);
  };
  await remove(['ps', '--all'], ['rm', '--force', '--volumes']);
  await remove(['network', 'ls'], ['network', 'rm']);
  await remove(['volume', 'ls'], ['volume', 'rm']);
}

/** The first figure of `81.2MiB / 256MiB`. */
function parseSize(text: string): number {
  const [, figure = '0', unit = 'B'] = /^([\d.]+)\s*([KMG]?i?B)/.exec(text) ?? [];
  const factors: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };
  return Number(figure) * (factors[unit] ?? 1);
}

function sumOfTimes(table: string): number {
  return table
    .split('\n')
    .slice(1)
    .reduce((sum, line) => sum + Number(line.trim().split(/\s+/)[1] ?? 0), 0);
}

export const DOCKER_TARGET: ConformanceTarget = {
  name: 'docker',
  keepsLease: false,
  slowness: 3, // a start takes an engine half a second, where a process takes a few milliseconds
  crowd: 60, // an engine starts two or three containers a second on two cores
  without: { admission: 'an engine takes whatever it is given' },
  open: () => openDockerSite(),
};
