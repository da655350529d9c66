import type { HostId, TenantId } from '../../kernel/index.ts';
import type { components } from '../../api-specs/generated/vnflcm.ts';
import { instanceName } from '../../vim-drivers/index.ts';
import {
  vnfcInstanceId,
  type RolloutRecord,
  type VnfInstanceDocument,
  type VnfLcmOpOccDocument,
} from '../domain/index.ts';
import {
  canRollBack,
  countsOfWanted,
  isAllowed,
  packageOf,
  scaleLevel,
  secretNamesOf,
  type Lifecycle,
  type VnfcView,
} from '../lifecycle/index.ts';
import type { StoredRecord } from '../store/index.ts';

type Schemas = components['schemas'];

export const VNF_INSTANCES = '/vnflcm/v2/vnf_instances';
export const VNF_OP_OCCS = '/vnflcm/v2/vnf_lcm_op_occs';

/** SOL003 VnfInstance. Secrets (seeds of credentials, secret config values) are never part of it. */
export function vnfInstanceView(
  lifecycle: Lifecycle,
  origin: string,
  record: StoredRecord<'vnf-instance'>,
): Schemas['VnfInstance'] {
  const { context } = lifecycle;
  const { id, document } = record;
  const { descriptor } = packageOf(context.catalog, document.vnfPkgId);
  const { metadata } = descriptor;
  const secrets = secretNamesOf(context.catalog, document);
  return {
    id,
    vnfInstanceName: document.name,
    vnfInstanceDescription: document.description,
    vnfdId: metadata.id,
    vnfProvider: metadata.provider,
    vnfProductName: metadata.productName,
    vnfSoftwareVersion: metadata.softwareVersion,
    vnfdVersion: metadata.descriptorVersion,
    vnfPkgId: document.vnfPkgId,
    vnfConfigurableProperties: anyObject(
      Object.fromEntries(Object.entries(document.config).filter(([name]) => !secrets.has(name))),
    ),
    instantiationState: document.instantiationState,
    ...(document.instantiationState === 'INSTANTIATED'
      ? { instantiatedVnfInfo: instantiatedInfo(lifecycle, record) }
      : {}),
    metadata: anyObject(document.metadata),
    extensions: {
      constraints: toConstraints(document.constraints),
      ...(document.coverage === undefined ? {} : { coverage: document.coverage }),
      bind: document.bind,
      ...(document.nsInstanceId === undefined ? {} : { nsInstanceId: document.nsInstanceId }),
      ...(document.constituent === undefined ? {} : { constituent: document.constituent }),
    },
    _links: linksOf(`${origin}${VNF_INSTANCES}/${id}`, document),
  };
}

function toConstraints({ require, hosts }: VnfInstanceDocument['constraints']) {
  return {
    ...(require === undefined ? {} : { require: [...require] }),
    ...(hosts === undefined ? {} : { hosts: [...hosts] }),
  };
}

function linksOf(self: string, document: VnfInstanceDocument): Schemas['VnfInstance']['_links'] {
  const link = (task: string) => ({ href: `${self}/${task}` });
  if (document.activeOpOcc !== undefined) return { self: { href: self } };
  return document.instantiationState === 'INSTANTIATED'
    ? {
        self: { href: self },
        terminate: link('terminate'),
        heal: link('heal'),
        scale: link('scale'),
        changeCurrentVnfPkg: link('change_vnfpkg'),
      }
    : { self: { href: self }, instantiate: link('instantiate') };
}

function instantiatedInfo(
  { context, viewVnfcs }: Lifecycle,
  record: StoredRecord<'vnf-instance'>,
): NonNullable<Schemas['VnfInstance']['instantiatedVnfInfo']> {
  const { document } = record;
  const { descriptor } = packageOf(context.catalog, document.vnfPkgId);
  const copies = viewVnfcs(record);
  const counts = countsOfWanted(document.wanted);
  const hasStarted = copies.some(
    ({ state }) =>
      state === 'RUNNING' || state === 'UNHEALTHY' || state === 'STARTING' || state === 'SCHEDULED',
  );
  return {
    flavourId: document.flavour ?? 'default',
    vnfState: hasStarted ? 'STARTED' : 'STOPPED',
    ...(descriptor.scaling.length === 0
      ? {}
      : {
          scaleStatus: descriptor.scaling.map((aspect) => ({
            aspectId: aspect.aspect,
            scaleLevel: scaleLevel(aspect, counts),
          })),
          maxScaleLevels: descriptor.scaling.map(({ aspect, max }) => ({
            aspectId: aspect,
            scaleLevel: max,
          })),
        }),
    extCpInfo: copies.flatMap((copy) => extCps(context, descriptor, copy)),
    vnfcResourceInfo: copies.map((copy) => ({
      id: copy.id,
      vduId: copy.unit,
      computeResource: { vimConnectionId: copy.hostId, resourceId: copy.resource },
      ...zoneOf(context, copy.hostId),
      metadata: {
        hostId: copy.hostId,
        slot: copy.slot,
        generation: copy.generation,
        epoch: copy.epoch,
        state: copy.state,
        ...(copy.since === undefined ? {} : { since: copy.since }),
        softwareVersion: copy.softwareVersion,
        restarts: copy.restarts,
        ...(copy.reason === undefined ? {} : { reason: copy.reason }),
        ...(copy.exitCode === undefined ? {} : { exitCode: copy.exitCode }),
        ports: copy.ports,
        ...(copy.schedule === undefined
          ? {}
          : { schedule: { ...copy.schedule, runs: copy.schedule.runs.map((run) => ({ ...run })) } }),
      },
    })),
  };
}

function zoneOf({ state }: Lifecycle['context'], hostId: HostId): { zoneId?: string } {
  const zone = state.get('host-facts', hostId)?.document.labels['zone'];
  return zone === undefined ? {} : { zoneId: zone };
}

