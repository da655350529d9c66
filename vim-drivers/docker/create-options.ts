import type Docker from 'dockerode';
import { IotmanoError } from '../../kernel/index.ts';
import { instanceName, type WorkloadSpec } from '../contract.ts';
import { resolveOnHost, type HostFacts } from '../supervision/index.ts';
import { INSTANCE_DIRECTORY } from './instance-files.ts';
import { containerLabels, INSTANCE_LABEL, SLOT_LABEL, workloadLabels, type ContainerMark } from './labels.ts';
import { directoryVolume, dnsAliases, ephemeralVolume, keptVolume } from './names.ts';

/** Who a function runs as that wants no root, where its image names nobody. */
export const NON_ROOT_USER = '65532:65532';

/** The engine takes no less. */
const MINIMUM_MEMORY_BYTES = 6 * 1024 ** 2;
const CPU_PERIOD_MICROSECONDS = 100_000;
const MINIMUM_QUOTA_MICROSECONDS = 1000;

export interface CreateInput {
  readonly scope: string;
  readonly mark: ContainerMark;
  readonly spec: WorkloadSpec;
  /** Labels of the workload. */
  readonly labels: Readonly<Record<string, string>>;
  readonly facts: HostFacts;
  readonly image: { readonly reference: string; readonly user: string };
  /** The machine's own programs reach ports that are published on its loopback address. */
  readonly isLocal: boolean;
  readonly engine: EngineTraits;
}

/** What differs between engines. */
export interface EngineTraits {
  readonly hasInit: boolean;
  readonly hasQuota: boolean;
  readonly hasSwapLimit: boolean;
  /** Output that the engine keeps in files of its own, which it can bound. */
  readonly logDriver: string;
}

