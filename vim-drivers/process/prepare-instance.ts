import { mkdir, readlink, rename, rm, symlink } from 'node:fs/promises';
import { delimiter, dirname, isAbsolute, join, normalize } from 'node:path';
import { IotmanoError } from '../../kernel/index.ts';
import {
  instanceName,
  workloadId,
  type Bindings,
  type WorkloadId,
  type WorkloadKey,
  type WorkloadSpec,
} from '../contract.ts';
import { resolveOnHost, type HostFacts } from '../supervision/index.ts';
import { keptVolumesDirectory, slotPaths, type Layout, type SlotPaths } from './layout.ts';
import { readIfThere, replaceFile, replaceFileDurably } from './state-files.ts';

/** Everything that the wrapper needs to start a program. */
export interface PreparedInstance {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDirectory: string;
}

export interface PrepareInput {
  readonly layout: Layout;
  readonly key: WorkloadKey;
  readonly spec: WorkloadSpec;
  readonly slot: number;
  readonly ports: Readonly<Record<string, number>>;
  readonly bindings: Bindings;
  /** The unpacked files; absent: the program is on the host. */
  readonly artifactDirectory?: string;
  readonly hostId: string;
  readonly hostAddress: string;
  /** The Node that functions run on. */
  readonly nodePath: string;
}

/** Name and value that mark every process of an instance, wherever in the process tree it went. */
export function instanceMark(layout: Layout, id: WorkloadId, slot: number): string {
  return `IOTMANO_INSTANCE=${id}-${slot}@${layout.root}`;
}

/** Makes directories, volumes, files and bindings of an instance, and tells how it is started. */
export async function prepareInstance(input: PrepareInput): Promise<PreparedInstance> {
  const { spec } = input;
  const paths = pathsOf(input);
  const facts = hostFacts(input, paths);
  await mkdir(paths.instance, { recursive: true, mode: 0o700 });
  for (const directory of Object.values(facts.volumes))
    await mkdir(directory, { recursive: true, mode: 0o700 });
  for (const file of spec.files) {
    const path = insideInstance(paths, file.path);
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await replaceFile(path, resolveOnHost(file.content, facts, `the file ${file.path}`));
  }
  await writeBindings(paths, spec, input.bindings);
  return describeInstance(input);
}

/** How an instance is started; touches nothing. What its descriptor left to the host is resolved. */
export function describeInstance(input: PrepareInput): PreparedInstance {
  const { spec } = input;
  const paths = pathsOf(input);
  const facts = hostFacts(input, paths);
  if (spec.artifact.type !== 'process')
    throw new IotmanoError('artifact-unusable', 'this host runs processes, not containers');
  return {
    command: spec.artifact.command.map((word) => resolveWord(word, facts, 'the command')),
    environment: environmentOf(input, paths, facts),
    workingDirectory: input.artifactDirectory ?? paths.instance,
  };
}

/**
 * Makes the bindings file of an instance hold these: a link to where secrets are. Readers find the old content or the new one, never a part, and after a
 * reboot, when what was in memory is gone, nothing.
 */
export async function writeBindings(paths: SlotPaths, spec: WorkloadSpec, bindings: Bindings): Promise<void> {
  if (spec.bindings === undefined) return;
  const path = insideInstance(paths, spec.bindings.path);
  await mkdir(dirname(paths.bindingsFile), { recursive: true, mode: 0o700 });
  const content = `${JSON.stringify(bindings, undefined, 2)}\n`;
  if ((await readIfThere(paths.bindingsFile)) !== content)
    await replaceFileDurably(paths.bindingsFile, content);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await replaceLink(path, paths.bindingsFile);
}

/** Also where a file is: earlier versions kept the bindings themselves there. */
async function replaceLink(path: string, target: string): Promise<void> {
  const before = await readlink(path).catch(() => undefined);
  if (before === target) return;
  const temporary = `${path}.new`;
  await rm(temporary, { force: true });
  await symlink(target, temporary);
  await rename(temporary, path);
}

function pathsOf({ layout, key, slot }: PrepareInput): SlotPaths {
  return slotPaths(layout, workloadId(key), slot);
}

function hostFacts(input: PrepareInput, paths: SlotPaths): HostFacts {
  const { spec, key, slot } = input;
  const kept = keptVolumesDirectory(input.layout, key, slot);
  const volumes = spec.volumes.map((volume) => [
    volume.name,
    join(volume.keep ? kept : paths.ephemeralVolumes, safeFileName(volume.name)),
  ]);
  return {
    ports: input.ports,
    volumes: Object.fromEntries(volumes) as Record<string, string>,
    ...(spec.bindings === undefined ? {} : { bindingsPath: insideInstance(paths, spec.bindings.path) }),
    instanceId: instanceName(key, slot),
    instanceDirectory: paths.instance,
    hostId: input.hostId,
    hostAddress: input.hostAddress,
    listenAddress: input.hostAddress,
    localAddress: '127.0.0.1',
  };
}

/** Nothing of the agent's own environment but where programs are: it may hold secrets. */
function environmentOf(input: PrepareInput, paths: SlotPaths, facts: HostFacts): Record<string, string> {
  const systemPath = process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin';
  const own = Object.entries(input.spec.env).map(([name, value]) => [
    name,
    resolveWord(value, facts, `the environment variable ${name}`),
  ]);
  const [markName = '', markValue = ''] = instanceMark(input.layout, workloadId(input.key), input.slot).split(
    /=(.*)/s,
  );
  return {
    LANG: 'C.UTF-8',
    HOME: paths.instance,
    PATH: `${dirname(input.nodePath)}${delimiter}${systemPath}`,
    ...(Object.fromEntries(own) as Record<string, string>),
    [markName]: markValue,
  };
}

/** What a program is started with. Node's own error would show the value, which may be a secret. */
function resolveWord(text: string, facts: HostFacts, what: string): string {
  const word = resolveOnHost(text, facts, what);
  if (!word.includes('\0')) return word;
  throw new IotmanoError('driver-failed', `${what} holds a NUL character; leave it out`);
}

function insideInstance(paths: SlotPaths, path: string): string {
  const normal = normalize(path);
  if (isAbsolute(normal) || normal.split('/').includes('..') || normal === '.' || normal.includes('\0'))
    throw new IotmanoError(
      'driver-failed',
      `the path ${JSON.stringify(path)} must lie below the instance's directory`,
      { path },
    );
  return join(paths.instance, normal);
}

function safeFileName(name: string): string {
  if (/^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}$/.test(name)) return name;
  throw new IotmanoError('driver-failed', `${JSON.stringify(name)} cannot be the name of a directory`, {
    name,
  });
}
