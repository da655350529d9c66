import type { HostId, TenantId, VnfInstanceId } from '../../kernel/index.ts';
import type { ArtifactType } from '../../descriptors/index.ts';
import type { Bindings } from '../../vim-drivers/index.ts';
import {
  assignmentId,
  instanceAt,
  isSameJson,
  packageIdAt,
  versionsOf,
  type AssignmentDocument,
  type VnfInstanceDocument,
} from '../domain/index.ts';
import type { StateView, Write } from '../store/index.ts';
import { buildBindings, type BoundFunction, type ProviderView } from './build-bindings.ts';
import { buildWorkload, type TemplateSource } from './build-workload.ts';
import { packageOf, type FunctionCatalog } from './function-catalog.ts';
import type { InstanceIndex } from './instance-index.ts';
import { judgeHost, type Liveness } from './liveness.ts';
import { fetchLimitOf } from './service-rules.ts';

/** What assignments are derived from, besides the instance itself. */
export interface AssignmentContext {
  readonly state: StateView;
  readonly index: InstanceIndex;
  readonly catalog: FunctionCatalog;
  readonly liveness: Liveness;
  readonly templates: TemplateSource;
}

/**
 * The writes that make the assignment records of one function say what its document wants: created, changed in copies or
 * bindings, deleted. Nothing, when they do already. An existing workload keeps its spec: that is fixed for a generation.
 */
export function computeAssignmentWrites(
  context: AssignmentContext,
  vnfInstanceId: VnfInstanceId,
  tenant: TenantId,
  instance: VnfInstanceDocument,
): readonly Write[] {
  const current = new Map(context.index.assignmentsOf(vnfInstanceId).map((record) => [record.id, record]));
  const wanted = wantedAssignments(context, vnfInstanceId, tenant, instance);
  const writes: Write[] = [];
  for (const [id, document] of wanted) {
    const record = current.get(id);
    if (record === undefined) writes.push({ op: 'create', kind: 'assignment', id, tenant, document });
    else if (!isSameJson(record.document, document))
      writes.push({ op: 'update', kind: 'assignment', id, expectedRevision: record.revision, document });
  }
  for (const [id, { revision }] of current) {
    if (!wanted.has(id)) writes.push({ op: 'delete', kind: 'assignment', id, expectedRevision: revision });
  }
  return writes;
}

function wantedAssignments(
  context: AssignmentContext,
  vnfInstanceId: VnfInstanceId,
  tenant: TenantId,
  instance: VnfInstanceDocument,
): ReadonlyMap<string, AssignmentDocument> {
  const result = new Map<string, AssignmentDocument>();
  if (instance.wanted.length === 0) return result;
  const assignments = context.index.assignmentsOf(vnfInstanceId);
  const bindings = bindingsOf(context, vnfInstanceId, instance, (generation) => {
    const last =
      assignments.find(({ document }) => document.workload.key.generation === generation) ?? assignments[0];
    return last?.document.workload.bindings;
  });
  const service = serviceName(context.state, instance);
  for (const { unit: name, generation, hosts } of instance.wanted) {
    const version = instanceAt(instance, generation);
    const pkg = packageOf(context.catalog, version.vnfPkgId);
    const unit = pkg.descriptor.units.find((candidate) => candidate.name === name);
    const told = bindings.get(generation);
    if (unit === undefined || told === undefined) continue;
    const build = memoized((artifactTypes: readonly ArtifactType[]) =>
      buildWorkload(
        {
          vnfInstanceId,
          tenant,
          instance: version,
          function: pkg,
          unit,
          generation,
          artifactTypes,
          bindings: told,
          fetchBitsPerSecond: fetchLimitOf(context.state, instance, pkg.descriptor),
          ...(service === undefined ? {} : { service }),
        },
        context.templates,
      ),
    );
    for (const { hostId, instances } of hosts) {
      const id = assignmentId(hostId, { tenant, vnfInstanceId, unit: name, generation });
      const known = context.state.get('assignment', id)?.document.workload;
      const workload =
        known === undefined
          ? { ...build(artifactTypesOf(context.state, hostId)), instances }
          : { ...known, instances, bindings: told };
      result.set(id, { hostId, workload, lostAfterSeconds: pkg.descriptor.healing.lostAfterSeconds });
    }
  }
  return result;
}