/** A volume that a container is made with. */
export interface VolumeWish {
  readonly name: string;
  readonly target: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** The user of the container: nothing leaves it to the image. */
export function userFor(spec: WorkloadSpec, imageUser: string): string {
  const isRoot = /^(root|0+)?(:|$)/.test(imageUser);
  return spec.security.nonRoot && isRoot ? NON_ROOT_USER : imageUser;
}

/** The volumes of an instance, that for its directory first. */
export function volumesOf(
  scope: string,
  { key, slot }: ContainerMark,
  spec: WorkloadSpec,
): readonly VolumeWish[] {
  const own = { [SLOT_LABEL]: String(slot), [INSTANCE_LABEL]: instanceName(key, slot) };
  return [
    {
      name: directoryVolume(key, slot),
      target: INSTANCE_DIRECTORY,
      labels: { ...workloadLabels(scope, key, 'directory'), ...own },
    },
    ...spec.volumes.map(({ name, mount, keep }) => ({
      name: (keep ? keptVolume : ephemeralVolume)(key, slot, volumeName(name)),
      target: mount,
      labels: { ...workloadLabels(scope, key, keep ? 'kept' : 'ephemeral'), ...own },
    })),
  ];
}

/** What the engine is asked to make. @throws IotmanoError `driver-failed` for a text that it could never take */
export function createOptions(input: CreateInput): Docker.ContainerCreateOptions {
  const { mark, spec, facts, image, labels, scope } = input;
  const command = spec.artifact.command?.map((word) => resolveWord(word, facts, 'the command'));
  const environment = Object.entries(spec.env).map(
    ([name, value]) => `${name}=${resolveWord(value, facts, `the environment variable ${name}`)}`,
  );
  const user = userFor(spec, image.user);
  const isStranger = user === NON_ROOT_USER && spec.env['HOME'] === undefined;
  return {
    Image: image.reference,
    ...(command === undefined ? {} : { Entrypoint: command.slice(0, 1), Cmd: command.slice(1) }),
    ...(user === '' ? {} : { User: user }),
    // A user that the image does not know has no home.
    Env: isStranger ? [`HOME=${INSTANCE_DIRECTORY}`, ...environment] : environment,
    Labels: containerLabels(scope, mark, labels),
    StopSignal: spec.stop.signal,
    StopTimeout: Math.ceil(spec.stop.graceSeconds),
    ExposedPorts: Object.fromEntries(publishedPorts(input).map(({ port }) => [port, {}])),
    Healthcheck: { Test: ['NONE'] }, // probes of the descriptor decide, not those of the image
    HostConfig: hostConfig(input),
    NetworkingConfig: {
      EndpointsConfig: { [mark.network]: { Aliases: [...dnsAliases(labels)] } },
    },
  };
}

function hostConfig(input: CreateInput): Docker.HostConfig {
  const { mark, spec, engine, scope } = input;
  const { cpuMillis, memoryBytes } = spec.resources;
  const memory = Math.max(MINIMUM_MEMORY_BYTES, memoryBytes);
  const quota = Math.max(
    MINIMUM_QUOTA_MICROSECONDS,
    Math.round((cpuMillis * CPU_PERIOD_MICROSECONDS) / 1000),
  );
  const ports = publishedPorts(input);
  return {
    ...(engine.hasInit ? { Init: true } : {}),
    NetworkMode: mark.network,
    RestartPolicy: { Name: enginePolicy(spec) },
    Memory: memory,
    ...(engine.hasSwapLimit ? { MemorySwap: memory } : {}),
    ...(engine.hasQuota
      ? { CpuPeriod: CPU_PERIOD_MICROSECONDS, CpuQuota: quota }
      : { CpuShares: Math.max(2, Math.round((cpuMillis * 1024) / 1000)) }),
    CapDrop: ['ALL'],
    CapAdd: [...spec.security.capabilities],
    SecurityOpt: ['no-new-privileges'],
    ReadonlyRootfs: spec.security.readOnlyRoot,
    ...(spec.security.readOnlyRoot ? { Tmpfs: { '/tmp': 'rw,nosuid,nodev,mode=1777' } } : {}),
    Mounts: volumesOf(scope, mark, spec).map(({ name, target, labels }) => ({
      Type: 'volume',
      Source: name,
      Target: target,
      VolumeOptions: { NoCopy: false, Labels: { ...labels }, DriverConfig: { Name: 'local', Options: {} } },
    })),
    PortBindings: Object.fromEntries(
      ports.map(({ port, number, address }) => [port, [{ HostIp: address, HostPort: String(number) }]]),
    ),
    ...(['json-file', 'local'].includes(engine.logDriver)
      ? { LogConfig: { Type: engine.logDriver, Config: { 'max-size': '4m', 'max-file': '2' } } }
      : {}),
  };
}

/**
 * The engine starts again what ends, also while nobody looks. `always`, not `unless-stopped`: a signal that we send counts as a stop there. A program
 * that must not come back even once is not left to it.
 */
export function enginePolicy({
  run,
  restart,
}: Pick<WorkloadSpec, 'run' | 'restart'>): 'no' | 'always' | 'on-failure' {
  if (restart.times === 0) return 'no';
  return run.mode === 'job' ? 'on-failure' : 'always';
}

function publishedPorts({ mark, spec, isLocal }: CreateInput): readonly {
  readonly port: string;
  readonly number: number;
  readonly address: string;
}[] {
  return spec.ports.map(({ name, protocol, expose }) => {
    const number = mark.ports[name] ?? 0;
    return { port: `${number}/${protocol}`, number, address: expose || !isLocal ? '' : '127.0.0.1' };
  });
}

function resolveWord(text: string, facts: HostFacts, what: string): string {
  const word = resolveOnHost(text, facts, what);
  if (!word.includes('\0')) return word;
  throw new IotmanoError('driver-failed', `${what} holds a NUL character; leave it out`);
}

function volumeName(name: string): string {
  if (/^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}$/.test(name)) return name;
  throw new IotmanoError('driver-failed', `${JSON.stringify(name)} cannot be the name of a volume`, { name });
}
