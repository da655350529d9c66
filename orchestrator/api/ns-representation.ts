import type { VnfPkgId } from '../../kernel/index.ts';
import type { components } from '../../api-specs/generated/nslcm.ts';
import { packageOf, secretNamesOf } from '../lifecycle/index.ts';
import {
  aspectsOfService,
  canRollBackService,
  constituentsOf,
  descriptorOf,
  isServiceEventAllowed,
  type Services,
} from '../services/index.ts';
import type { StoredRecord } from '../store/index.ts';
import { anyObject, vnfInstanceView } from './vnf-representation.ts';

type Schemas = components['schemas'];

export const NS_INSTANCES = '/nslcm/v2/ns_instances';
export const NS_OP_OCCS = '/nslcm/v2/ns_lcm_op_occs';

/** SOL005 NsInstance, with its functions as SOL003 shows them. */
export function nsInstanceView(
  { context }: Services,
  origin: string,
  record: StoredRecord<'ns-instance'>,
): Schemas['NsInstance'] {
  const { id, document } = record;
  const self = `${origin}${NS_INSTANCES}/${id}`;
  const link = (task: string) => ({ href: `${self}/${task}` });
  const isFree = document.activeOpOcc === undefined;
  const isInstantiated = document.state === 'INSTANTIATED';
  const aspects = aspectsOfService(context, record);
  return {
    id,
    nsInstanceName: document.name,
    nsInstanceDescription: document.description,
    nsdId: descriptorOf(context, record).metadata.id,
    nsdInfoId: document.nsdInfoId,
    ...(isInstantiated ? { flavourId: 'default' } : {}),
    vnfInstance: constituentsOf(context, record).map((constituent) =>
      vnfInstanceView(context.lifecycle, origin, constituent.record),
    ),
    nsState: document.state,
    ...(aspects.length === 0
      ? {}
      : {
          nsScaleStatus: aspects.map(({ aspect, level }) => ({
            nsScalingAspectId: aspect.name,
            nsScaleLevelId: String(level),
          })),
        }),
    parameters: anyObject(withoutSecrets(descriptorOf(context, record), document.parameters)),
    _links: {
      self: { href: self },
      ...(isFree && !isInstantiated ? { instantiate: link('instantiate') } : {}),
      ...(isFree && isInstantiated
        ? {
            terminate: link('terminate'),
            heal: link('heal'),
            update: link('update'),
            ...(aspects.length === 0 ? {} : { scale: link('scale') }),
          }
        : {}),
    },
  };
}

type Values = Readonly<Record<string, unknown>>;

/** Values of the parameters but those that the descriptor calls secret. */
function withoutSecrets({ parameters }: ReturnType<typeof descriptorOf>, values: Values): Values {
  const properties = (parameters.schema['properties'] ?? {}) as Readonly<
    Record<string, { secret?: boolean }>
  >;
  return Object.fromEntries(Object.entries(values).filter(([name]) => properties[name]?.secret !== true));
}

/** The request without the values of secret parameters; nothing of them once the service is gone, and with it the knowledge which are. */
function publicParams(
  { context }: Services,
  { nsInstanceId, operationParams }: StoredRecord<'ns-lcm-op-occ'>['document'],
): Values {
  const { additionalParamsForNs: values, changeVnfPackageData: changes, ...others } = operationParams;
  const rest =
    changes === undefined ? others : { ...others, changeVnfPackageData: publicChanges(context, changes) };
  const service = context.state.get('ns-instance', nsInstanceId);
  if (typeof values !== 'object' || values === null || service === undefined) return rest;
  return {
    ...rest,
    additionalParamsForNs: withoutSecrets(descriptorOf(context, service), values as Values),
  };
}

type Changes = readonly (Values & { readonly vnfInstanceId?: string; readonly vnfdId?: string })[];

