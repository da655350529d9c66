import {
  IotmanoError,
  type LcmOpOccId,
  type NsInstanceId,
  type NsdInfoId,
  type TenantId,
  type VnfInstanceId,
} from '../../kernel/index.ts';
import type { NsInstanceDocument, NsLcmOpOccDocument, WantedUnit } from '../domain/index.ts';
import { evictionsOf, newInstance, verifyCapacity, type PlanReport } from '../lifecycle/index.ts';
import { planOrRelax, planWithReasons, type Planner } from '../placement/index.ts';
import type { StoredRecord, Write } from '../store/index.ts';
import { descriptorOf, type ServicesContext } from './context.ts';
import { newServiceOperation, updateService } from './operation-records.ts';
import { bindIds, planService, reportServicePlan, requireFit } from './plan-service.ts';
import { resolveService, type ResolvedConstituent } from './resolve-service.ts';
import { parseScaling, planScaling, reportScaling, requireRoom, type ScaleNs } from './scale-service.ts';
import { requireUpdatable, type UpdateNs } from './update-service.ts';

/** SOL005 CreateNsRequest. `nsdId` may also be the id of the NSD resource. */
export interface CreateNs {
  readonly nsdId: string;
  readonly nsName: string;
  readonly nsDescription: string;
}

/** SOL005 InstantiateNsRequest. */
export interface InstantiateNs {
  readonly nsFlavourId: string;
  readonly additionalParamsForNs?: Readonly<Record<string, unknown>>;
}

/** SOL005 HealNsRequest. */
export interface HealNs {
  readonly healNsData?: { readonly degreeHealing: string };
  readonly healVnfData?: readonly { readonly vnfInstanceId: string; readonly cause?: string }[];
}

/** Writes that a caller puts into the same commit, given what it creates. */
export type Alongside<Created> = (created: Created) => readonly Write[];

const NOTHING = (): readonly Write[] => [];

/** The requests of SOL005's NS lifecycle management, by one tenant. A foreign or unknown id is `not-found`. */
export interface NsUseCases {
  create(
    tenant: TenantId,
    request: CreateNs,
    alongside?: Alongside<StoredRecord<'ns-instance'>>,
  ): StoredRecord<'ns-instance'>;
  get(tenant: TenantId, id: string): StoredRecord<'ns-instance'>;
  list(tenant: TenantId): readonly StoredRecord<'ns-instance'>[];
  delete(tenant: TenantId, id: string): void;
  /** Plans all functions as one and sets their places aside; refused with the reasons where something finds no host. */
  instantiate(
    tenant: TenantId,
    id: string,
    request: InstantiateNs,
    alongside?: Alongside<LcmOpOccId>,
  ): LcmOpOccId;
  /** What `instantiate` would do; changes nothing. */
  planInstantiation(tenant: TenantId, id: string, request: InstantiateNs): PlanReport;
  terminate(tenant: TenantId, id: string, request: object, alongside?: Alongside<LcmOpOccId>): LcmOpOccId;
  heal(tenant: TenantId, id: string, request: HealNs, alongside?: Alongside<LcmOpOccId>): LcmOpOccId;
  /** Scales functions together, to what a level of an aspect says; refused with the reasons where not all of them have room. */
  scale(tenant: TenantId, id: string, request: ScaleNs, alongside?: Alongside<LcmOpOccId>): LcmOpOccId;
  /** What `scale` would do; changes nothing. */
  planScale(tenant: TenantId, id: string, request: ScaleNs): PlanReport;
  /** Brings functions to other versions, in order of bindings; where one is not well, all of them go back. */
  update(tenant: TenantId, id: string, request: UpdateNs, alongside?: Alongside<LcmOpOccId>): LcmOpOccId;
}

