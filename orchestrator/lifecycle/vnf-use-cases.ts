import { IotmanoError, type LcmOpOccId, type TenantId, type VnfInstanceId } from '../../kernel/index.ts';
import type { PlacementConstraints, VnfInstanceDocument, VnfLcmOpOccDocument } from '../domain/index.ts';
import type { StoredRecord, Write } from '../store/index.ts';
import type { LifecycleContext } from './context.ts';
import { packageOf, type FunctionPackage } from './function-catalog.ts';
import { countsAfterScaling, countsOfLevel, countsOfWanted, type ScaleRequest } from './levels.ts';
import { isSingleWriter } from './liveness.ts';
import { startOperation, updateInstance } from './operation-records.ts';
import { planOperation, type HealParams } from './plan-operation.ts';
import { reportPlan, type PlanReport } from './plan-report.ts';
import { selectCopies } from './plan-wanted.ts';
import { validateValues } from './validate-values.ts';

/** SOL003 CreateVnfRequest. */
export interface CreateVnf {
  readonly vnfdId: string;
  readonly vnfInstanceName?: string;
  readonly vnfInstanceDescription?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** SOL003 InstantiateVnfRequest; ours is what is in `additionalParams`. */
export interface InstantiateVnf {
  readonly flavourId: string;
  readonly instantiationLevelId?: string;
  readonly vnfConfigurableProperties?: Readonly<Record<string, unknown>>;
  readonly additionalParams?: {
    readonly constraints?: PlacementConstraints;
    readonly coverage?: string;
    readonly bind?: Readonly<Record<string, string>>;
  };
}

export interface HealVnf {
  readonly cause?: string;
  readonly additionalParams?: HealParams;
}

/** Writes that a caller puts into the same commit, given what it creates. */
export type Alongside<Created> = (created: Created) => readonly Write[];

const NOTHING = (): readonly Write[] => [];

/** The requests of SOL003's VNF lifecycle management, by one tenant. A foreign or unknown id is `not-found`. */
export interface VnfUseCases {
  create(
    tenant: TenantId,
    request: CreateVnf,
    alongside?: Alongside<StoredRecord<'vnf-instance'>>,
  ): StoredRecord<'vnf-instance'>;
  get(tenant: TenantId, id: string): StoredRecord<'vnf-instance'>;
  list(tenant: TenantId): readonly StoredRecord<'vnf-instance'>[];
  delete(tenant: TenantId, id: string): void;
  instantiate(
    tenant: TenantId,
    id: string,
    request: InstantiateVnf,
    alongside?: Alongside<LcmOpOccId>,
  ): LcmOpOccId;
  /** What `instantiate` would do; changes nothing. */
  planInstantiation(tenant: TenantId, id: string, request: InstantiateVnf): PlanReport;
  terminate(tenant: TenantId, id: string, request: object, alongside?: Alongside<LcmOpOccId>): LcmOpOccId;
  heal(tenant: TenantId, id: string, request: HealVnf, alongside?: Alongside<LcmOpOccId>): LcmOpOccId;
  scale(tenant: TenantId, id: string, request: ScaleRequest, alongside?: Alongside<LcmOpOccId>): LcmOpOccId;
}

export function createVnfUseCases(context: LifecycleContext): VnfUseCases {
  const { state, catalog, ids } = context;

  function get(tenant: TenantId, id: string): StoredRecord<'vnf-instance'> {
    const record = state.get('vnf-instance', id);
    if (record === undefined || record.tenant !== tenant)
      throw new IotmanoError('not-found', `there is no VNF instance ${id}`, { vnfInstanceId: id });
    return record;
  }

  function start(
    record: StoredRecord<'vnf-instance'>,
    operation: VnfLcmOpOccDocument['operation'],
    operationParams: object,
    alongside: Alongside<LcmOpOccId>,
    changes: Partial<VnfInstanceDocument> = {},
  ): LcmOpOccId {
    const { id, writes } = startOperation(
      context,
      record.id as VnfInstanceId,
      record.tenant,
      record,
      { operation, operationParams: { ...operationParams } },
      changes,
    );
    context.commit([...writes, ...alongside(id)]);
    return id;
  }

  return {
    get,
    list: (tenant) => [...state.list('vnf-instance')].filter((record) => record.tenant === tenant),
    create: (tenant, request, alongside = NOTHING) => {
      const pkg = catalog.findByVnfdId(tenant, request.vnfdId);
      if (pkg === undefined)
        throw new IotmanoError(
          'unprocessable',
          `no onboarded and enabled package has a descriptor with vnfdId ${request.vnfdId}; see GET /vnfpkgm/v2/vnf_packages`,
        );
      const id = ids.uuid() as VnfInstanceId;
      const document = newInstance(id, pkg, request);
      // Each commit is one revision: the record is known before it is committed.
      const revision = state.acceptedRevision + 1;
      const record = { kind: 'vnf-instance', id, tenant, document, revision } as const;
      context.commit([{ op: 'create', kind: 'vnf-instance', id, tenant, document }, ...alongside(record)]);
      return get(tenant, id);
    },
    delete: (tenant, id) => {
      const record = get(tenant, id);
      requireFree(record);
      requireState(record, 'NOT_INSTANTIATED', 'deleted');
      requireOwn(record, 'deleted');
      context.commit([{ op: 'delete', kind: 'vnf-instance', id, expectedRevision: record.revision }]);
    },
    instantiate: (tenant, id, request, alongside = NOTHING) => {
      const record = get(tenant, id);
      requireOwn(record, 'instantiated');
      requireInstantiable(record);
      return start(record, 'INSTANTIATE', request, alongside, instantiationOf(context, record, request));
    },
    planInstantiation: (tenant, id, request) => {
      const record = get(tenant, id);
      requireInstantiable(record);
      const instance = { ...record.document, ...instantiationOf(context, record, request) };
      const plan = planOperation(
        context,
        { vnfInstanceId: record.id as VnfInstanceId, tenant, instance },
        { operation: 'INSTANTIATE', state: 'STARTING', operationParams: {} },
      );
      return reportPlan(instance.name, instance.wanted, plan);
    },
    terminate: (tenant, id, request, alongside = NOTHING) => {
      const record = get(tenant, id);
      requireOwn(record, 'terminated');
      requireFree(record);
      requireState(record, 'INSTANTIATED', 'terminated');
      return start(record, 'TERMINATE', request, alongside);
    },
    heal: (tenant, id, request, alongside = NOTHING) => {
      const record = get(tenant, id);
      requireFree(record);
      requireState(record, 'INSTANTIATED', 'healed');
      const names = request.additionalParams?.vnfcInstanceIds ?? [];
      const key = { tenant, vnfInstanceId: record.id as VnfInstanceId };
      const { unknown } = selectCopies(record.document.wanted, key, names);
      if (unknown.length > 0)
        throw new IotmanoError(
          'unprocessable',
          `${record.document.name} has no VNFC instance ${unknown.join(', ')}`,
        );
      return start(record, 'HEAL', request, alongside);
    },
    scale: (tenant, id, request, alongside = NOTHING) => {
      const record = get(tenant, id);
      requireFree(record);
      requireState(record, 'INSTANTIATED', 'scaled');
      requireScalable(packageOf(catalog, record.document.vnfPkgId), record.document, request);
      return start(record, 'SCALE', request, alongside);
    },
  };
}

/** A VNF instance of a package, not yet instantiated. */
export function newInstance(
  id: VnfInstanceId,
  pkg: FunctionPackage,
  request: Omit<CreateVnf, 'vnfdId'>,
): VnfInstanceDocument {
  return {
    name: request.vnfInstanceName ?? `${pkg.descriptor.metadata.productName}-${id.slice(0, 8)}`,
    description: request.vnfInstanceDescription ?? '',
    vnfPkgId: pkg.vnfPkgId,
    instantiationState: 'NOT_INSTANTIATED',
    config: {},
    constraints: {},
    bind: {},
    credentials: {},
    wanted: [],
    generations: 0,
    metadata: request.metadata ?? {},
  };
}

/**
 * What an instantiate request makes of an instance, checked against descriptor and providers.
 * @throws IotmanoError `unprocessable` or `conflict`
 */
export function instantiationOf(
  context: LifecycleContext,
  { tenant, document }: Pick<StoredRecord<'vnf-instance'>, 'tenant' | 'document'>,
  request: InstantiateVnf,
): Pick<VnfInstanceDocument, 'flavour' | 'level' | 'config' | 'constraints' | 'bind'> & {
  coverage?: string;
} {
  const pkg = packageOf(context.catalog, document.vnfPkgId);
  const { flavour, level, counts } = countsOfLevel(
    pkg.descriptor,
    request.flavourId,
    request.instantiationLevelId,
  );
  const { bind = {}, constraints = {}, coverage } = request.additionalParams ?? {};
  const config = request.vnfConfigurableProperties ?? {};
  validateValues(pkg.descriptor.config, config, `config of ${pkg.descriptor.metadata.productName}`);
  requireOneWriter(
    pkg,
    Object.values(counts).reduce((sum, count) => sum + count, 0),
    coverage,
  );
  requireBindings(context, tenant, pkg, bind);
  return {
    flavour,
    level,
    config,
    constraints,
    bind: bind as VnfInstanceDocument['bind'],
    ...(coverage === undefined ? {} : { coverage }),
  };
}

function requireBindings(
  { state, catalog }: LifecycleContext,
  tenant: TenantId,
  { descriptor }: FunctionPackage,
  bind: Readonly<Record<string, string>>,
): void {
  const { productName } = descriptor.metadata;
  const strange = Object.keys(bind).find((name) => descriptor.requires.every((item) => item.name !== name));
  if (strange !== undefined)
    throw new IotmanoError('unprocessable', `${productName} has no requirement "${strange}" to bind`);
  for (const { name, capability, protocol, optional } of descriptor.requires) {
    const providerId = bind[name];
    if (providerId === undefined) {
      if (optional) continue;
      throw new IotmanoError(
        'unprocessable',
        `${productName} requires "${name}" (${capability} over ${protocol}): name the VNF instance that provides it in additionalParams.bind.${name}`,
      );
    }
    const provider = state.get('vnf-instance', providerId);
    if (provider === undefined || provider.tenant !== tenant)
      throw new IotmanoError('unprocessable', `bind.${name}: there is no VNF instance ${providerId}`);
    const provides = packageOf(catalog, provider.document.vnfPkgId).descriptor.provides;
    if (!provides.some((item) => item.capability === capability && item.protocol === protocol))
      throw new IotmanoError(
        'unprocessable',
        `bind.${name}: ${provider.document.name} does not provide ${capability} over ${protocol}`,
      );
  }
}

function requireOneWriter(pkg: FunctionPackage, instances: number, coverage: string | undefined): void {
  if (coverage === undefined && isSingleWriter(pkg.descriptor) && instances > pkg.descriptor.units.length)
    throw new IotmanoError(
      'unprocessable',
      `${pkg.descriptor.metadata.productName} has a single writer: it runs one instance, not ${instances}`,
    );
}

function requireScalable(pkg: FunctionPackage, instance: VnfInstanceDocument, request: ScaleRequest): void {
  if (instance.coverage !== undefined)
    throw new IotmanoError(
      'conflict',
      `${instance.name} runs once on each host that it covers: it is not scaled`,
    );
  const counts = countsAfterScaling(pkg.descriptor, countsOfWanted(instance.wanted), request);
  requireOneWriter(
    pkg,
    Object.values(counts).reduce((sum, count) => sum + count, 0),
    undefined,
  );
}

function requireInstantiable(record: StoredRecord<'vnf-instance'>): void {
  requireFree(record);
  requireState(record, 'NOT_INSTANTIATED', 'instantiated');
}

/** One operation at a time. */
export function requireFree({ document }: StoredRecord<'vnf-instance'>): void {
  if (document.activeOpOcc !== undefined)
    throw new IotmanoError(
      'conflict',
      `${document.name} is busy with operation ${document.activeOpOcc}; wait for it, or end it`,
      { vnfLcmOpOccId: document.activeOpOcc },
    );
}

function requireState(
  { document }: StoredRecord<'vnf-instance'>,
  wanted: VnfInstanceDocument['instantiationState'],
  what: string,
): void {
  if (document.instantiationState !== wanted)
    throw new IotmanoError(
      'conflict',
      `${document.name} is ${document.instantiationState} and can be ${what} only when it is ${wanted}`,
    );
}

/** A function of a service comes and goes with it. */
function requireOwn({ document }: StoredRecord<'vnf-instance'>, what: string): void {
  if (document.nsInstanceId !== undefined)
    throw new IotmanoError(
      'conflict',
      `${document.name} is part of the service ${document.nsInstanceId} and is ${what} with it`,
      { nsInstanceId: document.nsInstanceId },
    );
}

/** The reservation of a service's plan, given back. */
export function releaseReservation(record: StoredRecord<'vnf-instance'>): Write {
  const { reservation: _reservation, ...rest } = record.document;
  return updateInstance(record, rest);
}
