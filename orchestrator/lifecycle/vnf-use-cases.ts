import { IotmanoError, type LcmOpOccId, type TenantId, type VnfInstanceId } from '../../kernel/index.ts';
import type { VnfInstanceDocument, VnfLcmOpOccDocument } from '../domain/index.ts';
import { planWithReasons } from '../placement/index.ts';
import type { StoredRecord, Write } from '../store/index.ts';
import type { LifecycleContext } from './context.ts';
import { packageOf } from './function-catalog.ts';
import type { ScaleRequest } from './levels.ts';
import { parseModification, type ModifyVnf } from './modify-instance.ts';
import { startOperation } from './operation-records.ts';
import { planOperation } from './plan-operation.ts';
import { reportPlan, type PlanReport } from './plan-report.ts';
import { parseChange, type ChangeVnfPkg } from './rollout/change-request.ts';
import { reportRollout } from './rollout/report-rollout.ts';
import { selectCopies } from './plan-wanted.ts';
import { instantiationOf, newInstance, requireMovable, requireScalable } from './prepare-instance.ts';
import {
  requireFree,
  requireInstantiable,
  requireNotInServiceOperation,
  requireOwn,
  requireState,
} from './require-state.ts';
import type { CreateVnf, HealVnf, InstantiateVnf } from './vnf-requests.ts';

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
  /** What `heal` would do; changes nothing. */
  planHeal(tenant: TenantId, id: string, request: HealVnf): PlanReport;
  scale(tenant: TenantId, id: string, request: ScaleRequest, alongside?: Alongside<LcmOpOccId>): LcmOpOccId;
  /** What `scale` would do; changes nothing. */
  planScale(tenant: TenantId, id: string, request: ScaleRequest): PlanReport;
  /** Replaces the version of an instance by another one, step by step, by the policy of the new version. */
  changePackage(
    tenant: TenantId,
    id: string,
    request: ChangeVnfPkg,
    alongside?: Alongside<LcmOpOccId>,
  ): LcmOpOccId;
  /** Changes what people call it at once, and configuration values as these need: as copies run, or by replacing them step by step. */
  modify(tenant: TenantId, id: string, request: ModifyVnf, alongside?: Alongside<LcmOpOccId>): LcmOpOccId;
  /** Where all of the new version would be when `changePackage` is over; changes nothing. */
  planChange(tenant: TenantId, id: string, request: ChangeVnfPkg): PlanReport;
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
    more: Pick<VnfLcmOpOccDocument, 'rollout' | 'configChange'> = {},
  ): LcmOpOccId {
    const { id, writes } = startOperation(
      context,
      record.id as VnfInstanceId,
      record.tenant,
      record,
      { operation, operationParams: { ...operationParams }, ...more },
      changes,
    );
    context.commit([...writes, ...alongside(id)]);
    return id;
  }

  function getScalable(tenant: TenantId, id: string, request: ScaleRequest): StoredRecord<'vnf-instance'> {
    const record = get(tenant, id);
    requireFree(record);
    requireState(record, 'INSTANTIATED', 'scaled');
    requireNotInServiceOperation(state, record);
    requireScalable(packageOf(catalog, record.document.vnfPkgId), record.document, request);
    return record;
  }

  function planFor(
    { id, tenant, document }: StoredRecord<'vnf-instance'>,
    operation: VnfLcmOpOccDocument['operation'],
    request: object,
  ): PlanReport {
    const vnfInstanceId = id as VnfInstanceId;
    const plan = planOperation(
      context,
      { vnfInstanceId, tenant, instance: document },
      { operation, state: 'STARTING', operationParams: { ...request } },
      { planner: planWithReasons },
    );
    return reportPlan({ vnfInstanceId, name: document.name }, document.wanted, plan);
  }

  function getHealable(tenant: TenantId, id: string, request: HealVnf): StoredRecord<'vnf-instance'> {
    const record = get(tenant, id);
    requireFree(record);
    requireState(record, 'INSTANTIATED', 'healed');
    const { vnfcInstanceIds = [], targetHosts = {} } = request.additionalParams ?? {};
    const names = [...vnfcInstanceIds, ...Object.keys(targetHosts)];
    const key = { tenant, vnfInstanceId: record.id as VnfInstanceId };
    const { unknown } = selectCopies(record.document.wanted, key, names);
    if (unknown.length > 0)
      throw new IotmanoError(
        'unprocessable',
        `${record.document.name} has no VNFC instance ${unknown.join(', ')}`,
      );
    requireMovable(context, record, targetHosts);
    return record;
  }

  function getChangeable(tenant: TenantId, id: string): StoredRecord<'vnf-instance'> {
    const record = get(tenant, id);
    requireFree(record);
    requireState(record, 'INSTANTIATED', 'changed to another version');
    requireNotInServiceOperation(state, record);
    return record;
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
      return planFor({ ...record, document: instance }, 'INSTANTIATE', {});
    },
    terminate: (tenant, id, request, alongside = NOTHING) => {
      const record = get(tenant, id);
      requireOwn(record, 'terminated');
      requireFree(record);
      requireState(record, 'INSTANTIATED', 'terminated');
      return start(record, 'TERMINATE', request, alongside);
    },
    heal: (tenant, id, request, alongside = NOTHING) =>
      start(getHealable(tenant, id, request), 'HEAL', request, alongside),
    planHeal: (tenant, id, request) => planFor(getHealable(tenant, id, request), 'HEAL', request),
    scale: (tenant, id, request, alongside = NOTHING) =>
      start(getScalable(tenant, id, request), 'SCALE', request, alongside),
    planScale: (tenant, id, request) => planFor(getScalable(tenant, id, request), 'SCALE', request),
    changePackage: (tenant, id, request, alongside = NOTHING) => {
      const record = getChangeable(tenant, id);
      const rollout = parseChange(context, record, request);
      return start(record, 'CHANGE_VNFPKG', request, alongside, {}, { rollout });
    },
    modify: (tenant, id, request, alongside = NOTHING) => {
      const record = get(tenant, id);
      requireFree(record);
      const { info, ...more } = parseModification(context, record, request);
      if (more.rollout !== undefined) requireNotInServiceOperation(state, record);
      return start(record, 'MODIFY_INFO', request, alongside, info, more);
    },
    planChange: (tenant, id, request) => {
      const record = getChangeable(tenant, id);
      return reportRollout(context, record, parseChange(context, record, request));
    },
  };
}