export function createNsUseCases(context: ServicesContext): NsUseCases {
  const { state, ids, lifecycle } = context;
  const { commit, catalog } = lifecycle.context;

  function get(tenant: TenantId, id: string): StoredRecord<'ns-instance'> {
    const record = state.get('ns-instance', id);
    if (record === undefined || record.tenant !== tenant)
      throw new IotmanoError('not-found', `there is no NS instance ${id}`, { nsInstanceId: id });
    return record;
  }

  function start(
    record: StoredRecord<'ns-instance'>,
    operation: NsLcmOpOccDocument['operation'],
    request: object,
    alongside: Alongside<LcmOpOccId>,
    more: Pick<NsLcmOpOccDocument, 'scaling'> = {},
  ): LcmOpOccId {
    const id = ids.uuid() as LcmOpOccId;
    commit([
      newServiceOperation(context, record, id, { operation, operationParams: { ...request }, ...more }),
      updateService(record, { ...record.document, activeOpOcc: id }),
      ...alongside(id),
    ]);
    return id;
  }

  function getScalable(tenant: TenantId, id: string): StoredRecord<'ns-instance'> {
    const record = get(tenant, id);
    requireFree(record);
    requireState(record, 'INSTANTIATED', 'scaled');
    return record;
  }

  function planFor(
    record: StoredRecord<'ns-instance'>,
    request: InstantiateNs,
    idOf: (name: string) => VnfInstanceId,
    planner: Planner,
  ) {
    requireFree(record);
    requireState(record, 'NOT_INSTANTIATED', 'instantiated');
    if (request.nsFlavourId !== 'default')
      throw new IotmanoError(
        'unprocessable',
        `there is no flavour "${request.nsFlavourId}"; services have one: default`,
      );
    const descriptor = descriptorOf(context, record);
    const service = resolveService(descriptor, request.additionalParamsForNs ?? {}, (constituent) =>
      catalog.resolve(record.tenant, constituent.function, constituent.version),
    );
    return {
      service,
      plan: planService(lifecycle.context, record.tenant, descriptor, service, idOf, planner),
    };
  }

  return {
    get,
    list: (tenant) => [...state.list('ns-instance')].filter((record) => record.tenant === tenant),
    create: (tenant, request, alongside = NOTHING) => {
      const nsdInfoId = findDescriptor(context, tenant, request.nsdId);
      const id = ids.uuid() as NsInstanceId;
      const document: NsInstanceDocument = {
        name: request.nsName,
        description: request.nsDescription,
        nsdInfoId,
        state: 'NOT_INSTANTIATED',
        parameters: {},
        constituents: {},
      };
      // Each commit is one revision: the record is known before it is committed.
      const revision = state.acceptedRevision + 1;
      const record = { kind: 'ns-instance', id, tenant, document, revision } as const;
      commit([{ op: 'create', kind: 'ns-instance', id, tenant, document }, ...alongside(record)]);
      return get(tenant, id);
    },
    delete: (tenant, id) => {
      const record = get(tenant, id);
      requireFree(record);
      requireState(record, 'NOT_INSTANTIATED', 'deleted');
      commit([{ op: 'delete', kind: 'ns-instance', id, expectedRevision: record.revision }]);
    },
    planInstantiation: (tenant, id, request) => {
      const idOf = (name: string): VnfInstanceId => name as VnfInstanceId;
      return reportServicePlan(planFor(get(tenant, id), request, idOf, planWithReasons).plan, idOf);
    },
    instantiate: (tenant, id, request, alongside = NOTHING) => {
      const record = get(tenant, id);
      const minted = new Map<string, VnfInstanceId>();
      const idOf = (name: string): VnfInstanceId => {
        const known = minted.get(name) ?? (ids.uuid() as VnfInstanceId);
        minted.set(name, known);
        return known;
      };
      const { service, plan } = planFor(record, request, idOf, planOrRelax);
      const reservations = requireFit(plan);
      const evictions = evictionsOf(lifecycle.context, plan.result);
      const opOccId = ids.uuid() as LcmOpOccId;
      commit(
        [
          newServiceOperation(context, record, opOccId, {
            operation: 'INSTANTIATE',
            operationParams: { ...request },
          }),
          updateService(record, {
            ...record.document,
            activeOpOcc: opOccId,
            parameters: request.additionalParamsForNs ?? {},
            constituents: Object.fromEntries(service.constituents.map(({ name }) => [name, idOf(name)])),
          }),
          ...service.constituents.map((constituent) =>
            newConstituent(record, constituent, idOf, reservations[constituent.name] ?? []),
          ),
          ...evictions.writes,
          ...alongside(opOccId),
        ],
        (accepted) => {
          const claims = service.constituents.map(({ name, function: pkg }) => ({
            id: idOf(name),
            vnfPkgId: pkg.vnfPkgId,
            wanted: reservations[name] ?? [],
          }));
          verifyCapacity(accepted, lifecycle.context.inventory, [...claims, ...evictions.claims]);
        },
      );
      return opOccId;
    },
    terminate: (tenant, id, request, alongside = NOTHING) => {
      const record = get(tenant, id);
      requireFree(record);
      requireState(record, 'INSTANTIATED', 'terminated');
      return start(record, 'TERMINATE', request, alongside);
    },
    update: (tenant, id, request, alongside = NOTHING) => {
      const record = get(tenant, id);
      requireFree(record);
      requireState(record, 'INSTANTIATED', 'updated');
      requireUpdatable(context, record, request);
      return start(record, 'UPDATE', request, alongside);
    },
    scale: (tenant, id, request, alongside = NOTHING) => {
      const record = getScalable(tenant, id);
      const scaling = parseScaling(context, record, request);
      requireRoom(planScaling(context, record, scaling, planOrRelax));
      return start(record, 'SCALE', request, alongside, { scaling });
    },
    planScale: (tenant, id, request) => {
      const record = getScalable(tenant, id);
      const scaling = parseScaling(context, record, request);
      return reportScaling(planScaling(context, record, scaling, planWithReasons));
    },
    heal: (tenant, id, request, alongside = NOTHING) => {
      const record = get(tenant, id);
      requireFree(record);
      requireState(record, 'INSTANTIATED', 'healed');
      const constituents = Object.values(record.document.constituents);
      const strange = request.healVnfData?.find(
        (item) => !constituents.some((own) => own === item.vnfInstanceId),
      );
      if (strange !== undefined)
        throw new IotmanoError(
          'unprocessable',
          `${record.document.name} has no function ${strange.vnfInstanceId}`,
        );
      return start(record, 'HEAL', request, alongside);
    },
  };
}

