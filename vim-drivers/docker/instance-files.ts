import { posix } from 'node:path';
import { IotmanoError } from '../../kernel/index.ts';
import { instanceName, type WorkloadKey, type WorkloadSpec } from '../contract.ts';
import { resolveOnHost, type HostFacts } from '../supervision/index.ts';
import type { ArchiveEntry } from './instance-archive.ts';

/** Where the instance's own volume is mounted in its container. */
export const INSTANCE_DIRECTORY = '/iotmano/instance';

export interface FactsInput {
  readonly key: WorkloadKey;
  readonly slot: number;
  readonly spec: WorkloadSpec;
  readonly ports: Readonly<Record<string, number>>;
  readonly hostId: string;
  readonly hostAddress: string;
}

export function hostFactsOf({ key, slot, spec, ports, hostId, hostAddress }: FactsInput): HostFacts {
  return {
    ports,
    volumes: Object.fromEntries(spec.volumes.map(({ name, mount }) => [name, mount])),
    ...(spec.bindings === undefined ? {} : { bindingsPath: insideInstance(spec.bindings.path) }),
    instanceId: instanceName(key, slot),
    instanceDirectory: INSTANCE_DIRECTORY,
    listenAddress: '0.0.0.0',
    localAddress: '0.0.0.0',
    hostId,
    hostAddress,
  };
}

/** Who owns what is put into a container. Unknown: the image names its user by a word, which only the image can read. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
  readonly isKnown: boolean;
}

/** From a user as images name it: `1000`, `1000:1000`, `node`, or nothing for root. */
export function ownerOf(user: string): Owner {
  const [uid = '', gid = uid] = user.split(':');
  if (user === '' || user === 'root') return { uid: 0, gid: 0, isKnown: true };
  if (/^\d+$/.test(uid)) return { uid: Number(uid), gid: /^\d+$/.test(gid) ? Number(gid) : 0, isKnown: true };
  return { uid: 0, gid: 0, isKnown: false };
}

/** The files of the spec, relative to the instance's directory, which is the first entry. */
export function fileEntries(spec: WorkloadSpec, facts: HostFacts, owner: Owner): readonly ArchiveEntry[] {
  const files = spec.files.map(({ path, content }) => ({
    path: posix.relative(INSTANCE_DIRECTORY, insideInstance(path)),
    content: resolveOnHost(content, facts, `the file ${path}`),
  }));
  return [
    volumeRootEntry(INSTANCE_DIRECTORY, owner),
    ...parentsOf(files.map(({ path }) => path)).map((path) => directoryEntry(path, owner)),
    ...files.map(({ path, content }) => fileEntry(path, content, owner)),
  ];
}

/**
 * The bindings file: first the content under a name of its own, then the link to it. A reader finds the old ones or the new ones, never a part; `turn`
 * says which of two names is free.
 */
export function bindingsEntries(
  rule: { readonly path: string },
  text: string,
  turn: number,
  owner: Owner,
): readonly ArchiveEntry[] {
  const path = posix.relative(INSTANCE_DIRECTORY, insideInstance(rule.path));
  const target = `.${posix.basename(path)}.${turn % 2}`;
  return [
    ...parentsOf([path]).map((parent) => directoryEntry(parent, owner)),
    fileEntry(posix.join(posix.dirname(path), target), text, owner),
    { ...fileEntry(path, '', owner), type: 'SymbolicLink', target, mode: 0o777 },
  ];
}

/**
 * The root of a mounted volume, so that a user other than root may write there. By the name that its parent has for it: an engine leaves
 * the folder in which it unpacks as it is.
 */
export function volumeRootEntry(mount: string, owner: Owner): ArchiveEntry {
  return directoryEntry(`../${posix.basename(mount)}`, owner);
}

function directoryEntry(path: string, owner: Owner): ArchiveEntry {
  return { path, type: 'Directory', mode: owner.isKnown ? 0o700 : 0o777, uid: owner.uid, gid: owner.gid };
}

function fileEntry(path: string, content: string, owner: Owner): ArchiveEntry {
  return {
    path,
    type: 'File',
    content,
    mode: owner.isKnown ? 0o600 : 0o644,
    uid: owner.uid,
    gid: owner.gid,
  };
}

function parentsOf(paths: readonly string[]): readonly string[] {
  const parents = new Set<string>();
  for (const path of paths)
    for (let parent = posix.dirname(path); parent !== '.'; parent = posix.dirname(parent))
      parents.add(parent);
  return [...parents].toSorted((a, b) => a.length - b.length);
}

function insideInstance(path: string): string {
  const normal = posix.normalize(path);
  if (
    posix.isAbsolute(normal) ||
    normal.split('/').includes('..') ||
    normal === '.' ||
    normal.includes('\0')
  ) {
    throw new IotmanoError(
      'driver-failed',
      `the path ${JSON.stringify(path)} must lie below the instance's directory`,
      { path },
    );
  }
  return posix.join(INSTANCE_DIRECTORY, normal);
}
