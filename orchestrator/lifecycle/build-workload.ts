import { IotmanoError, type TenantId, type VnfInstanceId } from '../../kernel/index.ts';
import type { Artifact, ArtifactType, DescriptorUnit } from '../../descriptors/index.ts';
import type {
  ArtifactReference,
  Bindings,
  Workload,
  WorkloadArtifact,
  WorkloadSpec,
} from '../../vim-drivers/index.ts';
import { canonicalHash, type PackageArtifact, type VnfInstanceDocument } from '../domain/index.ts';
import type { FunctionPackage } from './function-catalog.ts';
import { isSingleWriter } from './liveness.ts';
import { resolveTemplates } from './resolve-templates.ts';

/** Text of a file of a package: what `files[].template` names. */
export type TemplateSource = (artifact: PackageArtifact) => string;

export interface WorkloadInput {
  readonly vnfInstanceId: VnfInstanceId;
  readonly tenant: TenantId;
  readonly instance: VnfInstanceDocument;
  readonly function: FunctionPackage;
  readonly unit: DescriptorUnit;
  readonly generation: number;
  /** What the host's drivers can run. */
  readonly artifactTypes: readonly ArtifactType[];
  readonly bindings: Bindings;
  /** Name of the service, for people. */
  readonly service?: string;
  /** At which the host fetches files of the function at most, bit/s. */
  readonly fetchBitsPerSecond?: number | undefined;
}

/**
 * What hosts of one kind have to run of one unit, but for how many copies of it: a pure function of descriptor, configuration and bindings.
 * @throws IotmanoError `artifact-unusable` when the package lacks a file, or the host can run none of the artifacts
 */
export function buildWorkload(input: WorkloadInput, templates: TemplateSource): Omit<Workload, 'instances'> {
  const spec = buildSpec(input, templates);
  const { vnfInstanceId, tenant, unit, generation, instance, bindings, service } = input;
  return {
    key: { tenant, vnfInstanceId, unit: unit.name, generation },
    labels: {
      function: instance.name,
      product: input.function.descriptor.metadata.productName,
      ...(service === undefined ? {} : { service }),
      ...(instance.nsInstanceId === undefined ? {} : { serviceId: instance.nsInstanceId }),
      ...(instance.constituent === undefined ? {} : { constituent: instance.constituent }),
    },
    spec,
    specHash: canonicalHash(spec),
    bindings,
  };
}

function buildSpec(input: WorkloadInput, templates: TemplateSource): WorkloadSpec {
  const { unit } = input;
  const { descriptor } = input.function;
  const values = plannerValues(input);
  const stopAfterSeconds =
    descriptor.offline.onDisconnect === 'stop-after' ? descriptor.offline.stopAfterSeconds : undefined;
  return {
    artifact: chooseArtifact(input, values),
    run: descriptor.run,
    resources: { cpuMillis: unit.resources.cpuMillis, memoryBytes: unit.resources.memoryBytes },
    volumes: unit.volumes,
    files: unit.files.map(({ path, template }) => ({
      path,
      content: resolveTemplates(templates(findArtifact(input.function, template)), values),
    })),
    ports: unit.ports,
    env: Object.fromEntries(
      Object.entries(unit.env).map(([name, value]) => [name, resolveTemplates(value, values)]),
    ),
    ...(unit.bindings === undefined ? {} : { bindings: unit.bindings }),
    security: unit.security,
    probes: unit.probes,
    stop: unit.stop,
    restart: descriptor.healing.restart,
    ...(unit.metrics === undefined ? {} : { metrics: { port: unit.metrics.port, path: unit.metrics.path } }),
    ...(stopAfterSeconds === undefined ? {} : { stopAfterSeconds }),
    coldBoot: descriptor.offline.coldBoot && !(isSingleWriter(descriptor) && isMovable(input)),
  };
}

/** After a reboot a copy that may have been moved meanwhile has to wait for word of the orchestrator. */
function isMovable({ function: { descriptor } }: WorkloadInput): boolean {
  return descriptor.offline.relocate === 'allowed';
}

/** What the planner resolves; the rest is the host's. */
function plannerValues(input: WorkloadInput): ReadonlyMap<string, unknown> {
  const config = configOf(input.function, input.instance);
  return new Map<string, unknown>([
    ['vnf.id', input.vnfInstanceId],
    ['vnf.name', input.instance.name],
    ['tenant', input.tenant],
    ...Object.entries(config).map(([name, value]): [string, unknown] => [`config.${name}`, value]),
  ]);
}

/** Configuration of an instance: the caller's values over the defaults of the descriptor. */
export function configOf(
  { descriptor }: FunctionPackage,
  instance: Pick<VnfInstanceDocument, 'config'>,
): Readonly<Record<string, unknown>> {
  return { ...descriptor.config.defaults, ...instance.config };
}

function chooseArtifact(input: WorkloadInput, values: ReadonlyMap<string, unknown>): WorkloadArtifact {
  const chosen = input.unit.artifacts.find(({ type }) => input.artifactTypes.includes(type));
  if (chosen === undefined)
    throw new IotmanoError(
      'artifact-unusable',
      `the host runs artifacts of type ${input.artifactTypes.join(', ') || 'none'}; unit ${input.unit.name} has ${input.unit.artifacts.map(({ type }) => type).join(', ')}`,
    );
  const command = chosen.command?.map((word) => resolveTemplates(word, values));
  const files = filesOf(chosen, input);
  if (chosen.type === 'process') return { type: 'process', command: command ?? [], ...files };
  return { type: 'container', image: chosen.image, ...(command === undefined ? {} : { command }), ...files };
}

function filesOf(
  artifact: Artifact,
  { function: pkg, fetchBitsPerSecond: bitsPerSecond }: WorkloadInput,
): { readonly files?: ArtifactReference } {
  if (artifact.files === undefined) return {};
  const { digest, sizeBytes } = findArtifact(pkg, artifact.files);
  return { files: { digest, sizeBytes, ...(bitsPerSecond === undefined ? {} : { bitsPerSecond }) } };
}

/** The file of a package that its descriptor names. @throws IotmanoError `artifact-unusable` */
export function findArtifact(pkg: FunctionPackage, path: string): PackageArtifact {
  const found = pkg.artifacts.find(
    (artifact) => artifact.path === `Artifacts/${path}` || artifact.path === path,
  );
  if (found === undefined)
    throw new IotmanoError(
      'artifact-unusable',
      `package ${pkg.vnfPkgId} has no file Artifacts/${path}, which its descriptor names`,
      { vnfPkgId: pkg.vnfPkgId, path },
    );
  return found;
}