function findDescriptor({ state }: ServicesContext, tenant: TenantId, nsdId: string): NsdInfoId {
  for (const { id, tenant: owner, document } of state.list('ns-descriptor')) {
    if (
      owner !== tenant ||
      document.onboardingState !== 'ONBOARDED' ||
      document.operationalState !== 'ENABLED'
    )
      continue;
    if (id === nsdId || document.descriptor?.metadata.id === nsdId) return id as NsdInfoId;
  }
  throw new IotmanoError(
    'unprocessable',
    `no onboarded and enabled NSD has the nsdId ${nsdId}; see GET /nsd/v2/ns_descriptors`,
  );
}

function newConstituent(
  record: StoredRecord<'ns-instance'>,
  constituent: ResolvedConstituent,
  idOf: (name: string) => VnfInstanceId,
  reservation: readonly WantedUnit[],
): Write {
  const { name, function: pkg, coverage } = constituent;
  const id = idOf(name);
  return {
    op: 'create',
    kind: 'vnf-instance',
    id,
    tenant: record.tenant,
    document: {
      ...newInstance(id, pkg, { vnfInstanceName: `${record.document.name}-${name}` }),
      nsInstanceId: record.id as NsInstanceId,
      constituent: name,
      bind: bindIds(constituent, idOf),
      reservation,
      ...(coverage === undefined ? {} : { coverage }),
    },
  };
}

/** One operation at a time. */
function requireFree({ document }: StoredRecord<'ns-instance'>): void {
  if (document.activeOpOcc !== undefined)
    throw new IotmanoError(
      'conflict',
      `${document.name} is busy with operation ${document.activeOpOcc}; wait for it, or end it`,
      { nsLcmOpOccId: document.activeOpOcc },
    );
}

function requireState(
  { document }: StoredRecord<'ns-instance'>,
  wanted: NsInstanceDocument['state'],
  what: string,
): void {
  if (document.state !== wanted)
    throw new IotmanoError(
      'conflict',
      `${document.name} is ${document.state} and can be ${what} only when it is ${wanted}`,
    );
}
