import { createHash } from 'node:crypto';
import { normalize, isAbsolute, join } from 'node:path/posix';
import { IotmanoError } from '../../kernel/index.ts';
import { instanceName, type Workload } from '../contract.ts';
import { resolveOnHost, type HostFacts } from '../supervision/index.ts';

/** Where a container finds what is its own. */
export const INSTANCE_DIRECTORY = '/iotmano/instance';
export const BINDINGS_DIRECTORY = '/iotmano/bindings';
/** Beside the bindings, replaced in the same instant. */
export const BINDINGS_HASH_FILE = '.iotmano-hash';

/** All that decides what the objects of one slot are. */
export interface SlotPlan {
  readonly workload: Workload;
  readonly slot: number;
  readonly epoch: number;
  readonly namespace: string;
  readonly scopeLabel: string;
  readonly hostId: string;
  readonly hostAddress: string;
}

/** The plan with the numbers of its ports. */
export interface NumberedPlan extends SlotPlan {
  readonly ports: Readonly<Record<string, number>>;
  /** Names of the ports that are taken on the machine. */
  readonly onMachine: ReadonlySet<string>;
}

export function bindingsText({ bindings }: Workload): string {
  return `${JSON.stringify(bindings, undefined, 2)}\n`;
}

export function bindingsHash(workload: Workload): string {
  return createHash('sha256').update(bindingsText(workload)).digest('hex').slice(0, 32);
}

/** Path of the bindings in the container. */
export function bindingsPath({ workload: { spec } }: SlotPlan): string | undefined {
  return spec.bindings === undefined ? undefined : join(BINDINGS_DIRECTORY, insidePath(spec.bindings.path));
}

/** The image and command of the workload. @throws IotmanoError `artifact-unusable` for what is no container */
export function containerArtifact({ spec, key }: Workload): {
  readonly image: string;
  readonly command?: readonly string[];
} {
  if (spec.artifact.type === 'container') return spec.artifact;
  throw new IotmanoError(
    'artifact-unusable',
    `${key.vnfInstanceId} ${key.unit} is a ${spec.artifact.type}; this cluster runs containers: give the descriptor a container artifact`,
  );
}

/** What the templates of the spec stand for. */
export function hostFacts(plan: NumberedPlan): HostFacts {
  const { workload, slot } = plan;
  const path = bindingsPath(plan);
  return {
    ports: plan.ports,
    volumes: Object.fromEntries(workload.spec.volumes.map(({ name, mount }) => [name, mount])),
    ...(path === undefined ? {} : { bindingsPath: path }),
    instanceId: instanceName(workload.key, slot),
    instanceDirectory: INSTANCE_DIRECTORY,
    listenAddress: '0.0.0.0',
    localAddress: '0.0.0.0',
    hostId: plan.hostId,
    hostAddress: plan.hostAddress,
  };
}

/** A word that a program is started with, or a variable of its environment. */
export function resolveWord(text: string, facts: HostFacts, what: string): string {
  const word = resolveOnHost(text, facts, what);
  if (!word.includes('\0')) return word;
  throw new IotmanoError('driver-failed', `${what} holds a NUL character; leave it out`);
}

/** The path, where it lies below the directory that it is relative to. */
export function insidePath(path: string): string {
  const normal = normalize(path);
  if (isAbsolute(normal) || normal.split('/').includes('..') || normal === '.' || normal.includes('\0'))
    throw new IotmanoError(
      'driver-failed',
      `the path ${JSON.stringify(path)} must lie below the instance's directory`,
      { path },
    );
  return normal;
}