/** There may be thousands of hosts, and few kinds of them: what is built for one holds for all that run the same artifacts. */
function memoized<Built>(
  build: (artifactTypes: readonly ArtifactType[]) => Built,
): (artifactTypes: readonly ArtifactType[]) => Built {
  const known = new Map<string, Built>();
  return (artifactTypes) => {
    const key = artifactTypes.join(' ');
    const built = known.get(key) ?? build(artifactTypes);
    known.set(key, built);
    return built;
  };
}

/**
 * What copies of each generation are told of the function, and of those at the other ends of its bindings: by their own version.
 * @param previousOf what those of a generation were told last
 */
export function bindingsOf(
  context: AssignmentContext,
  vnfInstanceId: VnfInstanceId,
  instance: VnfInstanceDocument,
  previousOf: (generation: number) => Bindings | undefined,
): ReadonlyMap<number, Bindings> {
  const clients = clientsOf(context, vnfInstanceId);
  const generations = new Set(instance.wanted.map(({ generation }) => generation));
  return new Map(
    [...generations].map((generation) => [
      generation,
      bindingsAt(
        context,
        { vnfInstanceId, instance: instanceAt(instance, generation) },
        clients,
        previousOf(generation),
      ),
    ]),
  );
}

function bindingsAt(
  context: AssignmentContext,
  { vnfInstanceId, instance }: Pick<BoundFunction, 'vnfInstanceId' | 'instance'>,
  clients: readonly BoundFunction[],
  previous: Bindings | undefined,
): Bindings {
  return buildBindings({
    self: { vnfInstanceId, instance, function: packageOf(context.catalog, instance.vnfPkgId) },
    providers: providersOf(context, instance),
    clients,
    ...(previous === undefined ? {} : { previous }),
  });
}

function artifactTypesOf(state: StateView, hostId: HostId) {
  const facts = state.get('host-facts', hostId)?.document;
  return [...new Set(facts?.drivers.flatMap(({ artifactTypes }) => artifactTypes))];
}

function serviceName(state: StateView, { nsInstanceId }: VnfInstanceDocument): string | undefined {
  return nsInstanceId === undefined ? undefined : state.get('ns-instance', nsInstanceId)?.document.name;
}

/** What is at the other end of each requirement that is bound. */
function providersOf(
  context: AssignmentContext,
  instance: VnfInstanceDocument,
): ReadonlyMap<string, ProviderView> {
  const providers = new Map<string, ProviderView>();
  for (const [requirement, id] of Object.entries(instance.bind)) {
    const provider = context.state.get('vnf-instance', id)?.document;
    if (provider === undefined) continue;
    const pkg = packageOf(context.catalog, provider.vnfPkgId);
    providers.set(requirement, {
      vnfInstanceId: id,
      instance: provider,
      function: pkg,
      functionAt: (generation) => packageOf(context.catalog, packageIdAt(provider, generation)),
      observed: context.index.observedOf(id).map(({ document }) => document),
      addresses: addressesOf(context, provider, pkg.descriptor),
    });
  }
  return providers;
}

function addressesOf(
  { state, liveness }: AssignmentContext,
  provider: VnfInstanceDocument,
  descriptor: Parameters<typeof judgeHost>[2],
): ReadonlyMap<HostId, string> {
  const hostIds = new Set(provider.wanted.flatMap(({ hosts }) => hosts.map(({ hostId }) => hostId)));
  const heard = [...hostIds].filter((hostId) => !judgeHost(state, liveness, descriptor, hostId).isLost);
  return new Map(
    heard.flatMap((hostId): [HostId, string][] => {
      const address = state.get('host-facts', hostId)?.document.address;
      return address === undefined ? [] : [[hostId, address]];
    }),
  );
}

function clientsOf(context: AssignmentContext, vnfInstanceId: VnfInstanceId): readonly BoundFunction[] {
  return context.index.dependentsOf(vnfInstanceId).flatMap((id) => {
    const client = context.state.get('vnf-instance', id)?.document;
    return client === undefined
      ? []
      : versionsOf(client).flatMap((version) => clientIn(context, id, version));
  });
}

function clientIn(
  { catalog }: AssignmentContext,
  vnfInstanceId: VnfInstanceId,
  version: VnfInstanceDocument,
): readonly BoundFunction[] {
  if (Object.keys(version.credentials).length === 0) return [];
  return [{ vnfInstanceId, instance: version, function: packageOf(catalog, version.vnfPkgId) }];
}
