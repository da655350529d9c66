import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { runCommand } from '../../scripts/demo/run-command.ts';
import { CPU_MILLIS, IMAGE, MEMORY_MEBIBYTES, PROGRAM, type Contender } from './program.ts';

export type DriverName = 'process' | 'docker' | 'kubernetes';

/** `docker` commands under way at once: as many as `xargs -P` of somebody in a hurry. */
const DOCKER_AT_ONCE = 8;

/** What somebody would use who has no orchestrator. */
export const RAW_TOOLS: Readonly<Record<DriverName, { readonly what: string; open(): Promise<Contender> }>> =
  {
    process: { what: 'spawn; SIGTERM and exit', open: openSpawn },
    docker: { what: `docker run -d, ${DOCKER_AT_ONCE} at once; docker stop and rm`, open: openDocker },
    kubernetes: {
      what: 'kubectl scale and rollout status; kubectl scale to none and wait until the pods are gone',
      open: openKubectl,
    },
  };

async function openSpawn(): Promise<Contender> {
  let children: readonly ChildProcess[] = [];
  const [command = '', ...args] = PROGRAM;
  const stop = async (): Promise<void> => {
    const exits = children.map((child) => once(child, 'exit'));
    for (const child of children) child.kill('SIGTERM');
    await Promise.all(exits);
    children = [];
  };
  return {
    start: async (count) => {
      children = Array.from({ length: count }, () => spawn(command, args, { stdio: 'ignore' }));
      await Promise.all(children.map((child) => once(child, 'spawn')));
    },
    stop,
    close: stop,
  };
}

async function openDocker(): Promise<Contender> {
  const prefix = `iotmano-bench-${process.pid}`;
  let names: readonly string[] = [];
  const stop = async (): Promise<void> => {
    if (names.length === 0) return;
    await runCommand('docker', 'stop', ...names);
    await runCommand('docker', 'rm', ...names);
    names = [];
  };
  return {
    start: async (count) => {
      names = Array.from({ length: count }, (_, at) => `${prefix}-${at}`);
      await eachOf(names, DOCKER_AT_ONCE, async (name) => {
        const limits = ['--memory', `${MEMORY_MEBIBYTES}m`, '--cpus', String(CPU_MILLIS / 1000)];
        await runCommand('docker', 'run', '-d', '--name', name, ...limits, IMAGE, ...PROGRAM);
      });
    },
    stop,
    close: async () => {
      if (names.length > 0) await runCommand('docker', 'rm', '-f', ...names);
    },
  };
}

async function openKubectl(): Promise<Contender> {
  const namespace = `iotmano-raw-${process.pid}`;
  const name = 'raw';
  const kubectl = (...args: readonly string[]): Promise<string> =>
    runCommand('kubectl', '--namespace', namespace, ...args);
  await runCommand('kubectl', 'create', 'namespace', namespace);
  await kubectl('create', 'deployment', name, `--image=${IMAGE}`, '--replicas=0', '--', ...PROGRAM);
  await kubectl(
    'set',
    'resources',
    'deployment',
    name,
    `--limits=cpu=${CPU_MILLIS}m,memory=${MEMORY_MEBIBYTES}Mi`,
  );
  return {
    start: async (count) => {
      await kubectl('scale', 'deployment', name, `--replicas=${count}`);
      await kubectl('rollout', 'status', 'deployment', name, '--timeout=120s');
    },
    stop: async () => {
      await kubectl('scale', 'deployment', name, '--replicas=0');
      await kubectl('wait', 'pod', '--all', '--for=delete', '--timeout=120s');
    },
    close: async () => {
      await runCommand('kubectl', 'delete', 'namespace', namespace, '--timeout=120s');
    },
  };
}

/** Does something for each, so many at once. */
async function eachOf<T>(all: readonly T[], atOnce: number, work: (one: T) => Promise<void>): Promise<void> {
  const left = [...all];
  const drain = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) await work(next);
  };
  await Promise.all(Array.from({ length: atOnce }, drain));
}
