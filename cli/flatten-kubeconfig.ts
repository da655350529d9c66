import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parse, stringify } from 'yaml';
import { messageOf } from '../kernel/index.ts';
import { CliFailure, EXIT } from './failure.ts';

type Members = Readonly<Record<string, unknown>>;

/** Members that name a file, and those that hold its content instead: Base64, but for the token. */
const FILES = {
  'certificate-authority': 'certificate-authority-data',
  'client-certificate': 'client-certificate-data',
  'client-key': 'client-key-data',
  tokenFile: 'token',
} as const;

/**
 * The text of a kubeconfig with all files that it names put into it, as `kubectl config view --raw --flatten` gives it: who receives it
 * reads no files.
 * @throws CliFailure where the file, or one that it names, cannot be read
 */
export function flattenKubeconfig(file: string): string {
  const config = parseConfig(file);
  const flattened = {
    ...config,
    clusters: flattenList(config['clusters'], 'cluster', dirname(file)),
    users: flattenList(config['users'], 'user', dirname(file)),
  };
  return stringify(flattened);
}

function parseConfig(file: string): Members {
  const text = read(file).toString('utf8');
  try {
    const config: unknown = parse(text);
    if (typeof config === 'object' && config !== null && !Array.isArray(config)) return config as Members;
  } catch {
    // Its text is not quoted: there are credentials in it.
  }
  throw new CliFailure(EXIT.usage, `${file} is no kubeconfig: it cannot be read as YAML with members`);
}

function flattenList(list: unknown, member: 'cluster' | 'user', directory: string): unknown {
  if (!Array.isArray(list)) return list;
  return list.map((entry: unknown) => {
    const members = objectOf(entry);
    return { ...members, [member]: flatten(objectOf(members[member]), directory) };
  });
}

function flatten(members: Members, directory: string): Members {
  const inlined = Object.entries(members).map(([name, value]): [string, unknown] => {
    const holder = Object.hasOwn(FILES, name) ? FILES[name as keyof typeof FILES] : undefined;
    if (holder === undefined || typeof value !== 'string') return [name, value];
    const content = read(resolve(directory, value));
    return [holder, holder === 'token' ? content.toString('utf8').trim() : content.toString('base64')];
  });
  return Object.fromEntries(inlined);
}

function objectOf(value: unknown): Members {
  return typeof value === 'object' && value !== null ? (value as Members) : {};
}

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new CliFailure(EXIT.usage, `${file} cannot be read: ${messageOf(error)}`);
  }
}