function extCps(
  { state }: Lifecycle['context'],
  descriptor: ReturnType<typeof packageOf>['descriptor'],
  copy: VnfcView,
): Schemas['VnfExtCpInfo'][] {
  const address = state.get('host-facts', copy.hostId)?.document.address;
  const exposed = descriptor.units
    .filter(({ name }) => name === copy.unit)
    .flatMap(({ ports }) => ports.filter(({ expose }) => expose));
  return exposed.flatMap(({ name, protocol }) => {
    const port = copy.ports[name];
    if (port === undefined || address === undefined) return [];
    return [
      {
        id: `${copy.id}-${name}`,
        cpdId: name,
        associatedVnfcCpId: copy.id,
        metadata: { address, port, protocol, vnfcInstanceId: copy.id },
      },
    ];
  });
}

/** How the generated types write an object of any content. */
export type AnyObject = Record<string, never>;

export function anyObject(value: Readonly<Record<string, unknown>>): AnyObject {
  return value as AnyObject;
}

/** SOL003 VnfLcmOpOcc. */
export function vnfOpOccView(
  { context, progressOf }: Lifecycle,
  origin: string,
  { id, tenant, document }: StoredRecord<'vnf-lcm-op-occ'>,
): Schemas['VnfLcmOpOcc'] {
  const self = `${origin}${VNF_OP_OCCS}/${id}`;
  const progress = progressOf(id);
  const task = (name: string, isPossible: boolean) =>
    isPossible ? { [name]: { href: `${self}/${name}` } } : {};
  return {
    id,
    operationState: document.state,
    stateEnteredTime: document.stateEnteredTime,
    startTime: document.startTime,
    vnfInstanceId: document.vnfInstanceId,
    operation: document.operation,
    isAutomaticInvocation: document.isAutomaticInvocation,
    operationParams: publicParams(context, document),
    isCancelPending: document.isCancelPending,
    ...(document.cancelMode === undefined ? {} : { cancelMode: document.cancelMode }),
    ...(document.error === undefined ? {} : { error: { ...document.error } }),
    ...(document.affectedVnfcs === undefined ? {} : { resourceChanges: resourceChanges(tenant, document) }),
    ...(document.rollout === undefined ? {} : { rollout: rolloutView(document.rollout) }),
    ...(progress === undefined ? {} : { progress: { ...progress } }),
    _links: {
      self: { href: self },
      vnfInstance: { href: `${origin}${VNF_INSTANCES}/${document.vnfInstanceId}` },
      ...task('cancel', isAllowed(document.state, 'cancel')),
      ...task('retry', isAllowed(document.state, 'retry')),
      ...task('rollback', canRollBack(document)),
      ...task('fail', isAllowed(document.state, 'fail')),
    },
  };
}

function rolloutView({
  before: _before,
  target: _target,
  moves: _moves,
  policy,
  comparison,
  ...rest
}: RolloutRecord): NonNullable<Schemas['VnfLcmOpOcc']['rollout']> {
  const { waves, compare, window, ...numbers } = policy;
  return {
    ...rest,
    policy: {
      ...numbers,
      ...(waves === undefined ? {} : { waves: waves.map((wave) => ({ ...wave })) }),
      ...(compare === undefined ? {} : { compare: compare.map((limit) => ({ ...limit })) }),
      ...(window === undefined ? {} : { window }),
    },
    ...(comparison === undefined ? {} : { comparison: comparison.map((each) => ({ ...each })) }),
  };
}

function resourceChanges(
  tenant: TenantId,
  { vnfInstanceId, affectedVnfcs = [] }: VnfLcmOpOccDocument,
): NonNullable<Schemas['VnfLcmOpOcc']['resourceChanges']> {
  return {
    affectedVnfcs: affectedVnfcs.map(({ copy, changeType }) => {
      const key = { tenant, vnfInstanceId, unit: copy.unit, generation: copy.generation };
      return {
        id: vnfcInstanceId(copy.hostId, key, copy.slot),
        vduId: copy.unit,
        changeType,
        computeResource: { vimConnectionId: copy.hostId, resourceId: instanceName(key, copy.slot) },
      };
    }),
  };
}

/** The request without the values of parameters that any version of the function calls secret. */
function publicParams(
  { state, catalog }: Lifecycle['context'],
  { vnfInstanceId, rollout, operationParams }: VnfLcmOpOccDocument,
): AnyObject {
  const instance = state.get('vnf-instance', vnfInstanceId)?.document;
  const packages = [instance?.vnfPkgId, rollout?.before.vnfPkgId, rollout?.target.vnfPkgId];
  const configs = packages.flatMap((id) => {
    const config = id === undefined ? undefined : catalog.find(id)?.descriptor.config;
    return config === undefined ? [] : [config];
  });
  const secrets = new Set([
    ...configs.flatMap((each) => each.secrets),
    ...(instance === undefined ? [] : secretNamesOf(catalog, instance)),
  ]);
  // Of a parameter that no version here knows it is not known whether it was a secret.
  const known = configs.flatMap(({ schema }) => Object.keys(schema['properties'] ?? {}));
  const { vnfConfigurableProperties: config, ...rest } = operationParams;
  const isKnown =
    instance !== undefined &&
    (rollout === undefined || catalog.find(rollout.target.vnfPkgId) !== undefined) &&
    typeof config === 'object' &&
    config !== null;
  const shown = isKnown
    ? Object.fromEntries(
        Object.entries(config).filter(([name]) => known.includes(name) && !secrets.has(name)),
      )
    : undefined;
  return anyObject({ ...rest, ...(shown === undefined ? {} : { vnfConfigurableProperties: shown }) });
}