/** Changes of packages without the values of what one of the two versions calls secret; without any, where a version is not known any more. */
function publicChanges({ state, lifecycle }: Services['context'], changes: unknown): Changes {
  const { catalog } = lifecycle.context;
  return (changes as Changes).map(({ vnfConfigurableProperties: values, ...rest }) => {
    const record = state.get('vnf-instance', rest.vnfInstanceId ?? '');
    const target = record === undefined ? undefined : catalog.findByVnfdId(record.tenant, rest.vnfdId ?? '');
    if (typeof values !== 'object' || values === null || record === undefined || target === undefined)
      return rest;
    const secrets = new Set([
      ...target.descriptor.config.secrets,
      ...secretNamesOf(catalog, record.document),
    ]);
    const shown = Object.entries(values).filter(([name]) => !secrets.has(name));
    return { ...rest, vnfConfigurableProperties: Object.fromEntries(shown) };
  });
}

const CHANGE_TYPES = {
  INSTANTIATE: 'INSTANTIATE',
  TERMINATE: 'TERMINATE',
  SCALE: 'SCALE',
  HEAL: 'HEAL',
  CHANGE_VNFPKG: 'CHANGE_VNFPKG',
  MODIFY_INFO: 'MODIFY_INFORMATION',
} as const;

/** SOL005 NsLcmOpOcc. */
export function nsOpOccView(
  services: Services,
  origin: string,
  { id, document }: StoredRecord<'ns-lcm-op-occ'>,
): Schemas['NsLcmOpOcc'] {
  const self = `${origin}${NS_OP_OCCS}/${id}`;
  const progress = services.progressOf(id);
  const task = (name: 'cancel' | 'retry' | 'rollback' | 'continue' | 'fail', isPossible: boolean) =>
    isPossible ? { [name]: { href: `${self}/${name}` } } : {};
  const { state } = document;
  return {
    id,
    operationState: state,
    stateEnteredTime: document.stateEnteredTime,
    nsInstanceId: document.nsInstanceId,
    lcmOperationType: document.operation,
    startTime: document.startTime,
    isAutomaticInvocation: document.isAutomaticInvocation,
    operationParams: anyObject(publicParams(services, document)),
    isCancelPending: document.isCancelPending,
    ...(document.cancelMode === undefined ? {} : { cancelMode: document.cancelMode }),
    ...(document.error === undefined ? {} : { error: { ...document.error } }),
    resourceChanges: { affectedVnfs: affectedVnfs(services, document) },
    ...(progress === undefined ? {} : { progress: { ...progress } }),
    _links: {
      self: { href: self },
      nsInstance: { href: `${origin}${NS_INSTANCES}/${document.nsInstanceId}` },
      ...task('cancel', isServiceEventAllowed(state, 'cancel')),
      ...task('retry', isServiceEventAllowed(state, 'retry')),
      ...task('continue', isServiceEventAllowed(state, 'continue')),
      ...task('rollback', canRollBackService(document)),
      ...task('fail', isServiceEventAllowed(state, 'fail')),
    },
  };
}

function affectedVnfs(
  { context }: Services,
  { children }: StoredRecord<'ns-lcm-op-occ'>['document'],
): Schemas['AffectedVnf'][] {
  return Object.entries(children).flatMap(([name, id]) => {
    const operation = context.state.get('vnf-lcm-op-occ', id)?.document;
    if (operation === undefined) return [];
    const { state } = operation;
    const function_ = context.state.get('vnf-instance', operation.vnfInstanceId);
    return [
      {
        vnfInstanceId: operation.vnfInstanceId,
        vnfName: name,
        vnfProfileId: name,
        ...(function_ === undefined ? {} : { vnfdId: vnfdIdOf(context, function_.document.vnfPkgId) }),
        changeType: CHANGE_TYPES[operation.operation],
        ...(state === 'COMPLETED' || state === 'ROLLED_BACK' || state === 'FAILED'
          ? { changeResult: state }
          : {}),
      },
    ];
  });
}

function vnfdIdOf({ lifecycle }: Services['context'], vnfPkgId: VnfPkgId): string {
  return packageOf(lifecycle.context.catalog, vnfPkgId).descriptor.metadata.id;
}
